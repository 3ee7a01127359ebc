"""The images of one run: those that are evaluated, and those that INT8 is calibrated on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchsuite.data.dataset import calibration_images, load_dataset
from benchsuite.data.images import decode, overlap, undecodable
from benchsuite.data.shapes import shapes_data
from benchsuite.measure.accuracy import EvaluationData, evaluation_data
from benchsuite.options.chosen import Options
from benchsuite.terms.errors import DataError
from benchsuite.terms.said import said

# A --calib-size that asks for whatever there is.
ALL_IMAGES = 1_000_000


@dataclass(frozen=True)
class CalibrationImages:
    """The images that INT8 is calibrated on, how many are evaluated too, and warnings of that or of too few."""

    images: tuple[Path, ...]
    evaluated: int
    warnings: tuple[str, ...]


class RunData:
    """Reads or draws the images when they are first asked for."""

    def __init__(self, options: Options, cache_root: Path) -> None:
        self._options = options
        self._cache_root = cache_root
        self._whole: list[Path] = []
        self._looked_at = 0

    @cached_property
    def evaluated(self) -> EvaluationData:
        """The evaluated images: of --data, or drawn now."""
        return evaluation_data(self._yaml, self._options.effort.accuracy_images)

    def timed(self, count: int) -> tuple[Path, ...]:
        """Return the first evaluated images that can be decoded: that many, or all of them where there are fewer.

        Raises DataError where there is none.
        """
        images = self.evaluated.images
        while len(self._whole) < count and self._looked_at < len(images):
            path = images[self._looked_at]
            self._looked_at += 1
            if decode(path) is not None:
                self._whole.append(path)
        if not self._whole:
            raise DataError(undecodable(images[0]))
        return tuple(self._whole[:count])

    @property
    def digest(self) -> str:
        """What all cases of a run are evaluated on, as 16 hex digits: images, labels and class names."""
        data = self.evaluated
        return hashlib.sha256(json.dumps([data.sha256, data.names]).encode()).hexdigest()[:16]

    @cached_property
    def calibration(self) -> CalibrationImages:
        """The calibration images: of --calib, else of the evaluated data set."""
        yaml, asked = self._options.calib or self._yaml, self._options.calib_size
        images = calibration_images(load_dataset(yaml), asked)
        warnings = []
        if len(images) < asked < ALL_IMAGES:
            fewer = "{1} calibration images were asked for and {2} has {3}: all were used"
            warnings.append(said(fewer, asked, yaml.name, len(images)))
        shared = overlap(images, self.evaluated.images)
        if shared:
            flattered = "{1} of {2} calibration images are also evaluated: its mAP is flattered"
            warnings.append(said(flattered, shared, len(images)))
        return CalibrationImages(images, shared, tuple(warnings))

    @cached_property
    def _yaml(self) -> Path:
        # Another interpreter's worker has another working directory.
        return (self._options.data or shapes_data(self._cache_root / "data")).absolute()
