"""On synthetic noise, intervals hold the truth about as often as they say, and rows that are alike are not told apart.

tests/speed/turns_synthetic.py draws thousands; these are few, with bounds that chance hardly ever passes.
"""

from __future__ import annotations

from itertools import combinations, permutations

import pytest

from benchsuite.measure.effort import EFFORTS
from benchsuite.measure.ranking import Ranking
from benchsuite.measure.timing import timings
from benchsuite.measure.turns import Turns
from tests.support.rounds import ROUND_NOISES, RoundNoise, synthetic_turns

DRAWS = 40


@pytest.mark.parametrize(
    ("effort", "noise"),
    [
        ("quick", "all at once"),
        ("quick", "another hour"),
        ("standard", "launches differ"),
        ("standard", "drift"),
        ("standard", "bursts"),
    ],
)
def test_intervals_hold_the_truth(effort: str, noise: str) -> None:
    """Of five rows, two of which are alike, 95 % intervals of the ratios hold, and no row is proved a false winner."""
    turns, ratios = Turns(EFFORTS[effort].launches, EFFORTS[effort].rounds), [1.0, 1.0, 1.1, 1.3, 0.8]
    held, false_winners, found = 0, 0, 0
    for seed in range(DRAWS):
        told = timings("synthetic", synthetic_turns(ratios, turns, ROUND_NOISES[noise], seed), turns, (), 0)
        ranking = Ranking({name: it.together.launches for name, it in told.items()})
        for one, other in combinations(told, 2):
            ratio = ranking.ratio(one, to=other)
            held += ratio.low <= ratios[int(one)] / ratios[int(other)] <= ratio.high
        false_winners += any(
            ranking.proved_faster(one, other) and ratios[int(one)] >= ratios[int(other)]
            for one, other in permutations(told, 2)
        )
        found += ranking.proved_faster("4", "3")
    assert held / (10 * DRAWS) > 0.91
    assert false_winners <= 3
    # A row that takes 1.6 times as long is told apart, however few launches there are.
    assert found / DRAWS > 0.5


def test_launches_that_are_ignored_would_hold_the_truth_too_rarely() -> None:
    """The same draws with one launch cut into six, as calls of one process would be read, miss far more often."""
    noise, turns = RoundNoise(launch=0.05), Turns(6, 4)
    held = 0
    for seed in range(DRAWS):
        taken = synthetic_turns([1.0, 1.1], Turns(1, 24), noise, seed)
        cut = {
            name: tuple(type(turn)(turn.case_id, 0, turn.round // 4, turn.round % 4, turn.turned) for turn in found)
            for name, found in taken.turns.items()
        }
        told = timings("synthetic", type(taken)(cut, {}, taken.parts, taken.warmups), turns, (), 0)
        ratio = Ranking({name: it.together.launches for name, it in told.items()}).ratio("1", to="0")
        held += ratio.low <= 1.1 <= ratio.high
    assert held / DRAWS < 0.7
