"""What a gate says can be acted on, and its exit code follows from it."""

from __future__ import annotations

import datetime
import math
from dataclasses import replace

import pytest

from benchsuite.compare.findings import Finding, Verdict
from benchsuite.gate.blocks import Stream
from benchsuite.gate.judging import Thresholds, judge_shift
from benchsuite.gate.loop import Outcome, Status
from benchsuite.gate.verdicts import BaselineLevel, exit_code, failing_too, findings_of
from benchsuite.gate.waivers import Waiver
from benchsuite.options.settings import defaults
from benchsuite.report.headline import headline
from benchsuite.testing import make_case, make_record, make_run

CASE = make_case().id
TESTS = {"latency": Thresholds(0.01, 0.05, 0.01 / 24)}
LEVEL = BaselineLevel(40e6, 2e8)
OPTIONS = defaults().gate


def status_of(ds: list[float], **fields: object) -> Status:
    """Build the status of one case whose latency has these blocks."""
    judgement = judge_shift("latency", ds, TESTS["latency"])
    return replace(Status(Stream(CASE), len(ds), (judgement,), judgement.done), **fields)


def outcome_of(status: Status, **fields: object) -> Outcome:
    """Build the outcome of a gate of one case."""
    return replace(Outcome((status,), (), False, None, 12, 60.0), **fields)


def finding_of(status: Status, waivers: tuple[Waiver, ...] = (), **fields: object) -> Finding:
    """Return the one finding of a status."""
    (finding,) = findings_of(status, TESTS, LEVEL, outcome_of(status, **fields), OPTIONS, waivers)
    return finding


def test_regressed_shows_one_estimate_its_interval_and_what_it_is() -> None:
    """A regression fails with the baseline's level and the change; the candidate's level would be a second estimate."""
    finding = finding_of(status_of([math.log(1.06)] * 14 + [math.log(1.09)]))
    assert (finding.verdict, finding.fails) == ("REGRESSED", True)
    assert (finding.baseline, finding.current) == ("40.0 ms", "+6.0 % (+6.0 to +6.0 %)")
    assert finding.sentence == (
        "Proved more than 1 % worse: +6.0 % by the median of 15 blocks, 95 % interval +6.0 to +6.0 %."
    )


def test_pass_says_what_is_excluded() -> None:
    """A pass is a proof and names the smallest slowdown that is excluded."""
    finding = finding_of(status_of([0.0] * 6 + [0.01] * 6))
    assert finding.verdict == "PASS"
    assert "Proved not 5 % worse" in finding.sentence
    assert "more than +1.0 % is excluded" in finding.sentence


def test_undecided_says_what_would_decide() -> None:
    """Without a proof there is a number of blocks or a reason why none would do; only strictness makes it fail."""
    status = status_of([0.0, 0.06, 0.0, 0.0] * 4)
    finding = finding_of(status)
    assert (finding.verdict, finding.fails) == ("INCONCLUSIVE", False)
    assert "more blocks would decide" in finding.sentence
    assert failing_too(finding, ("INCONCLUSIVE",)).fails
    assert not failing_too(finding, ("NOT_COMPARABLE",)).fails
    assert not failing_too(replace(finding, metric="kernels"), ("INCONCLUSIVE",)).fails
    hopeless = finding_of(status_of([-0.1, 0.1] * 10))
    assert "quieter machine" in hopeless.sentence


@pytest.mark.parametrize(
    ("ds", "stopped", "wanted"),
    [
        ([], "", "no block was measured; no slowdown is excluded; at least 12 more blocks are needed: give more"),
        ([0.03] * 3, "", "+3.0 % by the median of 3 blocks, too few for an interval; no slowdown is excluded; at"),
        ([0.03] * 3, "the gate was interrupted", "at least 9 more blocks are needed: the gate was interrupted."),
        ([0.0, 0.06, 0.0, 0.0] * 4, "8 blocks on end had to be thrown away: slept",
         "0.0 % by the median of 16 blocks, 95 % interval 0.0 to +6.2 %; the smallest slowdown excluded is +6.2 %; ab"),
        ([-0.1, 0.1] * 10, "the gate was interrupted", "would not decide at this noise: the gate was interrupted."),
    ],
)  # fmt: skip
def test_undecided_says_ratio_what_is_excluded_and_how_many_blocks_are_missing(
    ds: list[float], stopped: str, wanted: str
) -> None:
    """Whatever stopped it, and however few its blocks were, all three are told."""
    assert wanted in finding_of(status_of(ds, stopped=stopped)).sentence.replace("−", "-")


def test_failed_arm_is_missing_and_named() -> None:
    """A crash of the candidate is no timing but a missing case, with the reason."""
    finding = finding_of(status_of([0.0] * 6, failed_arm="B", stopped="worker died by signal 11", done=True))
    assert (finding.verdict, finding.fails) == ("MISSING", True)
    assert "candidate failed after 6 blocks: worker died by signal 11" in finding.sentence


def test_contaminated_control_vetoes_regressions_and_improvements() -> None:
    """Where one artifact differs from itself, nothing that was timed beside it counts."""
    finding = finding_of(status_of([math.log(1.06)] * 15), contaminated=True, control_ds=(0.03,) * 15)
    assert (finding.verdict, finding.fails) == ("INCONCLUSIVE", False)
    assert "differed from itself by +3.0 %" in finding.sentence
    assert "REGRESSED" in finding.sentence
    assert "+6.0 % by the median of 15 blocks" in finding.sentence


def test_waiver_is_told_with_its_reason_and_when_it_is_not_needed() -> None:
    """A waived case says why it may be slow, and that it no longer is."""
    waiver = Waiver(CASE, "latency", 0.08, "the new head", datetime.date(2027, 1, 31))
    finding = finding_of(status_of([0.0] * 12), (waiver,))
    assert "Waived up to +8 % until 2027-01-31: the new head" in finding.sentence
    assert "not needed any more" in finding.sentence


@pytest.mark.parametrize(
    ("verdicts", "failing", "code"),
    [
        (["PASS", "IMPROVED"], (), 0),
        (["PASS", "REGRESSED"], (), 1),
        (["REGRESSED", "MISSING", "NOT_COMPARABLE"], ("NOT_COMPARABLE",), 3),
        (["REGRESSED", "NOT_COMPARABLE"], ("NOT_COMPARABLE",), 1),
        (["INCONCLUSIVE", "NOT_COMPARABLE"], ("INCONCLUSIVE", "NOT_COMPARABLE"), 5),
        (["INCONCLUSIVE", "NOT_COMPARABLE"], (), 0),
        (["INCONCLUSIVE"], (), 0),
        (["INCONCLUSIVE"], ("INCONCLUSIVE",), 4),
        ([], (), 0),
    ],
)
def test_exit_code_and_headline_go_by_what_fails(verdicts: list[str], failing: tuple[Verdict, ...], code: int) -> None:
    """Missing comes before regressed, that before not comparable; the headline says FAILED where the code is not 0."""
    findings = [
        failing_too(
            Finding(CASE, "latency", verdict, "", "", "", "", fails=verdict in ("REGRESSED", "MISSING")), failing
        )
        for verdict in verdicts
    ]
    assert exit_code(findings) == code
    assert (headline(make_run([make_record()]), findings, (), gated=True).word == "FAILED") == (code != 0)
