"""The summary of a run in Markdown, fit for a pull request: the verdict first, then a table."""

from __future__ import annotations

from collections.abc import Sequence

from benchsuite.findings import Finding
from benchsuite.report.gate_view import GateView
from benchsuite.report.markdown import escape, table_line
from benchsuite.report.recommendation import name_of
from benchsuite.report.table import ABSENT, Cell
from benchsuite.report.views import GroupView, PageView

_SIGNS = {"good": "✅", "warn": "⚠️", "bad": "❌", "none": "ℹ️"}
_COLUMNS = (
    ("p50 ms", "p50"), ("p95 ms", "p95"), ("img/s", "throughput"), ("peak MB", "memory"), ("file MB", "size"),
    ("mAP50-95", "map50_95"), ("parity %", "parity"), ("× torch fp32", "speedup"),
)  # fmt: skip
# A pull request is no place for pages of text: the report has the rest.
_LISTED = 20
_LISTED_TESTS = 60


def summary(view: PageView) -> str:
    """Return the summary; names and reasons are escaped, so that they cannot become markup or mention anybody."""
    run, headline = view.run, view.headline
    lines = [f"## {_SIGNS[headline.tone]} {headline.word}", "", escape(headline.sentence), ""]
    lines += _findings("What failed", view.failing)
    lines += _findings("What moved without failing", view.moved)
    if view.gate is not None:
        lines += _gate(view.gate)
    for group in view.groups:
        lines += _group(group)
    if view.unmeasured:
        lines += ["### Not measured", ""]
        lines += [f"- {escape(row.case_id)}: {row.outcome}: {escape(row.reason)}" for row in view.unmeasured[:_LISTED]]
        lines += _and_more(len(view.unmeasured))
    lines += _remarks(view)
    versions = ", ".join(f"{name} {version}" for name, version in sorted(run.machine.packages.items()))
    lines += [
        f"<sub>{escape(run.name)}, effort {escape(run.effort)}, {escape(run.machine.cpu)}, "
        f"{run.machine.usable_cores} cores, fingerprint {run.machine.fingerprint}; {escape(versions)}</sub>",
    ]
    return "\n".join(lines) + "\n"


def _group(group: GroupView) -> list[str]:
    lines = [f"### {escape(group.title)}", ""]
    recommendation = group.recommendation
    if recommendation.record is not None:
        lines.append(f"**Recommended: {escape(name_of(recommendation.record))}.** {escape(recommendation.reason)}")
    else:
        lines.append(escape(recommendation.reason))
    if recommendation.close:
        lines += ["", f"Not told apart from it (95 % intervals overlap): {escape('; '.join(recommendation.close))}."]
    if recommendation.faster_but:
        lines += ["", "Faster, and not chosen:", "", *(f"- {escape(text)}" for text in recommendation.faster_but)]
    lines += ["", table_line(["case", "ran", *(heading for heading, _ in _COLUMNS)])]
    lines.append("|" + "---|" * 2 + "--:|" * len(_COLUMNS))
    for row in group.rows:
        name = f"**{escape(row.name)}**" if row.recommended else escape(row.name)
        lines.append(table_line([name, escape(row.ran.text), *(_cell(row.cells[key]) for _, key in _COLUMNS)]))
    voids = dict.fromkeys(row.void for row in group.rows if row.void)
    return [*lines, "", *(f"- {escape(text)}" for text in voids), *([""] if voids else [])]


def _cell(cell: Cell) -> str:
    return f"~~{escape(cell.text)}~~ void" if cell.void else escape(cell.text)


def _findings(heading: str, findings: Sequence[Finding]) -> list[str]:
    if not findings:
        return []
    lines = [f"### {heading}", "", table_line(["case", "metric", "verdict", "baseline", "now", "allowed", "why"])]
    lines.append("|" + "---|" * 7)
    for it in findings[:_LISTED]:
        texts = (it.case_id, it.title, it.verdict, it.baseline or ABSENT, it.current, it.allowed or ABSENT, it.sentence)
        lines.append(table_line([escape(text) for text in texts]))
    return [*lines, *_and_more(len(findings))]


def _remarks(view: PageView) -> list[str]:
    remarks = [*view.remarks, *view.warnings]
    if not remarks:
        return []
    lines = ["<details><summary>Remarks</summary>", ""]
    for remark in remarks:
        what = ", ".join(part for part in (remark.verdict, remark.title) if part)
        lines.append(f"- {escape(what)}: {escape(remark.sentence)} ({len(remark.cases)} cases)")
    return [*lines, "", "</details>", ""]


def _gate(gate: GateView) -> list[str]:
    lines = [f"### Gate against {escape(gate.against)}", ""]
    lines += [table_line(["case", "metric", "verdict", "baseline", "candidate", "why"]), "|" + "---|" * 6]
    for it in gate.findings[:_LISTED_TESTS]:
        texts = (it.case_id, it.title, it.verdict, it.baseline or ABSENT, it.current, it.sentence)
        lines.append(table_line([escape(text) for text in texts]))
    if len(gate.findings) > _LISTED_TESTS:
        lines.append(f"- and {len(gate.findings) - _LISTED_TESTS} more, in the report")
    lines += ["", *(f"- {escape(text)}" for text in (*gate.facts, *gate.notes)), ""]
    for selftest in gate.selftests:
        lines += ["<details><summary>Self-test of the gate on this machine</summary>", ""]
        lines += [f"- {escape(line)}" for line in selftest.lines]
        lines += ["", "</details>", ""]
    return lines


def _and_more(number: int) -> list[str]:
    return [f"- and {number - _LISTED} more, in the report", ""] if number > _LISTED else [""]
