"""Draw thousands of synthetic timings by turns and print how often their intervals hold the truth.

`python tests/speed/turns_synthetic.py 2000 [effort]` draws 2,000 timings of rows that are alike for each effort, number
of rows and noise, and as many in which the first row takes 10 % longer. A line has: how often 95 % intervals of ratios
hold the truth and their median half width; how often those of a row's own time do; in how many timings of rows that are
alike any was proved faster than another (a false winner); and how often the slower row was proved slower than another.
"""

from __future__ import annotations

import math
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchsuite.measure.effort import EFFORTS
from benchsuite.measure.ranking import Ranking
from benchsuite.measure.timing import CaseTiming, timings
from benchsuite.measure.turns import Turns
from benchsuite.terms.absence import Absent
from tests.support.rounds import BASE_NS, ROUND_NOISES, RoundNoise, synthetic_turns

SLOWER = 1.1


@dataclass(frozen=True)
class Rates:
    """Shares of what was tried; `half_width` is that of the median 95 % interval of a ratio."""

    ratios_held: float
    half_width: float
    times_held: float
    false_winners: float
    proved_slower: float


def tried(rows: int, turns: Turns, noise: RoundNoise, draws: int, seed: int = 0) -> Rates:
    """Draw timings of rows that are alike, and as many of which the first is slower."""
    held, halves, times_held, proved = [], [], [], []
    false_winners = 0
    for number in range(draws):
        for slower in (1.0, SLOWER):
            ratios = [slower, *([1.0] * (rows - 1))]
            told = timings("synthetic", synthetic_turns(ratios, turns, noise, seed + number), turns, (), 0)
            ranking = Ranking({name: it.together.launches for name, it in told.items()})
            for one, other in combinations(told, 2):
                found = ranking.ratio(one, to=other)
                held.append(found.low <= ratios[int(one)] / ratios[int(other)] <= found.high)
                halves.append(math.log(found.high / found.low) / 2)
            times_held += _times_held(told, noise, slower)
            if slower == 1:
                pairs = permutations(told, 2)
                false_winners += any(ranking.proved_faster(one, other) for one, other in pairs)
            else:
                proved += [ranking.proved_faster(other, "0") for other in told if other != "0"]
    return Rates(
        statistics.fmean(held),
        statistics.median(halves),
        statistics.fmean(times_held) if times_held else math.nan,
        false_winners / draws,
        statistics.fmean(proved),
    )


def _times_held(told: Mapping[str, CaseTiming], noise: RoundNoise, slower: float) -> Sequence[bool]:
    """Say of each row's own time whether its interval holds the truth, where drift and bursts leave one to be known."""
    if noise.session or noise.drift or noise.correlated or noise.slow_launches or noise.spikes or noise.bursts:
        return []
    held = []
    for name, it in told.items():
        interval = it.phases["total"].p50_ci95
        assert not isinstance(interval, Absent)
        held.append(interval[0] <= BASE_NS * (slower if name == "0" else 1) <= interval[1])
    return held


def main() -> None:
    """Print a line for each effort, number of rows and noise."""
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    chosen = sys.argv[2:] or list(EFFORTS)
    for effort in (EFFORTS[name] for name in chosen):
        turns = Turns(effort.launches, effort.rounds)
        for rows in (2, 3, 7, 13):
            for name, noise in ROUND_NOISES.items():
                it = tried(rows, turns, noise, draws)
                print(
                    f"{effort.name:9}{rows:3} rows  {name:16}"
                    f"  ratios held {it.ratios_held:6.1%} (±{it.half_width:5.1%})"
                    f"  times held {it.times_held:6.1%}  false winners {it.false_winners:6.2%}"
                    f"  10 % proved {it.proved_slower:6.1%}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
