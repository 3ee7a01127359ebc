"""The loop stops at decisions, budgets, failures and Ctrl-C, and loses no block."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from benchsuite.gate.blocks import Block, Stream
from benchsuite.gate.judging import Judgement, Thresholds, judge_shift
from benchsuite.gate.loop import Loop, decided
from benchsuite.gate.pair import ArmError
from benchsuite.gate.suite import plan_tests
from benchsuite.options.settings import defaults, parse
from tests.support.streams import BLOCK_S, NOISES, SyntheticSource

CASES = ("one", "two")
CONTROL = Stream("one", control=True)


class SyntheticTrouble(SyntheticSource):
    """A synthetic source in which something happens at the n-th block of case two."""

    def __init__(self, at: int, trouble: BaseException | str, ratio: float = 1.0) -> None:
        super().__init__(NOISES["calm"], {"two": ratio}, 7)
        self._at, self._trouble, self._count = at, trouble, 0

    def take(self, subject: Stream, sweep: int, coins: random.Random) -> Block:
        """Make trouble or draw a block."""
        block = super().take(subject, sweep, coins)
        if subject.case_id == "two":
            self._count += 1
            if self._count >= self._at:
                if isinstance(self._trouble, BaseException):
                    raise self._trouble
                return replace(block, void=self._trouble)
        return block


def loop(source: SyntheticSource, kept: list[Block], budget_s: float = 180.0) -> Loop:
    """Build a loop over two cases and a control that keeps its blocks in a list."""
    tests = plan_tests(CASES, defaults().gate)
    return Loop(tests, CONTROL, budget_s, source, random.Random(3), kept.append, clock=source.clock)


def test_every_sweep_launches_each_case_once_and_the_control() -> None:
    """Without a change, twelve sweeps take one block of each case and of the control."""
    kept: list[Block] = []
    outcome = loop(SyntheticSource(NOISES["calm"], {}, 1), kept).run()
    assert outcome.sweeps == 12
    for sweep in range(1, 13):
        assert sorted(b.subject.case_id for b in kept if b.sweep == sweep) == ["one", "one", "two"]
    assert len(outcome.control_ds) == 12
    assert not outcome.contaminated


def test_arm_that_fails_in_block_seven_ends_its_case_only() -> None:
    """The failure names its arm and reason, six blocks stay, and the other case gets its verdict."""
    kept: list[Block] = []
    outcome = loop(SyntheticTrouble(7, ArmError("B", "it returned values that are not finite")), kept).run()
    one, two = outcome.statuses
    assert (two.failed_arm, two.stopped, two.blocks) == ("B", "it returned values that are not finite", 6)
    assert one.judgements[0].decision == "PASS"
    assert sum(block.subject == Stream("two") for block in kept) == 6


def test_a_case_that_shows_its_own_move_is_no_common_shift() -> None:
    """One case at twice the time is REGRESSED, and of the others, which stand still, nothing is warned of."""
    cases = ("one", "two", "three", "four")
    source = SyntheticSource(NOISES["calm"], {"two": 2.0}, 1)
    outcome = Loop(plan_tests(cases, defaults().gate), None, 180.0, source, random.Random(3), clock=source.clock).run()
    assert outcome.statuses[1].judgements[0].decision == "REGRESSED"
    assert outcome.shift is not None
    assert (outcome.shift.cases, outcome.shift.found) == (3, False)


def test_interrupt_keeps_what_was_measured() -> None:
    """Ctrl-C ends the loop with the blocks so far and says so."""
    kept: list[Block] = []
    outcome = loop(SyntheticTrouble(5, KeyboardInterrupt()), kept).run()
    assert outcome.interrupted
    assert outcome.statuses[1].blocks == 4
    assert outcome.statuses[1].judgements[0].decision == "INCONCLUSIVE"
    assert outcome.statuses[1].stopped == "the gate was interrupted"


def test_blocks_of_a_sleeping_machine_do_not_count() -> None:
    """A void block is kept and not judged; eight on end stop the case with the reason."""
    kept: list[Block] = []
    outcome = loop(SyntheticTrouble(3, "the machine slept for 60.0 s"), kept).run()
    two = outcome.statuses[1]
    assert two.blocks == 2
    assert two.void == 8
    assert "the machine slept for 60.0 s" in two.stopped
    assert sum(bool(block.void) for block in kept) == 8


def test_a_void_block_between_good_ones_stops_nothing() -> None:
    """Every other block of a case is void: it goes on, past eight of them, until it is decided."""

    class Flickering(SyntheticTrouble):
        def take(self, subject: Stream, sweep: int, coins: random.Random) -> Block:
            """Void every second block of case two."""
            block = super().take(subject, sweep, coins)
            return replace(block, void="") if self._count % 2 else block

    kept: list[Block] = []
    two = loop(Flickering(1, "other virtual machines took the CPU"), kept).run().statuses[1]
    assert two.judgements[0].decision == "PASS"
    assert two.void >= 9
    assert two.stopped == ""


def test_budget_is_pooled_over_the_cases() -> None:
    """Two cases at ten seconds each stop after twenty, whatever is undecided."""
    kept: list[Block] = []
    outcome = loop(SyntheticSource(NOISES["calm"], {}, 1), kept, 10.0).run()
    assert outcome.elapsed_s == pytest.approx(20, abs=BLOCK_S)
    assert {status.judgements[0].decision for status in outcome.statuses} == {"INCONCLUSIVE"}


def test_undecided_case_gets_the_time_that_decided_ones_leave() -> None:
    """A case that needs longer goes on alone after the other one has passed."""
    kept: list[Block] = []
    outcome = loop(SyntheticSource(NOISES["calm"], {"two": 1.1}, 1), kept).run()
    one, two = outcome.statuses
    assert two.judgements[0].decision == "REGRESSED"
    assert two.blocks > one.blocks == 12


def test_each_test_gets_its_share_of_alpha() -> None:
    """Two cases of latency and memory in two directions and two tails make twelve tests."""
    tests = plan_tests(CASES, defaults().gate)
    assert all(it.alpha == pytest.approx(0.01 / 12) for metrics in tests.values() for it in metrics.values())


def test_throughput_is_a_subject_of_its_own() -> None:
    """Throughput is measured in its own saturated blocks, beside those of latency."""
    tests = plan_tests(CASES, parse({"gate_metrics": "latency,throughput"}).gate)
    assert [subject.metric for subject in tests] == ["latency", "throughput"] * 2
    assert list(tests[Stream("one", "throughput")]) == ["throughput"]


def test_waiver_moves_ceiling_and_margin_of_its_case() -> None:
    """A ceiling of 8 % is what must be proved, and what fails moves up with it."""
    tests = plan_tests(CASES, defaults().gate, {("two", "latency"): 0.08})
    assert tests[Stream("two")]["latency"].promise == 0.08
    assert tests[Stream("two")]["latency"].null_margin == pytest.approx(1.08 / 1.05 * 1.01 - 1)
    assert tests[Stream("one")]["latency"].promise == 0.05


def test_memory_that_regressed_does_not_end_the_latency() -> None:
    """A case goes on until its latency is decided too, and stops then without waiting for a doubtful tail."""
    thresholds = Thresholds(0.01, 0.05, 0.01 / 12)
    ds = [0.0, 0.0, 0.0, 0.06] * 4
    memory, latency = judge_shift("memory", [0.1] * 16, thresholds), judge_shift("latency", ds, thresholds)
    tail = Judgement("p95", "INCONCLUSIVE", False, 10, log_e_worse=5.0)
    assert memory.decision == "REGRESSED"
    assert not decided([latency, memory])
    passed = judge_shift("latency", [0.0] * 16, thresholds)
    assert decided([passed, memory, tail])
    assert not decided([passed, tail])
