"""How many times as long one row takes as another, and which rows that proves faster.

A row is known by one number a launch: the logarithm of its time, with what all rows of the launch share taken out.
Launches are what repeats independently (allocation and the placement of threads change with them), so intervals are
Student's over the launches' differences; rounds within a launch and calls within a round only make each number better.
With few launches the scatter of a few differences is itself uncertain. Where four rows or more tell how much launches
scatter on this machine, the scatter of a pair is taken as the larger of its own and that of the median pair, which is
held for as good as four times as many launches. tests/speed/turns_synthetic.py measures how often the truth is covered.

Launches of one session cannot tell what differs from one hour to the next: how fast the host runs just then, who shares
its caches. That is added to them, so that two runs of the same thing agree within what they print.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import numpy.typing as npt

Logs = npt.NDArray[np.float64]

# One alpha for all that is said of single ratios, one for all pairs of a group together.
_OF_ONE = 0.05
_OF_ALL = 0.01
_ROWS_THAT_TELL_SCATTER = 4
_AS_GOOD_AS = 4
# Standard deviation, in logarithms, of the ratio of two rows from hour to hour on machines that are quiet throughout
# (tests/speed/turns_repeat.py: five runs of each of five rows scatter by 0.2 to 4 %).
BETWEEN_SESSIONS = 0.02
_SWEEPS = 20
_STILL = 1e-12


@dataclass(frozen=True)
class Ratio:
    """How many times as long one row takes as another, with its 95 % interval."""

    times: float
    low: float
    high: float


class Ranking:
    """Rows that took turns, by their names, with one number a launch each; all have the same launches, two or more."""

    def __init__(self, rows: Mapping[str, Sequence[float]]) -> None:
        self._places = {name: number for number, name in enumerate(rows)}
        self._rows: Logs = np.array(list(rows.values()), np.float64)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._places)

    def ratio(self, name: str, to: str) -> Ratio:
        """Return how many times as long a row takes as another."""
        if name == to:
            return Ratio(1.0, 1.0, 1.0)
        one, other = self._places[name], self._places[to]
        mean = float(self._means[one] - self._means[other])
        half = float(self._half_width(self._errors[one, other], _OF_ONE))
        return Ratio(math.exp(mean), math.exp(mean - half), math.exp(mean + half))

    def proved_faster(self, name: str, than: str) -> bool:
        """Say whether simultaneous 99 % intervals over all pairs of rows tell a row to be faster than another."""
        return bool(self._proved[self._places[name], self._places[than]])

    def places(self, among: Collection[str]) -> Mapping[str, tuple[int, int]]:
        """Return of each of these rows the first and the last place that it may have among them."""
        chosen = [self._places[name] for name in among]
        proved = self._proved[np.ix_(chosen, chosen)]
        ahead, behind = proved.sum(axis=0), proved.sum(axis=1)
        return {name: (1 + int(ahead[n]), len(chosen) - int(behind[n])) for n, name in enumerate(among)}

    def by_time(self, among: Collection[str]) -> list[str]:
        """Return these rows, the fastest first, whether that is proved or not."""
        return sorted(among, key=lambda name: float(self._means[self._places[name]]))

    @cached_property
    def _means(self) -> Logs:
        return np.asarray(self._rows.mean(axis=1))

    @property
    def _freedom(self) -> int:
        launches: int = self._rows.shape[1]
        return (launches - 1) * (_AS_GOOD_AS if len(self._rows) >= _ROWS_THAT_TELL_SCATTER else 1)

    @cached_property
    def _errors(self) -> Logs:
        """Return for each pair the standard error of its mean difference."""
        # Of differences, and not from covariances, which round where rows hardly differ.
        away = self._rows - self._means[:, None]
        variances = np.array([((away - row) ** 2).sum(axis=1) for row in away]) / (self._rows.shape[1] - 1)
        if len(self._rows) >= _ROWS_THAT_TELL_SCATTER:
            usual = np.median(variances[np.triu_indices(len(self._rows), 1)])
            variances = np.maximum(variances, usual)
        errors: Logs = np.sqrt(variances / self._rows.shape[1])
        return errors

    @cached_property
    def _proved(self) -> npt.NDArray[np.bool_]:
        """Say of each pair whether the first is proved faster."""
        rows = len(self._rows)
        differences = self._means[:, None] - self._means
        pairs = max(1, rows * (rows - 1) // 2)
        return np.asarray(differences < -self._half_width(self._errors, _OF_ALL / pairs))

    def _half_width(self, errors: Logs, alpha: float) -> Logs:
        """Return half of the width, for each standard error, of an interval that misses with probability `alpha`."""
        of_sessions = BETWEEN_SESSIONS * _quantile(math.inf, alpha)
        return np.asarray(np.hypot(errors * _quantile(self._freedom, alpha), of_sessions))


@cache
def _quantile(freedom: float, alpha: float) -> float:
    """Return half of the width, in standard errors, of an interval that misses with probability `alpha`."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 1 - alpha / 2))


def level_interval(launches: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % interval of a row's own time from its median in each launch, two or more, in their unit."""
    logs = np.log(np.asarray(launches, np.float64))
    mean, error = float(logs.mean()), float(logs.std(ddof=1)) / math.sqrt(len(logs))
    half = error * _quantile(len(logs) - 1, _OF_ONE)
    return math.exp(mean - half), math.exp(mean + half)


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
