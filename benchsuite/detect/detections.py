"""What a detector found in one image, and the file that keeps it."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from benchsuite.machine.arrays import read_arrays
from benchsuite.machine.files import cannot_write
from benchsuite.terms.errors import PassingError, RecordError
from benchsuite.terms.reading import is_passing, why
from benchsuite.terms.said import joined, said

if TYPE_CHECKING:
    from benchsuite.machine.arrays import Array

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Detections:
    """Boxes found in one image, best score first.

    `boxes` (n, 4) are xyxy in pixels of the original image, `scores` (n,) lie in 0 to 1, `classes` (n,) are indices.
    """

    boxes: FloatArray
    scores: FloatArray
    classes: IntArray


NOTHING_FOUND = Detections(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.int64))


def save_detections(path: Path, detections: Sequence[Detections]) -> None:
    """Write the detections of several images, in order, to one .npz file that appears whole or not at all.

    Raises RecordError where the disk refuses.
    """
    counts = np.array([len(found.scores) for found in detections], np.int64)
    boxes = np.concatenate([np.empty((0, 4), np.float32), *(found.boxes for found in detections)])
    scores = np.concatenate([np.empty(0, np.float32), *(found.scores for found in detections)])
    classes = np.concatenate([np.empty(0, np.int64), *(found.classes for found in detections)])
    scratch = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with scratch.open("xb") as file:
            np.savez(file, counts=counts, boxes=boxes, scores=scores, classes=classes)
        scratch.replace(path)
    except OSError as error:
        # The write's own error is the one to tell.
        with contextlib.suppress(OSError):
            scratch.unlink()
        raise RecordError(cannot_write(path, error)) from None


def load_detections(path: Path, remedy: str = "delete that file", sha256: str | None = None) -> list[Detections]:
    """Read what `save_detections` wrote; its bytes must have a digest where one is given.

    Raises RecordError for a file that is missing, truncated or another's, and PassingError for one that may be whole.
    """
    try:
        stored = read_arrays(path, ("counts", "boxes", "scores", "classes"), sha256)
        return _taken_apart(*stored.values())
    except (OSError, MemoryError) as error:
        if is_passing(error):
            raise PassingError(said("detections at '{1}' cannot be read ({2})", path, why(error))) from None
        reason = why(error)
    except (RecordError, ValueError) as error:
        reason = str(error)
    raise RecordError(joined("; ", (said("detections at '{1}' cannot be read ({2})", path, reason), remedy)))


def _taken_apart(counts: Array, boxes: Array, scores: Array, classes: Array) -> list[Detections]:
    """Return the detections of each image; raises ValueError where the arrays do not belong together."""
    kinds = counts.dtype.kind, boxes.dtype.kind, scores.dtype.kind, classes.dtype.kind
    whole = kinds == ("i", "f", "f", "i") and counts.ndim == 1 and not np.less(counts, 0).any()
    found = int(counts.sum()) if whole else -1
    if not whole or (boxes.shape, scores.shape, classes.shape) != ((found, 4), (found,), (found,)):
        raise ValueError(said("its arrays do not belong together"))
    if not (np.isfinite(boxes).all() and np.isfinite(scores).all()):
        raise ValueError(said("it holds what is no number"))
    starts = np.cumsum(counts)[:-1]
    typed = boxes.astype(np.float32), scores.astype(np.float32), classes.astype(np.int64)
    parts = [np.split(values, starts) for values in typed]
    return [Detections(*arrays) for arrays in zip(*parts, strict=True)][: len(counts)]
