"""What a gate says can be acted on, and its exit code follows from it."""

from __future__ import annotations

import datetime
import math
from dataclasses import replace

import pytest

from benchsuite.compare.findings import Finding
from benchsuite.gate.blocks import Stream
from benchsuite.gate.judging import Thresholds, judge_shift
from benchsuite.gate.loop import Outcome, Status
from benchsuite.gate.verdicts import Levels, exit_code, findings_of, strictly
from benchsuite.gate.waivers import Waiver
from benchsuite.options.settings import defaults
from benchsuite.testing import make_case

CASE = make_case().id
TESTS = {"latency": Thresholds(0.01, 0.05, 0.01 / 24)}
LEVELS = Levels({"A": 40e6, "B": 42e6}, {"A": 2e8, "B": 2e8})
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
    (finding,) = findings_of(status, TESTS, LEVELS, outcome_of(status, **fields), OPTIONS, waivers)
    return finding


def test_regressed_shows_both_times_the_change_and_its_interval() -> None:
    """A regression fails with what was typical of both arms and how sure its size is."""
    finding = finding_of(status_of([math.log(1.06)] * 15))
    assert (finding.verdict, finding.fails) == ("REGRESSED", True)
    assert (finding.baseline, finding.current) == ("40.0 ms", "42.0 ms (+6.0 %)")
    assert "more than 1 % worse: +6.0 to +6.0 % in 15 blocks" in finding.sentence


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
    assert strictly(finding).fails
    hopeless = finding_of(status_of([-0.1, 0.1] * 10))
    assert "quieter machine" in hopeless.sentence


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


def test_waiver_is_told_with_its_reason_and_when_it_is_not_needed() -> None:
    """A waived case says why it may be slow, and that it no longer is."""
    waiver = Waiver(CASE, "latency", 0.08, "the new head", datetime.date(2027, 1, 31))
    finding = finding_of(status_of([0.0] * 12), (waiver,))
    assert "Waived up to +8 % until 2027-01-31: the new head" in finding.sentence
    assert "not needed any more" in finding.sentence


@pytest.mark.parametrize(
    ("verdicts", "strict", "code"),
    [
        (["PASS", "IMPROVED"], False, 0),
        (["PASS", "REGRESSED"], False, 1),
        (["REGRESSED", "MISSING", "NOT_COMPARABLE"], False, 3),
        (["REGRESSED", "NOT_COMPARABLE"], False, 1),
        (["INCONCLUSIVE", "NOT_COMPARABLE"], True, 5),
        (["INCONCLUSIVE"], False, 0),
        (["INCONCLUSIVE"], True, 4),
        ([], False, 0),
    ],
)
def test_exit_codes_go_by_what_matters_most(verdicts: list[str], strict: bool, code: int) -> None:
    """Missing comes before regressed, regressed before not comparable, and doubt counts only where asked to."""
    findings = [
        Finding(CASE, "latency", verdict, "", "", "", "", fails=verdict in ("REGRESSED", "MISSING"))
        for verdict in verdicts
    ]
    assert exit_code(findings, strict) == code
