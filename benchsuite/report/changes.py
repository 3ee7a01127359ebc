"""Change points of a series of runs: where its level moved and stayed, told apart from noise and from single bad runs.

Never a verdict: the runs of a history are not paired, and a change of the machine looks like one of the software.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from benchsuite.terms.errors import UsageError

# A level is at least this many runs, so that one bad run is none.
SHORTEST = 3
# A move smaller than this is not worth a reader's time.
SMALLEST = 0.01
# A smaller penalty finds smaller moves and shows more that are none; tests/speed/change_points.py counts both.
_PENALTY = 8.0
# How far from its neighbours, in units of the noise, a single run may stand.
_REACH = 2.0
# Noise of figures that hardly have any, and what stands for 0, as of an mAP, in logarithms.
_FLOOR = 0.0005
_ZERO = 1e-6


@dataclass(frozen=True)
class Level:
    """A stretch of a series, from value `start` up to `end` (excluded), and its median."""

    start: int
    end: int
    median: float


def levels(values: Sequence[float]) -> tuple[Level, ...]:
    """Split a series of values into levels, none of them negative; raises UsageError where ruptures is not installed.

    Killick, Fearnhead and Eckley's PELT over the logarithms, scaled by their noise (the median of the differences
    of neighbours), each value drawn in to what its neighbours allow.
    """
    if len(values) < 2 * SHORTEST:
        return (Level(0, len(values), statistics.median(values)),) if values else ()
    ends = _ends(_scaled([_log(value) for value in values]))
    found = [_level(values, start, end) for start, end in zip((0, *ends[:-1]), ends, strict=True)]
    merged = found[:1]
    for level in found[1:]:
        if abs(_log(level.median) - _log(merged[-1].median)) < math.log1p(SMALLEST):
            merged[-1] = _level(values, merged[-1].start, level.end)
        else:
            merged.append(level)
    return tuple(merged)


def _log(value: float) -> float:
    return math.log(max(value, _ZERO))


def _level(values: Sequence[float], start: int, end: int) -> Level:
    return Level(start, end, statistics.median(values[start:end]))


def _scaled(logs: Sequence[float]) -> list[float]:
    """Return the series in units of its noise, with single runs that stand out drawn in."""
    steps = [after - before for before, after in pairwise(logs)]
    # 1.4826 makes a median deviation a standard deviation; a step has the noise of two values.
    noise = max(1.4826 * statistics.median(map(abs, steps)) / math.sqrt(2), _FLOOR)
    reach = _REACH * noise
    drawn = []
    for number, value in enumerate(logs):
        sides = (logs[max(0, number - SHORTEST) : number], logs[number + 1 : number + 1 + SHORTEST])
        near = _nearest(value, [side for side in sides if side], reach)
        drawn.append(min(max(value, near - reach), near + reach) / noise)
    return drawn


def _nearest(value: float, sides: Sequence[Sequence[float]], reach: float) -> float:
    """Return the median of the runs before or of those after a run, whichever is nearer to it.

    The last run of a level is near those before it, the first run of the next level near those after it, and a run that
    stands out near neither. Runs that are of one mind tell more than runs that lie astride a change.
    """
    medians = list(map(statistics.median, sides))
    if min(abs(value - median) for median in medians) > 2 * reach:
        agreeing = [median for side, median in zip(sides, medians, strict=True) if max(side) - min(side) <= 2 * reach]
        medians = agreeing or medians
    return min(medians, key=lambda median: abs(value - median))


def _ends(scaled: Sequence[float]) -> list[int]:
    try:
        import numpy as np
        import ruptures
    except ImportError:
        raise UsageError(
            "change points need the package ruptures, which is not installed: pip install 'benchsuite[report]'."
        ) from None
    series = np.asarray(scaled)[:, None]
    search = ruptures.KernelCPD(kernel="linear", min_size=SHORTEST, jump=1).fit(series)
    return [int(end) for end in search.predict(pen=_PENALTY * math.log(len(scaled)))]
