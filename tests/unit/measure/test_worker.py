"""What a worker scores: every image that Ultralytics' val scores, and nothing of the others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchsuite.backends.interface import RunPolicy
from benchsuite.detect.accuracy import Accuracy
from benchsuite.detect.detections import load_detections
from benchsuite.measure.requests import Evaluate, Open
from benchsuite.measure.worker import Worker
from benchsuite.terms.absence import Absent
from benchsuite.testing import FakeBackend, fake_runtimes, make_case

NAMES = "names: [circle, square, triangle, star, cross, ring]\n"


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    """Write four pictures with one label each: two whole ones, a thin one, and one whose labels mix two kinds."""
    found = []
    for name, size in (("0", (64, 64)), ("1", (64, 64)), ("2", (9, 64)), ("3", (64, 64))):
        path = tmp_path / "images" / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        (tmp_path / "labels").mkdir(exist_ok=True)
        assert cv2.imwrite(str(path), np.zeros((*size, 3), np.uint8))
        mixed = "1 0 0 1 0 1 1\n" if name == "3" else ""
        (tmp_path / "labels" / f"{name}.txt").write_text(f"0 0.5 0.5 0.5 0.5\n{mixed}")
        found.append(path)
    (tmp_path / "data.yaml").write_text(f"val: images\n{NAMES}")
    return found


def scored(folder: Path, images: list[Path], score: bool = True) -> Accuracy | Absent | None:
    """Let a worker that finds the same box everywhere evaluate images."""
    paths, worker = tuple(map(str, images)), Worker()
    case = make_case(backend="onnx", imgsz=64)
    with fake_runtimes(FakeBackend("onnx")):
        worker.open(Open(case, RunPolicy(1), str(folder), paths[:1]))
        asked = Evaluate(paths, str(folder / "data.yaml"), "da" * 32, score, str(folder / "a"), str(folder / "b"))
        return worker.evaluate(asked).accuracy


def test_images_that_val_leaves_out_have_neither_labels_nor_false_alarms(tmp_path: Path, images: list[Path]) -> None:
    """The figures are those of the whole pictures alone; every picture keeps its place and what is deployed on it."""
    whole = scored(tmp_path, images[:2])
    accuracy = scored(tmp_path, images)
    assert isinstance(whole, Accuracy)
    assert isinstance(accuracy, Accuracy)
    assert whole.notes == ()
    assert (accuracy.images, accuracy.labels) == (2, 2)
    assert accuracy.notes == (
        "not scored, as Ultralytics' val leaves them out: 2 of 4 images (a side is shorter than 10 px: 2.png; its "
        "labels mix boxes and polygons: 3.png)",
    )
    assert replace(accuracy, notes=()) == whole
    assert [len(found.scores) for found in load_detections(tmp_path / "b")] == [1, 1, 0, 0]
    assert [len(found.scores) for found in load_detections(tmp_path / "a")] == [1, 1, 1, 1]


def test_damaged_images_are_left_out_as_val_leaves_them_out(tmp_path: Path, images: list[Path]) -> None:
    """Nothing is found on them and the others' figures stay; one that val would stumble over leaves accuracy open."""
    whole = scored(tmp_path, images[:2])
    images[2].write_bytes(images[0].read_bytes()[:-20])
    images[3].write_bytes(b"\xff")
    accuracy = scored(tmp_path, images)
    assert isinstance(whole, Accuracy)
    assert isinstance(accuracy, Accuracy)
    assert replace(accuracy, notes=()) == whole
    assert accuracy.notes == (
        "not scored, as Ultralytics' val leaves them out: 2 of 4 images (Pillow cannot read the file whole: 2.png and "
        "1 more)",
    )
    assert [len(found.scores) for found in load_detections(tmp_path / "a")] == [1, 1, 0, 0]
    # Pillow does not look beyond the header of this format.
    cut_off = images[2].with_suffix(".bmp")
    assert cv2.imwrite(str(cut_off), np.zeros((64, 64, 3), np.uint8))
    cut_off.write_bytes(cut_off.read_bytes()[:2000])
    told = f"image '{cut_off}' is not an image that OpenCV can decode (2000 bytes); replace or remove it"
    assert scored(tmp_path, [*images[:2], cut_off]) == Absent(told)


def test_data_of_which_nothing_is_scored_says_why(tmp_path: Path, images: list[Path]) -> None:
    """There is no mAP, and the reason is that of the images; what is not to be scored is not read."""
    accuracy = scored(tmp_path, images[2:3])
    assert accuracy == Absent(
        "not scored, as Ultralytics' val leaves them out: 1 of 1 images (a side is shorter than 10 px: 2.png)"
    )
    assert scored(tmp_path, images, score=False) is None
    assert [len(found.scores) for found in load_detections(tmp_path / "b")] == [1, 1, 1, 1]
