"""How many times as long one row takes as another, and which rows that proves faster.

A row is known by one number a launch: the logarithm of its time, with what all rows of the launch share taken out.
Launches are what repeats independently (allocation and the placement of threads change with them), so intervals are
Student's over the launches' differences; rounds within a launch and calls within a round only make each number better.
With few launches the scatter of a few differences is itself uncertain. Where four rows or more tell how much launches
scatter on this machine, the scatter of a pair is taken as the larger of its own and that of the median pair, which is
held for as good as twice as many launches. tests/speed/turns_synthetic.py measures how often the truth is covered.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
import numpy.typing as npt

Logs = npt.NDArray[np.float64]

# One alpha for all that is said of single ratios, one for all pairs of a group together.
_OF_ONE = 0.05
_OF_ALL = 0.01
_ROWS_THAT_TELL_SCATTER = 4
_SWEEPS = 20
_STILL = 1e-12


@dataclass(frozen=True)
class Ratio:
    """How many times as long one row takes as another, with its 95 % interval."""

    times: float
    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """Of two rows' logarithms: the mean over launches, its standard error, and Student's degrees of freedom."""

    mean: float
    error: float
    freedom: float

    def half(self, alpha: float) -> float:
        """Return half of the width of an interval that misses with probability `alpha`."""
        from scipy.special import stdtrit

        return float(stdtrit(self.freedom, 1 - alpha / 2)) * self.error


class Ranking:
    """Rows that took turns, by their names, with one number a launch each; all have the same launches, two or more."""

    def __init__(self, rows: Mapping[str, Sequence[float]]) -> None:
        self._rows = {name: np.asarray(launches, np.float64) for name, launches in rows.items()}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._rows)

    def ratio(self, name: str, to: str) -> Ratio:
        """Return how many times as long a row takes as another."""
        if name == to:
            return Ratio(1.0, 1.0, 1.0)
        found = self._difference(name, to)
        half = found.half(_OF_ONE)
        return Ratio(math.exp(found.mean), math.exp(found.mean - half), math.exp(found.mean + half))

    def proved_faster(self, name: str, than: str) -> bool:
        """Say whether simultaneous 99 % intervals over all pairs of rows tell a row to be faster than another."""
        return (name, than) in self._proved

    def places(self, among: Collection[str]) -> Mapping[str, tuple[int, int]]:
        """Return of each of these rows the first and the last place that it may have among them."""
        return {
            name: (
                1 + sum(self.proved_faster(other, name) for other in among),
                len(among) - sum(self.proved_faster(name, other) for other in among),
            )
            for name in among
        }

    def by_time(self, among: Collection[str]) -> list[str]:
        """Return these rows, the fastest first, whether that is proved or not."""
        return sorted(among, key=lambda name: float(self._rows[name].mean()))

    @cached_property
    def _proved(self) -> frozenset[tuple[str, str]]:
        pairs = list(combinations(self._rows, 2))
        proved = set()
        for one, other in pairs:
            found = self._difference(one, other)
            if abs(found.mean) > found.half(_OF_ALL / len(pairs)):
                proved.add((one, other) if found.mean < 0 else (other, one))
        return frozenset(proved)

    def _difference(self, name: str, to: str) -> Difference:
        own = self._rows[name] - self._rows[to]
        launches = len(own)
        variance, freedom = float(own.var(ddof=1)), launches - 1
        if len(self._rows) >= _ROWS_THAT_TELL_SCATTER:
            variance, freedom = max(variance, self._usual_variance), 2 * freedom
        return Difference(float(own.mean()), math.sqrt(variance / launches), freedom)

    @cached_property
    def _usual_variance(self) -> float:
        rows = list(self._rows.values())
        return float(np.median([(one - other).var(ddof=1) for one, other in combinations(rows, 2)]))


def level_interval(launches: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % interval of a row's own time from its median in each launch, two or more, in their unit."""
    logs = np.log(np.asarray(launches, np.float64))
    found = Difference(float(logs.mean()), float(logs.std(ddof=1)) / math.sqrt(len(logs)), len(logs) - 1)
    half = found.half(_OF_ONE)
    return math.exp(found.mean - half), math.exp(found.mean + half)


def levels(readings: Logs) -> Logs:
    """Return one number a row from the logarithms of one launch, a row a case and a column a round.

    NaN stands where a reading does not count. Medians of rows and of columns are taken out in turn (Tukey's median
    polish), so that what a whole round shares cancels though not every row was read in it, and a burst in one reading
    does not count. A row without readings is NaN.
    """
    left = np.array(readings, np.float64)
    of_rows, of_rounds = np.zeros(left.shape[0]), np.zeros(left.shape[1])
    for _ in range(_SWEEPS):
        rows = _medians(left, 1)
        left -= rows[:, None]
        of_rows += rows
        rounds = _medians(left, 0)
        left -= rounds
        of_rounds += rounds
        if max(np.abs(rows).max(), np.abs(rounds).max()) < _STILL:
            break
    return np.where(np.isfinite(readings).any(axis=1), of_rows + np.median(of_rounds), np.nan)


def _medians(values: Logs, axis: int) -> Logs:
    """Return the median of what counts along an axis, 0 where nothing does."""
    if np.isfinite(values).all():
        # Most launches lack nothing, and this takes a tenth of the time.
        return np.asarray(np.median(values, axis=axis), np.float64)
    counted = np.isfinite(values).any(axis=axis)
    medians = np.zeros(counted.shape)
    kept = values[counted] if axis == 1 else values[:, counted]
    if kept.size:
        medians[counted] = np.nanmedian(kept, axis=axis)
    return medians
