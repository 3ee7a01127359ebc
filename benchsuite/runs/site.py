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
from benchsuite.options.needs import check_options
from benchsuite.options.selection import select
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

    Raises UsageError, before anything is written, for models and data that cannot be had.
    """
    root = cache_root()
    machine = read_machine(recorded_packages())
    models, cases = select(options, root, machine)
    site = Site(options, models, machine, root, options.report, say)
    check_options(options, cases, site.machine)
    return site, cases
