"""The first line of a report: failures first, then what is open, and never a pass that nobody earned."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchsuite.compare.findings import Finding, Verdict
from benchsuite.report.headline import Unmeasured, headline
from benchsuite.testing import make_case, make_record, make_run

RUN = make_run([make_record(), make_record(make_case(backend="trt"), "skipped")])
SKIPPED = Unmeasured("case", "skipped", "no GPU")


def _finding(verdict: Verdict, fails: bool = False) -> Finding:
    return Finding("case", "latency", verdict, "", "", "", "why", fails)


@pytest.mark.parametrize(
    ("findings", "word", "tone"),
    [
        ([_finding("PASS"), _finding("REGRESSED", True)], "FAILED", "bad"),
        ([_finding("PASS"), _finding("OVER_LIMIT", True)], "FAILED", "bad"),
        ([_finding("MISSING", True)], "FAILED", "bad"),
        ([_finding("PASS"), _finding("REGRESSED")], "PASSED WITH WARNINGS", "warn"),
        ([_finding("PASS"), _finding("INCONCLUSIVE")], "PASSED", "good"),
        ([_finding("IMPROVED")], "PASSED", "good"),
        ([_finding("NOT_COMPARABLE"), _finding("INCONCLUSIVE")], "NOT COMPARED", "none"),
        ([], "MEASURED", "none"),
    ],
)
def test_word_follows_the_findings(findings: list[Finding], word: str, tone: str) -> None:
    """What fails decides; without any comparison that passed there is no pass."""
    line = headline(RUN, findings, [SKIPPED])
    assert (line.word, line.tone) == (word, tone)
    assert "1 case measured, 1 skipped." in line.sentence


def test_a_run_that_only_built_measured_nothing() -> None:
    """Engines without a GPU are no measurement."""
    line = headline(make_run([make_record(outcome="built")]), [], [Unmeasured("case", "built", "no GPU")])
    assert (line.word, line.sentence) == ("BUILT, NOT MEASURED", "1 only built.")


def test_failed_case_fails_the_run_without_a_baseline() -> None:
    """A case that failed makes the headline red, whatever there is to compare with."""
    line = headline(RUN, [], [Unmeasured("case", "failed", "died")])
    assert line.word == "FAILED"
    assert line.sentence.startswith("1 case failed.")


def test_counts_are_listed() -> None:
    """Several failures are counted by kind."""
    findings = [_finding("REGRESSED", True)] * 2 + [_finding("OVER_LIMIT", True), _finding("MISSING", True)]
    assert headline(RUN, findings, []).sentence.startswith(
        "2 metrics regressed, 1 limit broken, 1 figure missing that must be there. "
    )


def test_what_improved_is_counted_beside_what_failed() -> None:
    """A metric that got better, and one without a verdict, are counted in a run that failed and in one that passed."""
    others = [_finding("IMPROVED"), _finding("INCONCLUSIVE")]
    assert headline(RUN, [_finding("REGRESSED", True), *others], []).sentence.startswith(
        "1 metric regressed, 1 metric improved, 1 comparison without a verdict. "
    )
    assert headline(RUN, others, []).sentence.startswith(
        "Nothing regressed, 1 metric improved, 1 comparison without a verdict. "
    )


@pytest.mark.parametrize(
    ("findings", "word", "counts"),
    [
        ([_finding("INCONCLUSIVE", True)], "FAILED", "1 comparison stayed undecided. "),
        ([_finding("NOT_COMPARABLE", True)] * 2, "FAILED", "2 comparisons could not be made. "),
        ([_finding("INCONCLUSIVE"), _finding("PASS")], "PASSED WITH WARNINGS", "1 comparison without a verdict. "),
        ([_finding("INCONCLUSIVE"), replace(_finding("PASS"), metric="params")], "NOT DECIDED", "1 comparison without"),
        ([_finding("PASS"), replace(_finding("NOT_COMPARABLE"), metric="kernels")], "PASSED", "Nothing regressed, 1"),
    ],
)
def test_gate_that_leaves_a_case_open_has_not_passed(findings: list[Finding], word: str, counts: str) -> None:
    """What fails for want of a verdict is counted; what stays open without failing is a warning, remarks are not."""
    line = headline(RUN, findings, [SKIPPED], gated=True)
    assert line.word == word
    assert line.sentence.startswith(counts)


def test_run_in_which_every_case_failed_had_cases() -> None:
    """Where nothing was measured because all failed, nobody says that no case was selected."""
    failed = [Unmeasured(f"case {number}", "failed", "died") for number in range(7)]
    run = make_run([make_record(outcome="failed")])
    assert headline(run, [], failed).sentence == "7 cases failed."
    assert headline(replace(run, state="interrupted"), [], failed).sentence == "7 cases failed. The run is interrupted."
    assert headline(replace(run, records=()), [], []).sentence == "No case was selected."


def test_interrupted_run_is_not_passed() -> None:
    """A run that did not finish is said to be so, even where all that was compared passed."""
    run = make_run([make_record()], state="interrupted")
    line = headline(run, [_finding("PASS")], [Unmeasured("other", "not reached", "ended")])
    assert (line.word, line.tone) == ("UNFINISHED", "warn")
    assert line.sentence == "1 case measured, 1 not reached; the run is interrupted."


def test_run_of_skipped_cases_measured_nothing() -> None:
    """A run in which every case was skipped is not a success."""
    run = make_run([make_record(outcome="skipped")])
    assert headline(run, [], [SKIPPED]).word == "NOTHING MEASURED"
