"""The gate's promise on synthetic streams: hardly ever a false alarm, hardly ever a missed slowdown."""

from __future__ import annotations

import random

import pytest

from benchsuite.gate.blocks import Stream
from benchsuite.gate.loop import Loop, Outcome
from benchsuite.gate.suite import plan_tests
from benchsuite.options.settings import defaults
from tests.support.streams import NOISES, SyntheticSource

CASES = ("one", "two", "three", "four")


def gate(noise: str, ratio: float, seed: int) -> Outcome:
    """Run one suite of four cases, all of the same ratio."""
    source = SyntheticSource(NOISES[noise], dict.fromkeys(CASES, ratio), seed)
    tests = plan_tests(CASES, defaults().gate)
    control = Stream(CASES[0], control=True)
    return Loop(tests, control, 180, source, random.Random(seed), clock=source.clock).run()


def decisions(outcome: Outcome) -> list[str]:
    """Return what was decided on each case's latency."""
    return [status.judgements[0].decision for status in outcome.statuses]


def alarms(outcome: Outcome) -> int:
    """Count what was called changed, of any metric."""
    return sum(
        judgement.decision in ("REGRESSED", "IMPROVED")
        for status in outcome.statuses
        for judgement in status.judgements
    )


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("ratio", [1.0, 1.01])
def test_no_false_alarm(noise: str, ratio: float) -> None:
    """Neither no change nor exactly the margin that never fails raises an alarm, under any kind of noise."""
    assert sum(alarms(gate(noise, ratio, seed)) for seed in range(6)) == 0


@pytest.mark.parametrize("noise", ["calm", "spikes", "drift", "autocorrelation"])
def test_five_percent_is_caught(noise: str) -> None:
    """A slowdown of five percent is called REGRESSED in at least 95 of 100 cases."""
    found = [decision for seed in range(6) for decision in decisions(gate(noise, 1.05, seed))]
    assert found.count("REGRESSED") >= 0.95 * len(found)


@pytest.mark.parametrize("noise", ["bimodal launches", "all at once"])
def test_five_percent_is_not_passed_under_heavy_noise(noise: str) -> None:
    """Where the noise is far larger than the slowdown it may stay undecided, but it does not pass."""
    found = [decision for seed in range(6) for decision in decisions(gate(noise, 1.05, seed))]
    assert found.count("PASS") <= 1


@pytest.mark.parametrize("noise", NOISES)
def test_ten_percent_is_caught(noise: str) -> None:
    """A slowdown of ten percent is found under any kind of noise."""
    found = [decision for seed in range(4) for decision in decisions(gate(noise, 1.10, seed))]
    assert found.count("REGRESSED") >= len(found) - 1


def test_improvement_is_found() -> None:
    """A case that became five percent faster is called IMPROVED, and no case is called worse."""
    found = [decision for seed in range(4) for decision in decisions(gate("calm", 0.95, seed))]
    assert found.count("IMPROVED") == len(found)


def test_no_change_is_cheap() -> None:
    """On a calm machine, a suite without a change is decided in twelve blocks a case."""
    outcome = gate("calm", 1.0, 0)
    assert [status.blocks for status in outcome.statuses] == [12] * len(CASES)
    assert decisions(outcome) == ["PASS"] * len(CASES)
