"""The first line of a report: what the run comes to, in a word and a sentence of counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from benchsuite.compare.findings import Finding
from benchsuite.gate.verdicts import DECIDING
from benchsuite.runs.folder import Run
from benchsuite.terms.said import counted, joined, said

Tone = Literal["good", "warn", "bad", "none"]


@dataclass(frozen=True)
class Unmeasured:
    """A selected case without figures: failed, not reached, built or skipped, and why."""

    case_id: str
    outcome: str
    reason: str


@dataclass(frozen=True)
class Headline:
    """The verdict's word, how it is to be taken, and the counts behind it."""

    word: str
    tone: Tone
    sentence: str


def headline(run: Run, findings: Sequence[Finding], unmeasured: Sequence[Unmeasured], gated: bool = False) -> Headline:
    """Sum up a run: what fails comes first, then what could not be judged.

    Where a run was gated, a case that stayed open is no pass.
    """
    failing = Counter(finding.verdict for finding in findings if finding.fails)
    open_ = Counter(finding.verdict for finding in findings if not finding.fails)
    outcomes = Counter(row.outcome for row in unmeasured)
    bad = _listed(
        _some(failing["REGRESSED"], "1 metric regressed", "{1} metrics regressed"),
        _some(failing["OVER_LIMIT"], "1 limit broken", "{1} limits broken"),
        _some(failing["MISSING"], "1 figure missing that must be there", "{1} figures missing that must be there"),
        _some(failing["NOT_COMPARABLE"], "1 comparison could not be made", "{1} comparisons could not be made"),
        _some(failing["INCONCLUSIVE"], "1 comparison stayed undecided", "{1} comparisons stayed undecided"),
        _some(outcomes["failed"], "1 case failed", "{1} cases failed"),
    )
    doubts = _listed(
        _some(
            open_["REGRESSED"], "1 timing slower than promoted sessions", "{1} timings slower than promoted sessions"
        ),
        _some(
            open_["INCONCLUSIVE"] + open_["NOT_COMPARABLE"],
            "1 comparison without a verdict",
            "{1} comparisons without a verdict",
        ),
    )
    better = _listed(_some(open_["IMPROVED"], "1 metric improved", "{1} metrics improved"))
    facts = _facts(run, outcomes)
    if bad:
        return Headline("FAILED", "bad", _sentences(_listed(bad, better, doubts), facts))
    if not any(record.outcome in ("measured", "built") for record in run.records):
        return Headline("NOTHING MEASURED", "warn", facts)
    if not any(record.outcome == "measured" for record in run.records):
        return Headline("BUILT, NOT MEASURED", "none", facts)
    if run.state != "finished":
        return Headline("UNFINISHED", "warn", facts)
    if not findings:
        return Headline("MEASURED", "none", _sentences(said("There was no baseline to compare with"), facts))
    of_cases = {finding.verdict for finding in findings if gated and finding.metric in DECIDING}
    undecided = of_cases & {"INCONCLUSIVE", "NOT_COMPARABLE"}
    if undecided and not of_cases & {"PASS", "IMPROVED"}:
        return Headline("NOT DECIDED", "warn", _sentences(_listed(better, doubts), facts))
    if open_["REGRESSED"] or undecided:
        return Headline("PASSED WITH WARNINGS", "warn", _sentences(_listed(better, doubts), facts))
    if not open_["PASS"] and not open_["IMPROVED"]:
        return Headline("NOT COMPARED", "none", _sentences(doubts, facts))
    return Headline("PASSED", "good", _sentences(_listed(said("Nothing regressed"), better, doubts), facts))


def _facts(run: Run, outcomes: Counter[str]) -> str:
    measured = sum(record.outcome == "measured" for record in run.records)
    facts = _listed(
        _some(measured, "1 case measured", "{1} cases measured"),
        _some(outcomes["built"], "1 only built", "{1} only built"),
        _some(outcomes["skipped"], "1 skipped", "{1} skipped"),
        _some(outcomes["not reached"], "1 not reached", "{1} not reached"),
    )
    if not facts and not outcomes["failed"]:
        facts = said("No case was selected")
    if run.state != "finished":
        running = run.state == "running"
        if not facts:
            return said("The run is running." if running else "The run is interrupted.")
        facts = joined("; ", (facts, said("the run is running" if running else "the run is interrupted")))
    return said("{1}.", facts) if facts else ""


def _some(number: int, one: str, many: str) -> str:
    return counted(number, one, many) if number else ""


def _sentences(first: str, facts: str) -> str:
    return said("{1}. {2}", first, facts) if facts else said("{1}.", first)


def _listed(*parts: str) -> str:
    """Join what there is; nothing of which there is none."""
    return joined(", ", (part for part in parts if part))
