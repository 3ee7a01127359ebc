"""Stored timing is judged by the spread between sessions, and only where that is known."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scipy import stats

from benchsuite.compare.entries import Entry, Timing, entry_of
from benchsuite.compare.findings import Finding
from benchsuite.compare.sessions import CONFIDENCE, judge_timing, prediction_interval
from benchsuite.machine.facts import Machine
from benchsuite.runs.records import Record
from benchsuite.terms.absence import NOT_SELECTED, Absent
from benchsuite.testing import make_latency, make_machine, make_record

MEDIANS = (39.0, 40.0, 40.5, 41.0, 39.5, 40.2)


def _entry(medians: tuple[float, ...] = MEDIANS, **changes: object) -> Entry:
    entry = entry_of(make_record(), "run")
    one = entry.timing[0]
    timing: tuple[Timing, ...] = tuple(replace(one, total_p50_ms=median, **changes) for median in medians)
    return replace(entry, timing=timing)


def _judge(entry: Entry, record: Record, machine: Machine | None = None) -> Finding:
    (finding,) = judge_timing(entry, record, make_machine(), machine or make_machine())
    return finding


def _timed(total_ms: float) -> Record:
    return make_record(total_ms=total_ms)


def test_interval_is_the_one_of_the_textbook() -> None:
    """For 1, 2, 3, 4, 5 it is 3 ± t(0.95, 4) · 1.5811 · √1.2 = 3 ± 2.1318 · 1.7321."""
    low, high = prediction_interval([1, 2, 3, 4, 5], 0.95)
    assert low == pytest.approx(3 - 2.131847 * 1.732051, abs=1e-5)
    assert high == pytest.approx(3 + 2.131847 * 1.732051, abs=1e-5)


def test_interval_holds_what_it_promises() -> None:
    """Of many samples of five, one more value exceeds the upper bound in 1 of 100."""
    generator = stats.norm(loc=3.7, scale=0.1)
    draws = generator.rvs(size=(4000, 6), random_state=7)
    outside = sum(row[5] > prediction_interval([float(value) for value in row[:5]], CONFIDENCE)[1] for row in draws)
    assert stats.binomtest(outside, 4000, 1 - CONFIDENCE).pvalue > 0.001


@pytest.mark.parametrize(("total_ms", "verdict"), [(40.3, "PASS"), (60.0, "REGRESSED"), (25.0, "IMPROVED")])
def test_verdict_follows_the_spread(total_ms: float, verdict: str) -> None:
    """Inside the interval passes, beyond it is slower or faster, and none of it fails the run."""
    finding = _judge(_entry(), _timed(total_ms))
    assert finding.verdict == verdict
    assert finding.fails is False
    assert "6 sessions" in finding.sentence


def test_wider_spread_allows_more() -> None:
    """The same slowdown is a warning after steady sessions and none after restless ones."""
    assert _judge(_entry((40.0, 40.1, 39.9, 40.0, 40.05)), _timed(44)).verdict == "REGRESSED"
    assert _judge(_entry((36.0, 44.0, 40.0, 38.0, 43.0)), _timed(44)).verdict == "PASS"


def test_too_few_sessions_say_how_many_more() -> None:
    """With three of five sessions there is no verdict, and two more are asked for."""
    finding = _judge(_entry(MEDIANS[:3]), _timed(80))
    assert finding.verdict == "INCONCLUSIVE"
    assert "3 of the 5 sessions" in finding.sentence
    assert "promote 2 more" in finding.sentence


def test_sessions_of_another_setup_do_not_count() -> None:
    """Only the newest series of one artifact, runtime and policy is looked at."""
    entry = _entry()
    old = tuple(replace(timing, setup="00000000", total_p50_ms=500.0) for timing in entry.timing)
    assert _judge(replace(entry, timing=(*old, *entry.timing)), _timed(60)).verdict == "REGRESSED"
    assert "3 of the 5" in _judge(replace(entry, timing=(*old, *entry.timing[:3])), _timed(60)).sentence


def test_another_machine_is_not_compared_and_the_differences_are_listed() -> None:
    """Under another fingerprint there is no verdict on timing, and the reason names what differs."""
    finding = _judge(_entry(), _timed(80), make_machine(usable_cores=4, governor="powersave"))
    assert finding.verdict == "NOT_COMPARABLE"
    assert "usable_cores: 2 -> 4" in finding.sentence
    assert "governor: performance -> powersave" in finding.sentence
    assert finding.fails is False


def test_another_policy_is_not_compared() -> None:
    """Threads that spin are not compared with threads that do not."""
    record = _timed(80)
    record = replace(record, validity=replace(record.validity, policy={"threads": "2", "spin": "false"}))
    finding = _judge(_entry(), record)
    assert finding.verdict == "NOT_COMPARABLE"
    assert "spin true, threads 2 then, spin false, threads 2 now" in finding.sentence


def test_another_effort_is_compared_and_said() -> None:
    """A quick run is compared with standard sessions, and the sentence says so."""
    finding = _judge(_entry(), replace(_timed(60), effort="quick"))
    assert finding.verdict == "REGRESSED"
    assert "effort quick, the sessions with standard" in finding.sentence


def test_latency_that_nobody_asked_for_is_no_finding() -> None:
    """Not selecting latency is no finding; selecting it and not having it fails."""
    record = make_record()
    silent = replace(record, metrics=replace(record.metrics, latency=NOT_SELECTED))
    assert judge_timing(_entry(), silent, make_machine(), make_machine()) == ()
    lost = replace(record, metrics=replace(record.metrics, latency=Absent("the clock stood still")))
    finding = _judge(_entry(), lost)
    assert (finding.verdict, finding.fails, finding.sentence) == ("MISSING", True, "the clock stood still")


def test_case_without_promoted_timing_is_no_finding() -> None:
    """A baseline that was only built has nothing to compare a latency with."""
    entry = replace(_entry(), timing=())
    record = replace(make_record(), metrics=replace(make_record().metrics, latency=make_latency(10)))
    assert judge_timing(entry, record, make_machine(), make_machine()) == ()
