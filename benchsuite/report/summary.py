"""The summary of a run in Markdown, fit for a pull request: the verdict first, then a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchsuite.compare.findings import Finding
from benchsuite.report.gate_view import GateView, SelfTestView
from benchsuite.report.markdown import escape, table_line
from benchsuite.report.models import ModelsView
from benchsuite.report.recommendation import name_of
from benchsuite.report.table import FASTEST, PLACE, SPEED_UP, Cell
from benchsuite.report.views import GroupView, PageView
from benchsuite.runs import figures
from benchsuite.terms.absence import DASH
from benchsuite.terms.language import ENGLISH, language
from benchsuite.terms.said import counted, joined

_SIGNS = {"good": "✅", "warn": "⚠️", "bad": "❌", "none": "ℹ️"}
# A pull request is no place for pages of text: the report has the rest.
_LISTED = 20
_LISTED_TESTS = 60


def summary(view: PageView, lang: str = ENGLISH) -> str:
    """Return the summary; names and reasons are escaped, so that they cannot become markup or mention anybody."""
    speech = language(lang)
    return _Summary(lambda text, *values: escape(speech.say(text, *values))).of(view)


class _Summary:
    """A summary whose texts are said, and escaped, by one function."""

    def __init__(self, told: Callable[..., str]) -> None:
        self._told = told

    def of(self, view: PageView) -> str:
        run, headline, told = view.run, view.headline, self._told
        lines = [f"## {_SIGNS[headline.tone]} {told(headline.word)}", "", told(headline.sentence), ""]
        lines += [told("{1}.", view.left_out), ""] if view.left_out else []
        lines += self._findings("What failed", view.failing)
        lines += self._findings("What moved without failing", view.moved)
        if view.gate is not None:
            lines += self._gate(view.gate)
        lines += self._selftests(view.selftests)
        for group in view.groups:
            lines += self._group(group)
        if view.models is not None:
            lines += self._models(view.models)
        if view.unmeasured:
            lines += [f"### {told('Not measured')}", ""]
            lines += [
                f"- {escape(row.case_id)}: {told(row.outcome)}: {told(row.reason)}" for row in view.unmeasured[:_LISTED]
            ]
            lines += self._and_more(len(view.unmeasured))
        lines += self._remarks(view)
        versions = ", ".join(f"{name} {version}" for name, version in sorted(run.machine.packages.items()))
        facts = (
            escape(run.name),
            told("effort {1}", run.effort),
            escape(run.machine.cpu),
            told("{1} cores", run.machine.usable_cores),
            f"{told('fingerprint')} {run.machine.fingerprint}",
        )
        return "\n".join([*lines, f"<sub>{', '.join(facts)}; {escape(versions)}</sub>"]) + "\n"

    def _group(self, group: GroupView) -> list[str]:
        told = self._told
        lines = [f"### {told(group.title)}", ""]
        recommendation = group.recommendation
        if recommendation.record is not None:
            chosen = told("Recommended: {1}.", name_of(recommendation.record))
            lines.append(f"**{chosen}** {told(recommendation.reason)}")
        else:
            lines.append(told(recommendation.reason))
        if recommendation.proof:
            lines += ["", told(recommendation.proof)]
        if group.noise:
            lines += ["", told("The machine while it timed: {1}.", joined("; ", group.noise))]
        if recommendation.faster_but:
            lines += ["", told("Faster, and not chosen:"), ""]
            lines += [f"- {told(text)}" for text in recommendation.faster_but]
        columns = {figure.key: figure.names.summary for figure in figures.FIGURES if figure.names.summary}
        columns |= {FASTEST: "× fastest", PLACE: "place", SPEED_UP: group.speed_up}
        lines += ["", self._headings(["case", "ran", *columns.values()])]
        lines.append("|" + "---|" * 2 + "--:|" * len(columns))
        for row in group.rows:
            name = f"**{escape(row.name)}**" if row.recommended else escape(row.name)
            lines.append(table_line([name, told(row.ran.text), *(self._cell(row.cells[key]) for key in columns)]))
        voids = dict.fromkeys(row.void for row in group.rows if row.void)
        return [*lines, "", *(f"- {told(text)}" for text in voids), *([""] if voids else [])]

    def _models(self, models: ModelsView) -> list[str]:
        lines = [f"### {self._told('Models side by side')}: {self._told(models.title)}", ""]
        for table in models.tables:
            lines += [self._headings(table.columns), "|---|" + "---|" * (len(table.columns) - 1)]
            lines += [table_line([escape(row[0]), *map(self._told, row[1:])]) for row in table.rows]
            lines += ["", self._told(table.about), ""]
        return lines

    def _cell(self, cell: Cell) -> str:
        return f"~~{escape(cell.text)}~~ {self._told('void')}" if cell.void else escape(cell.text)

    def _headings(self, texts: Sequence[str]) -> str:
        return table_line([self._told(text) for text in texts])

    def _findings(self, heading: str, findings: Sequence[Finding]) -> list[str]:
        if not findings:
            return []
        lines = [f"### {self._told(heading)}", ""]
        lines += [self._headings(["case", "metric", "verdict", "baseline", "now", "allowed", "why"]), "|" + "---|" * 7]
        for it in findings[:_LISTED]:
            values = (it.baseline or DASH, it.current, it.allowed or DASH)
            lines.append(self._row(it, values))
        return [*lines, *self._and_more(len(findings))]

    def _row(self, it: Finding, values: Sequence[str]) -> str:
        verdict = it.verdict.replace("_", " ")
        texts = (it.title, verdict, *values, it.sentence)
        return table_line([escape(it.case_id), *(self._told(text) for text in texts)])

    def _remarks(self, view: PageView) -> list[str]:
        remarks = [*view.remarks, *view.warnings]
        if not remarks:
            return []
        lines = [f"<details><summary>{self._told('Remarks')}</summary>", ""]
        for remark in remarks:
            what = ", ".join(self._told(part.replace("_", " ")) for part in (remark.verdict, remark.title) if part)
            cases = self._told(counted(len(remark.cases), "1 case", "{1} cases"))
            lines.append(f"- {what}: {self._told(remark.sentence)} ({cases})")
        return [*lines, "", "</details>", ""]

    def _gate(self, gate: GateView) -> list[str]:
        told = self._told
        lines = [f"### {told('Gate against {1}', gate.against)}", ""]
        lines += [self._headings(["case", "metric", "verdict", "baseline", "candidate", "why"]), "|" + "---|" * 6]
        for it in gate.findings[:_LISTED_TESTS]:
            lines.append(self._row(it, (it.baseline or DASH, it.current)))
        if len(gate.findings) > _LISTED_TESTS:
            lines.append(f"- {told('and {1} more, in the report', len(gate.findings) - _LISTED_TESTS)}")
        lines += ["", *(f"- {told(text)}" for text in (*gate.facts, *gate.notes)), ""]
        return lines

    def _selftests(self, selftests: Sequence[SelfTestView]) -> list[str]:
        lines = []
        for selftest in selftests:
            lines += [f"<details><summary>{self._told('Self-test of the gate on this machine')}</summary>", ""]
            lines += [f"- {self._told(line)}" for line in selftest.lines]
            lines += ["", escape(", ".join(selftest.cases)), "", "</details>", ""]
        return lines

    def _and_more(self, number: int) -> list[str]:
        more = self._told("and {1} more, in the report", number - _LISTED)
        return [f"- {more}", ""] if number > _LISTED else [""]
