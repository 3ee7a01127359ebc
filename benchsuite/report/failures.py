"""How findings that fail are printed, so that one can act on them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from benchsuite.compare.findings import Finding
from benchsuite.report.terminal import COLUMNS, wrap


def render(findings: Sequence[Finding]) -> str:
    """Return the failing findings, case by case, for a terminal of 80 columns; empty where none fails."""
    by_case: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.fails:
            by_case.setdefault(finding.case_id, []).append(finding)
    return "\n\n".join(_block(case_id, failing) for case_id, failing in by_case.items())


def _block(case_id: str, findings: list[Finding]) -> str:
    lines = [case_id]
    for finding in findings:
        lines += [
            f"  {finding.verdict}  {finding.title}",
            *_field("baseline", finding.baseline),
            *_field("current", finding.current),
            *_field("allowed", finding.allowed),
            *sentence(finding.sentence),
        ]
    # A broken limit knows no baseline: what changed since, and how to accept it, come from findings that do.
    compared = [finding for finding in findings if finding.baseline]
    accept = next((finding.accept for finding in compared if finding.accept), "")
    if compared:
        lines.append("  what changed since the baseline:")
        for change in compared[0].environment or ("nothing that is recorded",):
            lines += sentence(change)
    lines += ["  measure it again:", *_command(findings[0].rerun)]
    if accept:
        lines += ["  accept it as the new baseline:", *_command(accept)]
    return "\n".join(lines)


def _field(name: str, text: str) -> list[str]:
    return wrap(text, f"    {name:<10}", " " * 14, COLUMNS) if text else []


def sentence(text: str) -> list[str]:
    """Return the lines of a sentence about a finding, as they stand under it."""
    return wrap(text, "    ", "    ", COLUMNS, hyphens=False)


def _command(line: str) -> list[str]:
    """Break a command between options, with the backslashes that let it be pasted as it stands."""
    lines = [""]
    for part in _options(line):
        if lines[-1] and len(lines[-1]) + len(part) + 9 > COLUMNS:
            lines.append("")
        lines[-1] += f" {part}" if lines[-1] else part
    indented = [("      " if number else "    ") + text for number, text in enumerate(lines)]
    return [f"{text} \\" for text in indented[:-1]] + indented[-1:]


def _options(line: str) -> Iterable[str]:
    """Yield the words of a command, an option together with its value."""
    words = [shlex.quote(word) for word in shlex.split(line)]
    while words:
        word = words.pop(0)
        if word.startswith("-") and words and not words[0].startswith("-"):
            word += " " + words.pop(0)
        yield word
