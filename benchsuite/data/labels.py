"""Labels in YOLO text files: one object a line, `class x y w h` or a polygon, in fractions of the image."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchsuite.terms.errors import DataError
from benchsuite.terms.printable import short
from benchsuite.terms.reading import MEGABYTE, read_text, why

FloatArray = npt.NDArray[np.float32]

_BOX_COLUMNS = 5
_MOST_BYTES = 50 * MEGABYTE
# Ultralytics lets coordinates leave the image by 1 %: annotation tools round that far.
_TOLERANCE = 0.01


@dataclass(frozen=True)
class Labels:
    """The objects of one image: `classes` (n,) are indices, `boxes` (n, 4) are xyxy in pixels of the original image."""

    classes: npt.NDArray[np.int64]
    boxes: FloatArray


def label_path(image: Path) -> Path:
    """Return where an image's labels lie: the last folder called `images` becomes `labels`, the suffix `.txt`."""
    before, found, after = os.fspath(image).rpartition(f"{os.sep}images{os.sep}")
    name = f"{before}{os.sep}labels{os.sep}{after}" if found else after
    return Path(name).with_suffix(".txt")


def read_labels(image: Path, width: int, height: int, names: Sequence[str]) -> Labels:
    """Read the labels of an image of width x height pixels; a missing file means no objects.

    A line with more than five columns is a polygon and stands for the box around it. Equal lines count once. Raises
    DataError, with file and line, for a line that cannot be read, a box outside the image or a class beyond `names`.
    """
    file = label_path(image)
    try:
        lines = read_text(file, _MOST_BYTES, "utf-8-sig").splitlines()
    except FileNotFoundError:
        lines = []
    except (OSError, ValueError) as error:
        raise DataError(f"labels '{file}' cannot be read: {why(error)}") from None
    rows: dict[bytes, tuple[np.float32, FloatArray]] = {}
    for number, line in enumerate(lines, 1):
        if values := line.split():
            problem, row = _parse(values, len(names))
            if problem:
                raise DataError(f"labels '{file}', line {number}: {problem}")
            # Keyed by all of its numbers: two polygons with one box are two objects.
            rows.setdefault(row.tobytes(), (row[0], _box(row[1:])))
    if not rows:
        return Labels(np.empty(0, np.int64), np.empty((0, 4), np.float32))
    boxes = np.stack([box for _, box in rows.values()])
    size = np.array([width, height, width, height], np.float32)
    return Labels(np.array([number for number, _ in rows.values()], np.int64), boxes * size)


def _parse(values: list[str], classes: int) -> tuple[str, FloatArray]:
    """Return what is wrong with a line (empty if nothing is) and its numbers."""
    nothing = np.empty(0, np.float32)
    try:
        row = np.array([float(value) for value in values], np.float32)
    except ValueError:
        return (
            f"'{short(' '.join(values))}' is not made of numbers; a line is 'class x y w h'",
            nothing,
        )
    coordinates = row[1:]
    if len(row) < _BOX_COLUMNS or (len(row) > _BOX_COLUMNS and len(row) % 2 == 0):
        return f"found {len(row)} numbers; a box has 5 (class x y w h), a polygon an odd number from 7 on", nothing
    if not row[0].is_integer() or not 0 <= row[0] < classes:
        return (
            f"class {short(values[0])} is none of the data set's classes 0 to {classes - 1}",
            nothing,
        )
    # Written so that nan fails too.
    inside = (coordinates >= -_TOLERANCE) & (coordinates <= 1 + _TOLERANCE)
    if not inside.all() or (len(row) == _BOX_COLUMNS and row[3:].min() < 0):
        return (
            f"the box '{short(' '.join(values[1:]))}' leaves the image; coordinates are fractions from 0 to 1",
            nothing,
        )
    return "", row


def _box(coordinates: FloatArray) -> FloatArray:
    """Return xyxy from xywh, or from a polygon's points."""
    if len(coordinates) == _BOX_COLUMNS - 1:
        centre, half = coordinates[:2], coordinates[2:] / 2
        return np.concatenate([centre - half, centre + half])
    points = coordinates.reshape(-1, 2)
    return np.concatenate([points.min(0), points.max(0)])
