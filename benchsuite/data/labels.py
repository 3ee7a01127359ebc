"""Labels in YOLO text files: one object a line, `class x y w h` or a polygon, in fractions of the image."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchsuite.terms.errors import DataError
from benchsuite.terms.printable import short
from benchsuite.terms.reading import MEGABYTE, read_text, why
from benchsuite.terms.said import Sentence, counted, said

FloatArray = npt.NDArray[np.float32]

_BOX_COLUMNS = 5
_MOST_BYTES = 50 * MEGABYTE
# Ultralytics lets coordinates leave the image by 1 %: annotation tools round that far.
_TOLERANCE = 0.01
_NO_LABELS = "no image has a label file: the first was looked for at '{1}'; labels lie in 'labels' beside 'images'"


@dataclass(frozen=True)
class Labels:
    """The objects of one image: `classes` (n,) are indices, `boxes` (n, 4) are xyxy.

    They are fractions of the image as they are read, and pixels of the original image once they are `scaled`.
    `left_out` says why Ultralytics' val leaves the image out, or nothing; there are no objects then.
    """

    classes: npt.NDArray[np.int64]
    boxes: FloatArray
    left_out: Sentence = ""

    @classmethod
    def none(cls, left_out: Sentence = "") -> Labels:
        """Return those of an image without objects."""
        return cls(np.empty(0, np.int64), np.empty((0, 4), np.float32), left_out)

    def scaled(self, width: int, height: int) -> Labels:
        """Return labels that are in fractions of the image in pixels."""
        return replace(self, boxes=self.boxes * np.array([width, height, width, height], np.float32))


def label_path(image: Path) -> Path:
    """Return where an image's labels lie: the last folder called `images` becomes `labels`, the suffix `.txt`."""
    before, found, after = os.fspath(image).rpartition(f"{os.sep}images{os.sep}")
    name = f"{before}{os.sep}labels{os.sep}{after}" if found else after
    return Path(name).with_suffix(".txt")


def read_labels(image: Path, names: Sequence[str], keypoint_columns: int = 0) -> Labels:
    """Read the labels of an image in fractions of it; a missing file means no objects.

    A line with more than five columns is a polygon and stands for the box around it, but for one with
    `keypoint_columns` more, which is a box with a pose. Equal lines count once. A file of boxes and polygons leaves the
    image out. Raises DataError, with file and line, for a line that cannot be read, a box outside the image or a class
    beyond `names`.
    """
    file = label_path(image)
    try:
        # Val takes a folder of that name for no labels.
        lines = [] if file.is_dir() else read_text(file, _MOST_BYTES, "utf-8-sig").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        lines = []
    except (OSError, ValueError) as error:
        raise DataError(f"labels '{file}' cannot be read: {why(error)}") from None
    rows: dict[bytes, tuple[np.float32, FloatArray]] = {}
    kinds = set()
    for number, line in enumerate(lines, 1):
        if values := line.split():
            if keypoint_columns and len(values) == _BOX_COLUMNS + keypoint_columns:
                del values[_BOX_COLUMNS:]
            kinds.add(len(values) == _BOX_COLUMNS)
            problem, row = _parse(values, len(names))
            if problem:
                raise DataError(f"labels '{file}', line {number}: {problem}")
            # Keyed by all of its numbers: two polygons with one box are two objects.
            rows.setdefault(row.tobytes(), (row[0], _box(row[1:])))
    if not rows:
        return Labels.none()
    if len(kinds) > 1:
        return Labels.none(said("its labels mix boxes and polygons"))
    boxes = np.stack([box for _, box in rows.values()])
    return Labels(np.array([number for number, _ in rows.values()], np.int64), boxes)


def unusable_labels(images: Sequence[Path], names: Sequence[str], keypoint_columns: int = 0) -> str | None:
    """Say in one sentence why these images cannot be scored, or None: a label that cannot be read, or no label file.

    Ultralytics' val warns and leaves an image with such a label out, labels and all, so its mAP is of fewer images.
    """
    if images and not any(label_path(image).is_file() for image in images):
        return said(_NO_LABELS, label_path(images[0]))
    problems = []
    for image in images:
        try:
            read_labels(image, names, keypoint_columns)
        except DataError as error:
            problems.append(str(error))
    if not problems:
        return None
    more = counted(len(problems) - 1, "1 more file is like it", "{1} more files are like it")
    first = said("{1} ({2})", problems[0], more) if len(problems) > 1 else problems[0]
    left_out = "{1}; mend it: Ultralytics' val would leave {2} out of its mAP, with a warning"
    return said(left_out, first, counted(len(problems), "that image", "{1} images"))


def _parse(values: list[str], classes: int) -> tuple[str, FloatArray]:
    """Return what is wrong with a line (empty if nothing is) and its numbers."""
    nothing = np.empty(0, np.float32)
    try:
        row = np.array([float(value) for value in values], np.float32)
    except ValueError:
        return f"'{short(' '.join(values))}' is not made of numbers; a line is 'class x y w h'", nothing
    if len(row) < _BOX_COLUMNS or (len(row) > _BOX_COLUMNS and len(row) % 2 == 0):
        return f"found {len(row)} numbers; a box has 5 (class x y w h), a polygon an odd number from 7 on", nothing
    if not row[0].is_integer() or not 0 <= row[0] < classes:
        return f"class {short(values[0])} is none of the data set's classes 0 to {classes - 1}", nothing
    # Points of a polygon may lie further out than the middle of the box around them.
    box = row[1:] if len(row) == _BOX_COLUMNS else _around(row[1:])
    # Written so that nan fails too.
    inside = (box >= -_TOLERANCE) & (box <= 1 + _TOLERANCE)
    if not inside.all() or box[2:].min() < 0:
        told = short(" ".join(values[1:]))
        return f"the box '{told}' leaves the image; coordinates are fractions from 0 to 1", nothing
    return "", row


def _box(coordinates: FloatArray) -> FloatArray:
    """Return xyxy from xywh, or from a polygon's points."""
    xywh = coordinates if len(coordinates) == _BOX_COLUMNS - 1 else _around(coordinates)
    centre, half = xywh[:2], xywh[2:] / 2
    return np.concatenate([centre - half, centre + half])


def _around(coordinates: FloatArray) -> FloatArray:
    """Return xywh of the box around a polygon's points."""
    points = coordinates.reshape(-1, 2)
    low, high = points.min(0), points.max(0)
    return np.concatenate([(low + high) / 2, high - low])
