"""YOLO label files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchsuite.data.labels import label_path, read_labels, unusable_labels
from benchsuite.terms.errors import DataError

NAMES = ("cat", "dog")


def write_labels(folder: Path, text: str) -> Path:
    (folder / "labels").mkdir(parents=True)
    (folder / "labels" / "1.txt").write_text(text, encoding="utf-8")
    return folder / "images" / "1.jpg"


def test_last_images_folder_is_replaced() -> None:
    """Only the last folder called images changes, and only the last suffix."""
    assert label_path(Path("/images/set/images/val/a.b.jpg")) == Path("/images/set/labels/val/a.b.txt")
    assert label_path(Path("/set/photos/a.jpg")) == Path("/set/photos/a.txt")


def test_boxes_become_pixel_corners(tmp_path: Path) -> None:
    """A box is given by centre and size in fractions, and comes out as corners in pixels."""
    labels = read_labels(write_labels(tmp_path, "\ufeff1 0.5 0.5 0.5 0.25\n\n"), NAMES).scaled(200, 100)
    assert labels.classes.tolist() == [1]
    assert labels.boxes.tolist() == [[50, 37.5, 150, 62.5]]
    assert labels.boxes.dtype == np.float32


def test_polygon_stands_for_its_box(tmp_path: Path) -> None:
    """A line with more than five numbers holds a polygon's points."""
    labels = read_labels(write_labels(tmp_path, "0 0.1 0.5 0.3 0.2 0.2 0.6\n"), NAMES).scaled(100, 100)
    np.testing.assert_allclose(labels.boxes, [[10, 20, 30, 60]], atol=1e-5)


def test_points_of_a_polygon_may_lie_outside(tmp_path: Path) -> None:
    """What may leave the image by 1 % is the middle and the size of the box around them, as in val."""
    labels = read_labels(write_labels(tmp_path, "0 -0.04 0.5 0.3 0.2 0.2 0.6\n"), NAMES).scaled(100, 100)
    np.testing.assert_allclose(labels.boxes, [[-4, 20, 30, 60]], atol=1e-5)


def test_boxes_and_polygons_in_one_file_leave_the_image_out(tmp_path: Path) -> None:
    """Such a file has no objects, and says why; one of polygons alone has its boxes."""
    mixed = read_labels(write_labels(tmp_path, "0 0.5 0.5 0.2 0.2\n1 0 0 1 1 0 1\n"), NAMES).scaled(10, 10)
    assert (len(mixed.classes), mixed.left_out) == (0, "its labels mix boxes and polygons")


def test_a_pose_is_cut_to_its_box(tmp_path: Path) -> None:
    """Where the data set names keypoints, as many numbers after a box are theirs, and the line is no polygon."""
    text = "1 0.5 0.5 0.5 0.25 0.1 0.2 0.3 0.4\n0 0.5 0.5 0.1 0.1\n"
    labels = read_labels(write_labels(tmp_path, text), NAMES, 4).scaled(200, 100)
    assert labels.classes.tolist() == [1, 0]
    assert labels.boxes[0].tolist() == [50, 37.5, 150, 62.5]


def test_missing_and_empty_files_mean_no_objects(tmp_path: Path) -> None:
    """An image without a label file is background, and so is one with an empty file or with a folder in its place."""
    empty = write_labels(tmp_path, "\n")
    (tmp_path / "labels" / "3.txt").mkdir()
    for image in (empty, tmp_path / "images" / "2.jpg", tmp_path / "images" / "3.jpg"):
        labels = read_labels(image, NAMES).scaled(10, 10)
        assert labels.classes.shape == (0,)
        assert labels.boxes.shape == (0, 4)


def test_equal_lines_count_once(tmp_path: Path) -> None:
    """A repeated line is one object, and equal boxes of two classes, or around two polygons, are two."""
    text = "0 0.5 0.5 0.2 0.2\n1 0.5 0.5 0.2 0.2\n0 0.50 0.5 0.2 0.2\n"
    assert read_labels(write_labels(tmp_path, text), NAMES).scaled(10, 10).classes.tolist() == [0, 1]
    polygons = "0 0 0 1 1 0 1\n0 0 0 1 1 1 0\n"
    assert len(read_labels(write_labels(tmp_path / "polygons", polygons), NAMES).scaled(10, 10).classes) == 2


def test_one_percent_outside_is_rounding(tmp_path: Path) -> None:
    """Coordinates may leave the image by 1 %, as Ultralytics allows."""
    assert len(read_labels(write_labels(tmp_path, "0 0.5 1.005 0.2 0.1\n"), NAMES).scaled(10, 10).classes) == 1


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("0 0.5 0.5 0.2", "found 4 numbers"),
        ("0 0.5 0.5 0.2 0.2 0.9", "found 6 numbers"),
        ("0 0.5 0.5 wide 0.2", "is not made of numbers"),
        ("2 0.5 0.5 0.2 0.2", "class 2 is none of the data set's classes 0 to 1"),
        ("-1 0.5 0.5 0.2 0.2", "class -1 is none"),
        ("0.5 0.5 0.5 0.2 0.2", "class 0.5 is none"),
        ("nan 0.5 0.5 0.2 0.2", "class nan is none"),
        ("0 320 240 50 50", "leaves the image"),
        ("0 0.5 0.5 -0.005 0.2", "leaves the image"),
        ("0 nan 0.5 0.2 0.2", "leaves the image"),
    ],
)
def test_broken_line_is_named(tmp_path: Path, line: str, sentence: str) -> None:
    """A line that cannot be right is an error that names file and line, never a silently dropped image."""
    image = write_labels(tmp_path, f"0 0.5 0.5 0.2 0.2\n\n{line}\n")
    with pytest.raises(DataError, match=rf"labels '.*1\.txt', line 3: .*{sentence}"):
        read_labels(image, NAMES).scaled(10, 10)


def test_binary_file_is_refused(tmp_path: Path) -> None:
    """A label file that is not text is an error."""
    image = write_labels(tmp_path, "")
    (tmp_path / "labels" / "1.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="cannot be read"):
        read_labels(image, NAMES).scaled(10, 10)


def test_labels_that_cannot_be_read_are_counted_and_the_first_is_named(tmp_path: Path) -> None:
    """One sentence says which file comes first, how many are like it, and what Ultralytics' val does with them."""
    images = [tmp_path / "images" / f"{number}.jpg" for number in range(4)]
    (tmp_path / "labels").mkdir()
    lines = ("0 0.5 0.5 0.2 0.2", "2 0.5 0.5 0.2 0.2", "0 5 5 1 1", "")
    for image, line in zip(images, lines, strict=True):
        label_path(image).write_text(line)
    assert unusable_labels([images[0], images[3]], NAMES) is None
    one, two = unusable_labels(images[:2], NAMES), unusable_labels(images, NAMES)
    assert one is not None
    assert two is not None
    assert "1.txt', line 1: class 2 is none" in one
    assert one.endswith("mend it: Ultralytics' val would leave that image out of its mAP, with a warning")
    assert "(1 more file is like it)" in two
    assert "leave 2 images out" in two


def test_where_labels_were_looked_for_is_said_where_none_is(tmp_path: Path) -> None:
    """A folder of labels under another name is found by the path that was tried."""
    images = [tmp_path / "images" / f"{number}.jpg" for number in range(2)]
    why = unusable_labels(images, NAMES)
    assert why is not None
    assert f"'{tmp_path / 'labels' / '0.txt'}'" in why
