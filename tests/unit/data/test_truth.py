"""What an image is scored by, and which images Ultralytics' val leaves out."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from benchsuite.data.truth import differences, most_labels, read_truth

NAMES = ("cat", "dog")
BOX, POLYGON = "0 0.5 0.5 0.5 0.25\n", "1 0.1 0.1 0.3 0.1 0.3 0.4\n"


def image(folder: Path, name: str, labels: str = BOX, size: tuple[int, int] = (40, 30), form: str = "") -> Path:
    """Write an image of a width and height with its labels, in the format that its name ends in unless one is given."""
    from PIL import Image

    path = folder / "images" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    (folder / "labels").mkdir(exist_ok=True)
    noise = np.random.default_rng(0).integers(0, 256, (*size[::-1], 3), np.uint8)
    content = io.BytesIO()
    Image.fromarray(noise).save(content, form or {"jpg": "JPEG"}.get(path.suffix[1:], path.suffix[1:]))
    path.write_bytes(content.getvalue())
    (folder / "labels" / f"{path.stem}.txt").write_text(labels)
    return path


def test_labels_are_fractions_until_the_image_is_decoded(tmp_path: Path) -> None:
    """A box of half the width and a quarter of the height is that, and in pixels what the image's size makes of it."""
    labels = read_truth(image(tmp_path, "a.png"), NAMES).labels
    np.testing.assert_allclose(labels.boxes, [[0.25, 0.375, 0.75, 0.625]])
    np.testing.assert_allclose(labels.scaled(40, 80).boxes, [[10, 30, 30, 50]])
    assert labels.left_out == ""


@pytest.mark.parametrize(
    ("name", "labels", "size", "form", "reason"),
    [
        ("a.png", BOX + POLYGON, (40, 30), "", "its labels mix boxes and polygons"),
        ("a.png", BOX, (9, 30), "", "a side is shorter than 10 px"),
        ("a.png", BOX, (30, 9), "", "a side is shorter than 10 px"),
        ("a.png", BOX, (30, 30), "GIF", "its format is GIF"),
        ("a.png", BOX, (10, 10), "", ""),
        ("a.jpg", BOX, (40, 30), "BMP", ""),
        ("a.png", POLYGON * 2, (40, 30), "", ""),
    ],
)
def test_what_val_leaves_out_has_no_labels(
    tmp_path: Path, name: str, labels: str, size: tuple[int, int], form: str, reason: str
) -> None:
    """Small images, other formats and mixed label files are not scored, and say why; what is just right is."""
    found = read_truth(image(tmp_path, name, labels, size, form), NAMES).labels
    assert found.left_out == reason
    assert len(found.classes) == (0 if reason else 1)


def test_a_damaged_file_is_left_out_and_one_with_more_behind_it_is_not(tmp_path: Path) -> None:
    """A JPEG that ends early cannot be decoded whole; one with bytes after its end can, and is told apart."""
    whole, cut, longer = (image(tmp_path, name, size=(400, 300)) for name in ("whole.jpg", "cut.jpg", "longer.jpg"))
    cut.write_bytes(whole.read_bytes()[:-2000])
    longer.write_bytes(whole.read_bytes() + b"more")
    truths = [read_truth(path, NAMES) for path in (whole, cut, longer)]
    assert [truth.labels.left_out for truth in truths] == ["", "Pillow cannot read the file whole", ""]
    assert [truth.rewritten for truth in truths] == [False, False, True]
    left_out, rewritten = differences(truths)
    assert left_out == (
        "not scored, as Ultralytics' val leaves them out: 1 of 3 images (Pillow cannot read the file whole: cut.jpg)"
    )
    assert rewritten.startswith("JPEG files that do not end as such: 1 (longer.jpg); Ultralytics' val writes them")


def test_reasons_are_counted_once_each(tmp_path: Path) -> None:
    """One sentence has every reason, with one image's name and how many more there are; no difference has none."""
    small = [image(tmp_path, f"small{number}.png", size=(5, 5)) for number in range(3)]
    mixed = image(tmp_path, "mixed.png", BOX + POLYGON)
    fine = image(tmp_path, "fine.png", "".join(f"0 0.5 0.5 0.{number}1 0.2\n" for number in range(1, 8)))
    truths = [read_truth(path, NAMES) for path in (*small, mixed, fine)]
    assert differences(truths) == (
        "not scored, as Ultralytics' val leaves them out: 4 of 5 images (a side is shorter than 10 px: small0.png and "
        "2 more; its labels mix boxes and polygons: mixed.png)",
    )
    assert most_labels(truths) == 7
    assert differences(truths[-1:]) == ()
    assert most_labels([]) == 0
