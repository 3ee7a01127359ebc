"""The first line of a report: what the run comes to, in a word and a sentence of counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from benchsuite.compare.findings import Finding
from benchsuite.runs.folder import Run

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


def headline(run: Run, findings: Sequence[Finding], unmeasured: Sequence[Unmeasured]) -> Headline:
    """Sum up a run: what fails comes first, then what could not be judged."""
    failing = Counter(finding.verdict for finding in findings if finding.fails)
    open_ = Counter(finding.verdict for finding in findings if not finding.fails)
    outcomes = Counter(row.outcome for row in unmeasured)
    bad = _listed(
        (failing["REGRESSED"], "metric regressed", "metrics regressed"),
        (failing["OVER_LIMIT"], "limit broken", "limits broken"),
        (failing["MISSING"], "figure missing that must be there", "figures missing that must be there"),
        (outcomes["failed"], "case failed", "cases failed"),
    )
    doubts = _listed(
        (open_["REGRESSED"], "timing slower than promoted sessions", "timings slower than promoted sessions"),
        (
            open_["INCONCLUSIVE"] + open_["NOT_COMPARABLE"],
            "comparison without a verdict",
            "comparisons without a verdict",
        ),
    )
    better = _listed((open_["IMPROVED"], "metric improved", "metrics improved"))
    facts = _facts(run, outcomes)
    if bad:
        return Headline("FAILED", "bad", f"{_joined(bad, better, doubts)}. {facts}")
    if not any(record.outcome in ("measured", "built") for record in run.records):
        return Headline("NOTHING MEASURED", "warn", facts)
    if not any(record.outcome == "measured" for record in run.records):
        return Headline("BUILT, NOT MEASURED", "none", facts)
    if run.state != "finished":
        return Headline("UNFINISHED", "warn", facts)
    if not findings:
        return Headline("MEASURED", "none", f"There was no baseline to compare with. {facts}")
    if open_["REGRESSED"]:
        return Headline("PASSED WITH WARNINGS", "warn", f"{_joined(better, doubts)}. {facts}")
    if not open_["PASS"] and not open_["IMPROVED"]:
        return Headline("NOT COMPARED", "none", f"{doubts}. {facts}")
    return Headline("PASSED", "good", f"{_joined('Nothing regressed', better, doubts)}. {facts}")


def _facts(run: Run, outcomes: Counter[str]) -> str:
    measured = sum(record.outcome == "measured" for record in run.records)
    facts = _listed(
        (measured, "case measured", "cases measured"),
        (outcomes["built"], "only built", "only built"),
        (outcomes["skipped"], "skipped", "skipped"),
        (outcomes["not reached"], "not reached", "not reached"),
    )
    return f"{facts or 'No case was selected'}{'' if run.state == 'finished' else f'; the run is {run.state}'}."


def _joined(*parts: str) -> str:
    return ", ".join(filter(None, parts))


def _listed(*counts: tuple[int, str, str]) -> str:
    return ", ".join(f"{number} {one if number == 1 else many}" for number, one, many in counts if number)
