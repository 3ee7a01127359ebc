"""Two runs side by side, for a terminal of 80 columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from benchsuite.compare.baselines import Baseline
from benchsuite.compare.comparison import compare_runs
from benchsuite.compare.findings import Finding
from benchsuite.compare.inputs import run_differences
from benchsuite.report.history import names_of
from benchsuite.report.terminal import wrap
from benchsuite.runs.folder import Run

_CAVEAT = (
    "Timings of two runs are not paired: a machine drifts by more than small changes between them, so a ratio is no "
    "verdict on speed."
)


def comparison_lines(before: Run, after: Run) -> list[str]:
    """Return what differs between two runs, case by case, with the ratio of each median latency."""
    by_case: dict[str, list[Finding]] = {}
    for finding in compare_runs(before, after):
        by_case.setdefault(finding.case_id, []).append(finding)
    lines = [" -> ".join(names_of([before.folder, after.folder]))]
    changes = run_differences(before, after)
    compared = any(finding.metric != "case" for findings in by_case.values() for finding in findings)
    for change in changes or (["nothing that is recorded differs"] if compared else []):
        lines += _wrap(change, "  ")
    for case_id, findings in by_case.items():
        equal = sum(finding.verdict == "PASS" for finding in findings)
        lines += ["", case_id]
        for finding in findings:
            lines += _finding(finding)
        lines += [f"  {equal} figures are equal"] if equal else []
    if not by_case:
        lines += ["No case was measured in either run."]
    return [*lines, "", *_wrap(_CAVEAT, "")]


def _finding(finding: Finding) -> Iterable[str]:
    if finding.verdict == "PASS":
        return []
    values = f"{finding.baseline} -> {finding.current}"
    if finding.metric == "latency" and finding.verdict == "INCONCLUSIVE":
        return _wrap(f"{finding.title}: {values}, {finding.sentence}", "  ")
    if finding.verdict in ("NOT_COMPARABLE", "MISSING"):
        return _wrap(f"{finding.verdict} {finding.title}: {values}. {finding.sentence}", "  ")
    return _wrap(f"{finding.verdict} {finding.title}: {values}", "  ")


def _wrap(text: str, indent: str) -> list[str]:
    return wrap(text, indent, indent + "  ", hyphens=False, long_words=False)


def held_lines(baseline: Baseline, selected: Sequence[str], findings: Sequence[Finding]) -> list[str]:
    """Say how the comparisons of the selected cases with a baseline ended, and why some have no verdict."""
    compared = [it for it in findings if it.verdict != "OVER_LIMIT"]
    undecided = [it for it in compared if not it.fails and it.verdict in ("INCONCLUSIVE", "NOT_COMPARABLE")]
    slower = sum(it.verdict == "REGRESSED" and not it.fails for it in compared)
    counts = (
        (sum(it.verdict == "PASS" for it in compared), "passed"),
        (sum(it.verdict == "IMPROVED" for it in compared), "improved"),
        (sum(it.fails for it in compared), "failed"),
        (slower, "slower by stored timing, which only warns"),
        (len(undecided), "without a verdict"),
    )
    told = ", ".join(f"{count} {what}" for count, what in counts if count) or "nothing was compared"
    reasons = [reason.rstrip(".") for reason, _ in Counter(it.sentence for it in undecided).most_common()]
    if reasons:
        told += f" ({reasons[0]}{'; the page has other reasons too' if reasons[1:] else ''})"
    known = {entry.case.id for model in baseline.models.values() for entry in model.entries.values()}
    others = len(known) - sum(bool(baseline.entries(case_id)) for case_id in selected)
    if others > 0:
        told += f"; {others} of its cases {'were' if others > 1 else 'was'} not selected"
    return wrap(f"Baseline {baseline.folder}: {told}.", hyphens=False, long_words=False)
