"""Image files: pixels, digests, and images that two splits share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchsuite.data.images import data_digest, overlap, read_image
from benchsuite.terms.errors import DataError


def write_image(path: Path, value: int = 0) -> Path:
    import cv2

    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((4, 6, 3), value, np.uint8)
    pixels[..., 0] = 255
    assert cv2.imwrite(str(path), pixels)
    return path


def test_pixels_are_bgr(tmp_path: Path) -> None:
    """A decoded image is height x width x BGR, whatever letters its name has."""
    pixels = read_image(write_image(tmp_path / "größe.png"))
    assert pixels.shape == (4, 6, 3)
    assert pixels.dtype == np.uint8
    assert pixels[0, 0].tolist() == [255, 0, 0]


def test_grey_image_gets_three_channels(tmp_path: Path) -> None:
    """A network takes three channels, also from a grey image."""
    import cv2

    assert cv2.imwrite(str(tmp_path / "grey.png"), np.full((4, 6), 9, np.uint8))
    assert read_image(tmp_path / "grey.png")[0, 0].tolist() == [9, 9, 9]


def test_a_turned_avif_is_upright(tmp_path: Path) -> None:
    """Its EXIF tag turns it as that of a JPEG does, which OpenCV leaves to Pillow."""
    from PIL import Image

    exif = Image.Exif()
    exif[274] = 6
    Image.new("RGB", (32, 16), (200, 100, 50)).save(tmp_path / "turned.avif", exif=exif)
    pixels = read_image(tmp_path / "turned.avif")
    assert (pixels.shape, pixels.dtype) == ((32, 16, 3), np.uint8)
    np.testing.assert_allclose(pixels[16, 8].astype(int), [50, 100, 200], atol=12)


def test_sixteen_bits_keep_their_high_byte(tmp_path: Path) -> None:
    """A value of 16 bits becomes its upper eight, in a TIFF as in a PNG."""
    import cv2

    for name in ("a.tif", "a.png"):
        assert cv2.imwrite(str(tmp_path / name), np.full((12, 12, 3), 0x12FF, np.uint16))
        assert read_image(tmp_path / name)[0, 0].tolist() == [0x12] * 3


@pytest.mark.parametrize("content", [b"", b"not an image", b"\x89PNG\r\n\x1a\n"])
def test_unreadable_image_is_named(tmp_path: Path, content: bytes) -> None:
    """An image that is empty, damaged or something else is an error that names it."""
    (tmp_path / "1.png").write_bytes(content)
    with pytest.raises(DataError, match=r"image '.*1\.png' is not an image that OpenCV can decode"):
        read_image(tmp_path / "1.png")


def test_missing_image_is_named(tmp_path: Path) -> None:
    """A listed image that is not there is an error that names it."""
    with pytest.raises(DataError, match=r"'.*gone\.png', which the data set names, cannot be read: No such file"):
        read_image(tmp_path / "gone.png")


def test_digest_changes_with_pixels_labels_and_order(tmp_path: Path) -> None:
    """The digest covers what accuracy depends on: image bytes, label bytes and order."""
    one, two = (write_image(tmp_path / "images" / f"{value}.png", value) for value in (1, 2))
    first = data_digest([one, two])
    assert len(first) == 64
    assert data_digest([one, two]) == first
    assert data_digest([two, one]) != first
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "1.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    labelled = data_digest([one, two])
    assert labelled != first
    # The same bytes, but they belong to the other image.
    (tmp_path / "labels" / "1.txt").rename(tmp_path / "labels" / "2.txt")
    assert data_digest([one, two]) not in (first, labelled)


def test_digest_knows_where_a_file_ends(tmp_path: Path) -> None:
    """A byte that moves from an image to its label changes the digest."""
    image, label = tmp_path / "images" / "1.png", tmp_path / "labels" / "1.txt"
    digests = set()
    for folder in (image.parent, label.parent):
        folder.mkdir()
    for pixels, text in ((b"ab", b"c"), (b"a", b"bc"), (b"abc", b"")):
        image.write_bytes(pixels)
        label.write_bytes(text)
        digests.add(data_digest([image]))
    assert len(digests) == 3


def test_overlap_counts_same_files_and_same_bytes(tmp_path: Path) -> None:
    """A calibration image counts once if it is evaluated, through another path or as a copy under another name."""
    one, two, three, four = (write_image(tmp_path / f"{value}.png", value) for value in (1, 2, 3, 4))
    copy = tmp_path / "copy.png"
    copy.write_bytes(two.read_bytes())
    (tmp_path / "link.png").symlink_to(three)
    assert overlap([one, two, three], [four]) == 0
    assert overlap([one, two, three], [four, copy, one]) == 2
    assert overlap([tmp_path / "link.png", one], [three, tmp_path / "." / "3.png"]) == 1
    with pytest.raises(DataError, match=r"gone\.png"):
        overlap([tmp_path / "gone.png"], [one])
