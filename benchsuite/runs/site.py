"""Where a run happens: what was asked for, on which machine, and where its files go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchsuite.backends.offers import recorded_packages
from benchsuite.machine.facts import Machine, read_machine
from benchsuite.machine.files import cache_root
from benchsuite.networks.weights import ModelRef
from benchsuite.options.chosen import Options
from benchsuite.runs.checks import check_before_work, select_cases
from benchsuite.terms.cases import Case

# Tells the user one line.
Say = Callable[[str], None]


@dataclass(frozen=True)
class Site:
    """Everything that all cases of a run have in common; `folder` gets the run's files."""

    options: Options
    models: tuple[ModelRef, ...]
    machine: Machine
    cache_root: Path
    folder: Path
    say: Say


def open_site(options: Options, say: Say) -> tuple[Site, tuple[Case, ...]]:
    """Read this machine, find the models, and return the site and the selected cases; the folder is still --report's.

    Says what is worth knowing before the run. Raises one UsageError, before anything is built, for all that cannot be.
    """
    root = cache_root()
    machine = read_machine(recorded_packages())
    models, cases = select_cases(options, root, machine)
    site = Site(options, models, machine, root, options.report, say)
    for note in check_before_work(options, models, cases, site.machine, root):
        say(note)
    return site, cases
