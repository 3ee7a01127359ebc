"""Image files: their pixels and their bytes."""

from __future__ import annotations

import hashlib
import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchsuite.data.labels import label_path
from benchsuite.terms.errors import DataError
from benchsuite.terms.printable import printable
from benchsuite.terms.reading import read_regular, why
from benchsuite.terms.said import Sentence, said

MOST_IMAGE_BYTES = 1_000_000_000
Image = npt.NDArray[np.uint8]
_TIFF = (".tif", ".tiff")
_BY_PILLOW = (".avif", ".heic", ".heif")


def read_image(path: Path) -> Image:
    """Decode an image to BGR pixels (height, width, 3), turned as its EXIF tag says; raise DataError if it cannot."""
    pixels = decode(path)
    if pixels is None:
        raise DataError(undecodable(path))
    return pixels


def decode(path: Path) -> Image | None:
    """Decode as `read_image` does, but return None for a damaged image; raise DataError if it cannot be read."""
    import cv2

    encoded = np.frombuffer(_read(path), np.uint8)
    # OpenCV throws on an empty buffer and on some broken headers, and returns None for most other damage.
    try:
        pixels = _decoded(encoded, path.suffix.lower()) if encoded.size else None
    except cv2.error:
        pixels = None
    return None if pixels is None else np.asarray(pixels, np.uint8)


def undecodable(path: Path) -> Sentence:
    """Say that an image is damaged."""
    sentence = "image '{1}' is not an image that OpenCV can decode ({2} bytes); replace or remove it"
    return said(sentence, printable(str(path), 300), _size_bytes(path))


def _decoded(encoded: Image, suffix: str) -> npt.NDArray[Any] | None:
    """Decode as Ultralytics' val does: 16 bits by their high byte, AVIF and HEIC by Pillow, the rest by OpenCV."""
    import cv2

    pixels: npt.NDArray[Any] | None = None
    if suffix in _BY_PILLOW:
        pixels = _by_pillow(encoded)
    elif suffix in _TIFF:
        _, pages = cv2.imdecodemulti(encoded, cv2.IMREAD_UNCHANGED)
        # OpenCV's own conversion to eight bits would round.
        pixels = pages[0][..., :3] if pages and _has_colours(pages[0]) else None
    if pixels is None:
        pixels = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    return pixels if pixels is None or pixels.dtype != np.uint16 else pixels >> 8


def _has_colours(pixels: npt.NDArray[Any]) -> bool:
    return pixels.ndim == 3 and pixels.shape[2] >= 3 and pixels.dtype in (np.uint8, np.uint16)


def _by_pillow(encoded: Image) -> Image | None:
    from PIL import ImageOps
    from PIL.Image import open as open_image

    try:
        with open_image(io.BytesIO(encoded.tobytes())) as opened:
            upright = ImageOps.exif_transpose(opened).convert("RGB")
    # Pillow's readers raise whatever their authors chose; OpenCV may still read the file.
    except Exception:
        return None
    return np.asarray(upright, np.uint8)[..., ::-1]


def unusable_images(images: Sequence[Path]) -> str | None:
    """Say which of these files cannot be read, or that not one of them can be decoded, or None.

    Of most files the pixels are not read: damaged ones cost accuracy their part of the images and nothing else.
    """
    import cv2

    problems = []
    for path in images:
        try:
            # What OpenCV cannot open by its name, as some on Windows, is read instead.
            if not (path.is_file() and cv2.haveImageReader(str(path))):
                _read(path)
        except DataError as error:
            problems.append(str(error))
    if not problems and not any(decode(path) is not None for path in images):
        problems = [undecodable(path) for path in images]
    return _first_of(problems)


def undecodable_images(images: Sequence[Path]) -> str | None:
    """Name the first of these files that cannot be decoded and count those like it, or None."""
    problems = []
    for path in images:
        try:
            if decode(path) is None:
                problems.append(undecodable(path))
        except DataError as error:
            problems.append(str(error))
    return _first_of(problems)


def _first_of(problems: Sequence[str]) -> str | None:
    if len(problems) < 2:
        return problems[0] if problems else None
    return f"{problems[0]} ({len(problems) - 1} more like it)"


def data_digest(images: Sequence[Path]) -> str:
    """Return the SHA-256 over the bytes of all images and their labels, in order; a missing label counts as empty."""
    digest = hashlib.sha256()
    for part in _parts(images):
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()


def overlap(calibration: Sequence[Path], evaluated: Sequence[Path]) -> int:
    """Count the calibration images that are also evaluated, as the same file or as another with the same bytes."""
    files_of_size: dict[int, list[Path]] = defaultdict(list)
    for path in evaluated:
        files_of_size[_size_bytes(path)].append(path)

    @cache
    def contents(size_bytes: int) -> frozenset[bytes]:
        # Only files of one size can be equal, so few are read.
        return frozenset(_read(path) for path in files_of_size[size_bytes])

    sizes = [(path, _size_bytes(path)) for path in calibration]
    return sum(size in files_of_size and _read(path) in contents(size) for path, size in sizes)


def _parts(images: Sequence[Path]) -> Iterator[bytes]:
    for image in images:
        yield _read(image)
        labels = label_path(image)
        yield _read(labels) if labels.is_file() else b""


def _read(path: Path) -> bytes:
    try:
        return read_regular(path, MOST_IMAGE_BYTES)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> DataError:
    return DataError(f"'{printable(str(path), 300)}', which the data set names, cannot be read: {why(error)}")
