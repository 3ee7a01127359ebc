"""`benchsuite cases`: what would run, by the same checks that a run makes before its work."""

from __future__ import annotations

from collections.abc import Callable

from rich.cells import cell_len

from benchsuite.backends import backend, only_builds
from benchsuite.backends.offers import recorded_packages
from benchsuite.machine.facts import read_machine
from benchsuite.machine.files import cache_root
from benchsuite.options.chosen import Options
from benchsuite.report.terminal import WIDTH, wrap
from benchsuite.runs.checks import check_before_work, select_cases
from benchsuite.terms.printable import printable

# Columns for the reason beside an id, however long that is.
_LEAST_BESIDE = 38


def case_lines(options: Options, note: Callable[[str], None]) -> tuple[str, ...]:
    """Return a table of the selected cases, each id whole, to be copied; raises UsageError for what a run refuses."""
    root, machine = cache_root(), read_machine(recorded_packages())
    models, cases = select_cases(options, root, machine)
    for told in check_before_work(options, models, cases, machine, root, download=False):
        note(told)
    rows = [("case", "here")]
    for case in cases:
        rows.append((case.id, backend(case.backend).why_not(case, machine) or only_builds(case, machine) or "can run"))
    indent = max(cell_len(name) for name, _ in rows) + 2
    lines = []
    for name, here in rows:
        first = name + " " * (indent - cell_len(name))
        width = max(WIDTH, indent + _LEAST_BESIDE)
        lines += wrap(printable(here), first, " " * indent, width, hyphens=False, long_words=False)
    return tuple(lines)
