"""How long a run will take, roughly: for a line before it starts, never for a decision."""

from __future__ import annotations

from collections.abc import Sequence

from benchsuite.backends import backend
from benchsuite.measure.effort import Effort
from benchsuite.measure.throughput import splits
from benchsuite.terms.cases import Case

_USUAL_PIXELS = 640 * 640
_IMAGE_S = 0.05
_IMAGES_OF_A_VAL_SPLIT = 256
# A turn with the pause around it.
_TURN_S = 0.35


def estimate_s(cases: Sequence[Case], effort: Effort) -> float:
    """Return the seconds that measuring takes, without building artifacts, for a nano model at 640 px."""
    total = 0.0
    for case in cases:
        start_s = backend(case.backend).start_s
        pixels = case.imgsz.pixels / _USUAL_PIXELS
        images = effort.accuracy_images or _IMAGES_OF_A_VAL_SPLIT
        points = len(splits(case.threads, case.on_gpu)) if effort.full_sweep else 1
        throughput_s = points * (start_s + 1.5 * effort.throughput_ns / 1e9)
        turns_s = effort.launches * (start_s + _TURN_S * (effort.rounds + 1))
        total += turns_s + images * _IMAGE_S * pixels + throughput_s
    return total
