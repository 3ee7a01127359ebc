"""Are all cases a little slower together, by less than any one of them can show? A warning, never a failure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchsuite.gate.judging import MIN_BLOCKS

_CONFIDENCE = 0.99
_FEWEST_CASES = 3


@dataclass(frozen=True)
class Shift:
    """The geometric mean of candidate over baseline over all cases, with its 99 % interval."""

    ratio: float
    interval: tuple[float, float]
    cases: int

    @property
    def found(self) -> bool:
        """Say whether the interval leaves out 1."""
        low, high = self.interval
        return low > 1 or high < 1


def common_shift(ds: Sequence[Sequence[float]]) -> Shift | None:
    """Return the shift that cases have in common, from the blocks that every case has; None for too few.

    Only the first blocks are used, as many as no case stops before: where a case stops depends on its d. Their means
    over cases are near normal, so Student's t gives the interval.
    """
    from scipy.special import stdtrit

    full = [case[:MIN_BLOCKS] for case in ds if len(case) >= MIN_BLOCKS]
    if len(full) < _FEWEST_CASES:
        return None
    means = [statistics.fmean(block) for block in zip(*full, strict=True)]
    centre = statistics.fmean(means)
    t = float(stdtrit(len(means) - 1, 0.5 + _CONFIDENCE / 2))
    half = t * statistics.stdev(means) / math.sqrt(len(means))
    return Shift(math.exp(centre), (math.exp(centre - half), math.exp(centre + half)), len(full))
