"""The drawn data set keeps its promises."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from benchsuite.data.shapes import NAMES, ShapesSpec, draw, shapes_data
from benchsuite.terms.errors import DataError

SPEC = ShapesSpec(train=1, val=3, calib=2)


@pytest.fixture(scope="module")
def drawn() -> list[tuple[np.ndarray, list]]:
    """Draw forty pictures."""
    return [draw(SPEC, "val", index) for index in range(40)]


def test_pictures_hold_enough_objects_and_enough_small_ones(drawn: list) -> None:
    """There are at least six objects a picture on average, all classes occur, and a quarter is under 32 px."""
    objects = [item for _, items in drawn for item in items]
    longest = np.array([max(item.x2 - item.x1, item.y2 - item.y1) for item in objects])
    assert len(objects) / len(drawn) >= 6
    assert {item.class_id for item in objects} == set(range(len(NAMES)))
    assert len(NAMES) >= 6
    assert (longest < 32).mean() >= 0.25
    assert longest.min() >= 9.9
    assert longest.max() <= 640 / 3 + 0.1


def test_boxes_lie_inside_the_picture(drawn: list) -> None:
    """No label reaches over the edge."""
    for pixels, items in drawn:
        height, width = pixels.shape[:2]
        assert all(item.x1 >= 0 and item.y1 >= 0 and item.x2 <= width and item.y2 <= height for item in items)


def test_box_encloses_its_paint() -> None:
    """The box of a lone shape is where the picture differs from its background, to a pixel."""
    from benchsuite.data.shapes import _outlines, _paint

    for number, name in enumerate(NAMES):
        rng = np.random.default_rng(number)
        canvas = np.full((200, 200, 3), 128, np.float32)
        item = _paint(rng, canvas, number, [points + 100 for points in _outlines(rng, name, 60.0)])
        rows, columns = np.nonzero(np.abs(canvas - 128).max(2) > 20)
        found = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        assert np.abs(np.array(found) - (item.x1, item.y1, item.x2, item.y2)).max() <= 1.5, name


def test_same_seed_draws_the_same_pictures_and_another_seed_others() -> None:
    """A picture depends on seed, split and index alone."""
    first, again = draw(SPEC, "val", 7)[0], draw(SPEC, "val", 7)[0]
    assert np.array_equal(first, again)
    assert not np.array_equal(first, draw(SPEC, "calib", 7)[0])
    assert not np.array_equal(first, draw(ShapesSpec(seed=1), "val", 7)[0])


def test_folder_is_in_yolo_format_and_drawn_once(tmp_path: Path) -> None:
    """The folder has images, labels and a data.yaml for every split, and a second call changes nothing."""
    from benchsuite.data.dataset import load_dataset
    from benchsuite.data.labels import read_labels

    yaml = shapes_data(tmp_path, SPEC)
    stamps = {path: path.stat().st_mtime_ns for path in yaml.parent.rglob("*")}
    assert shapes_data(tmp_path, SPEC) == yaml
    assert stamps == {path: path.stat().st_mtime_ns for path in yaml.parent.rglob("*")}
    dataset = load_dataset(yaml)
    assert dataset.names == NAMES
    assert [len(dataset.splits[split]) for split in ("train", "val", "calib")] == [1, 3, 2]
    drawn = draw(SPEC, "val", 0)[1]
    labels = read_labels(dataset.splits["val"][0], dataset.names).scaled(640, 640)
    assert labels.classes.tolist() == [item.class_id for item in drawn]
    assert np.allclose(labels.boxes, [(item.x1, item.y1, item.x2, item.y2) for item in drawn], atol=0.01)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_disk_that_refuses_is_named_with_the_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """The sentence names the folder and the disk's own word; nothing half-drawn is left."""

    def refuse(path: Path, content: bytes) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(DataError, match=f"^cannot write {tmp_path / SPEC.slug}: {os.strerror(number)}; "):
        shapes_data(tmp_path, SPEC)
    assert [path.name for path in tmp_path.iterdir()] == [f".{SPEC.slug}.lock"]
