"""Verdicts follow from blocks by fixed rules, and a first proof is not overruled."""

from __future__ import annotations

import math
import random

import pytest

from benchsuite.gate.blocks import Block
from benchsuite.gate.judging import Thresholds, contaminated, judge_shift, judge_tail
from tests.support.gates import make_block

TEST = Thresholds(null_margin=0.01, promise=0.05, alpha=0.01 / 24)
TAIL = Thresholds(null_margin=0.05, promise=0.25, alpha=0.01 / 24)


def shift(ratio: float, blocks: int) -> list[float]:
    """Return blocks that all show the same ratio."""
    return [math.log(ratio)] * blocks


def test_nothing_is_decided_before_twelve_blocks() -> None:
    """Eleven blocks of one kind decide nothing, the twelfth proves that nothing got slower."""
    assert judge_shift("latency", shift(1.0, 11), TEST).decision == "INCONCLUSIVE"
    judgement = judge_shift("latency", shift(1.0, 12), TEST)
    assert (judgement.decision, judgement.done, judgement.more_blocks) == ("PASS", True, 0)


def test_slower_than_promised_is_regressed_in_fifteen_blocks() -> None:
    """Steady blocks of +6 % fire at the fifteenth, for 24 tests at one percent."""
    assert judge_shift("latency", shift(1.06, 14), TEST).decision == "INCONCLUSIVE"
    assert judge_shift("latency", shift(1.06, 15), TEST).decision == "REGRESSED"


def test_slowdown_within_the_promise_passes_and_says_how_large_it_is() -> None:
    """+3 % is proved smaller than 5 % before it is proved larger than 1 %."""
    judgement = judge_shift("latency", shift(1.03, 40), TEST)
    assert judgement.decision == "PASS"
    assert judgement.ratio is not None
    assert round(judgement.ratio, 3) == 1.03


def test_improvement_is_waited_for_where_blocks_point_to_it() -> None:
    """Twelve faster blocks pass and go on; the fifteenth proves an improvement."""
    early = judge_shift("latency", shift(0.95, 12), TEST)
    assert (early.decision, early.done) == ("PASS", False)
    assert judge_shift("latency", shift(0.95, 15), TEST).decision == "IMPROVED"


def test_first_proof_stands() -> None:
    """Blocks after a proof of REGRESSED do not take it back."""
    assert judge_shift("latency", shift(1.06, 15) + shift(1.0, 200), TEST).decision == "REGRESSED"


@pytest.mark.parametrize("ratios", [[1.0, 1.08], [1.08], []])
def test_few_blocks_lack_at_least_those_that_no_verdict_can_do_without(ratios: list[float]) -> None:
    """However clear or unclear the first blocks are, twelve are needed."""
    judgement = judge_shift("latency", [math.log(ratio) for ratio in ratios], TEST)
    assert judgement.more_blocks == 12 - len(ratios)


def test_pass_keeps_what_it_excluded() -> None:
    """Where blocks after a proof of PASS are slower, as while another test goes on, the proof is shown as it was."""
    judgement = judge_shift("latency", shift(1.01, 12) + shift(1.2, 30), TEST)
    assert judgement.decision == "PASS"
    assert judgement.excluded == pytest.approx(1.01)


def test_undecided_names_what_is_excluded_and_how_many_blocks_are_missing() -> None:
    """Blocks on both sides of the promise leave it open and say what more would take."""
    ds = [math.log(1.0), math.log(1.02), math.log(1.0), math.log(1.08)] * 4
    judgement = judge_shift("latency", ds, TEST)
    assert judgement.decision == "INCONCLUSIVE"
    assert judgement.more_blocks is not None
    assert judgement.more_blocks > 0
    assert judgement.excluded is not None
    assert judgement.excluded > 1.05


def tail_blocks(number: int, slow_calls: float, seed: int = 0) -> list[Block]:
    """Return blocks whose candidate has slow calls, twice as long, beside equal medians."""
    draws = random.Random(seed)

    def call(arm: str) -> int:
        slow = draws.random() < (slow_calls if arm == "B" else 0.02)
        return int(1_000_000 * (2 if slow else draws.gauss(1, 0.02)))

    blocks = []
    for _ in range(number):
        order = draws.choice(("ABBA", "BAAB"))
        blocks.append(make_block(order, tuple(tuple(call(arm) for _ in range(20)) for arm in order)))
    return blocks


def test_longer_tail_is_found_behind_an_equal_median() -> None:
    """One slow call in ten where there was one in fifty makes p95 REGRESSED; the median passes."""
    blocks = tail_blocks(60, 0.15)
    assert judge_tail("p95", blocks, TAIL).decision == "REGRESSED"
    assert judge_shift("latency", [block.d for block in blocks], TEST).decision == "PASS"


def test_first_proof_of_a_tail_stands() -> None:
    """A tail that was proved to be no longer is not called worse by what comes later, and the other way round."""
    equal, longer = tail_blocks(200, 0.02), tail_blocks(400, 0.3, 1)
    assert judge_tail("p95", equal, TAIL).decision == "PASS"
    assert judge_tail("p95", longer, TAIL).decision == "REGRESSED"
    assert judge_tail("p95", equal + longer, TAIL).decision == "PASS"
    assert judge_tail("p95", longer + equal * 5, TAIL).decision == "REGRESSED"


def test_undecided_tail_says_how_many_blocks_are_missing() -> None:
    """A tail that looks longer counts the blocks that would prove it, those without a sign too."""
    judgement = judge_tail("p95", tail_blocks(14, 0.15), TAIL)
    assert judgement.decision == "INCONCLUSIVE"
    assert judgement.more_blocks
    assert judge_tail("p95", tail_blocks(14 + 4 * judgement.more_blocks, 0.15), TAIL).decision == "REGRESSED"


def test_equal_tails_raise_no_alarm() -> None:
    """Over 60 streams of 60 blocks, tails of one kind are never called worse."""
    for seed in range(60):
        blocks = tail_blocks(60, 0.02, seed)
        for metric in ("p95", "p99"):
            assert judge_tail(metric, blocks, TAIL).decision != "REGRESSED"


def test_tail_needs_enough_samples() -> None:
    """Before 72 calls of the baseline there is no p95 to exceed."""
    assert judge_tail("p95", tail_blocks(1, 0.5), TAIL).n == 0


def test_control_vetoes_only_beyond_its_margin() -> None:
    """A control that differs by two percent in every block is contaminated, one that scatters is not."""
    assert contaminated(shift(1.02, 12))
    assert not contaminated(shift(1.005, 40))
    assert not contaminated([math.log(1.1), math.log(0.9)] * 10)
    assert not contaminated([])
