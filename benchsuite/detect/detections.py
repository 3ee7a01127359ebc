"""What a detector found in one image, and the file that keeps it."""

from __future__ import annotations

import contextlib
import uuid
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchsuite.machine.files import cannot_write
from benchsuite.terms.errors import RecordError
from benchsuite.terms.said import joined, said

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


def load_detections(path: Path, remedy: str = "delete that file") -> list[Detections]:
    """Read what `save_detections` wrote; raise RecordError for a file that is missing, truncated or another's."""
    try:
        # Opened here, because numpy leaves its own handle open when the archive turns out to be damaged.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            starts = np.cumsum(stored["counts"])[:-1]
            parts = [np.split(stored[name], starts) for name in ("boxes", "scores", "classes")]
            images = len(stored["counts"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise RecordError(
            joined("; ", (said("detections at '{1}' cannot be read ({2})", path, error), remedy))
        ) from None
    return [Detections(*arrays) for arrays in zip(*parts, strict=True)][:images]
