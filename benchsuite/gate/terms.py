"""What a gate is held under, read and checked before a run starts."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from benchsuite.backends.schemes import AUTO
from benchsuite.gate.against import Against, ready_against
from benchsuite.gate.judging import TAILS
from benchsuite.gate.waivers import WAIVERS_FILE, Waiver, check_ceilings, read_waivers
from benchsuite.options.chosen import Options
from benchsuite.runs.site import Site
from benchsuite.terms.errors import UsageError


@dataclass(frozen=True)
class Terms:
    """The baseline and the waivers."""

    against: Against
    waivers: tuple[Waiver, ...]


def read_terms(site: Site) -> Terms:
    """Read `--against` and the waivers that were named, or those beside the baselines.

    Raises UsageError where they cannot be meant.
    """
    options = site.options
    name_one_scheme(options, "a gate")
    _name_a_decision(options)
    against = ready_against(options, site.models, site.cache_root)
    usual = options.baseline / WAIVERS_FILE
    path = options.gate.waivers or (usual if usual.exists() else None)
    if path is None:
        return Terms(against, ())
    waivers = read_waivers(path)
    check_ceilings(path, waivers, options.gate.max_slowdown, datetime.date.today())
    return Terms(against, waivers)


def name_one_scheme(options: Options, what: str) -> None:
    """Raise UsageError where each arm would search for an INT8 scheme of its own."""
    if options.quant_scheme == AUTO:
        raise UsageError(f"--quant-scheme auto: {what} times fixed artifacts; name the scheme that a run has chosen.")


def _name_a_decision(options: Options) -> None:
    """Raise UsageError where nothing would be measured: a tail is waited for only where it looks worse."""
    tails = [metric for metric in options.gate.metrics if metric in TAILS]
    if tails and not {"latency", "memory"} & set(options.gate.metrics):
        raise UsageError(
            f"--gate-metrics {','.join(options.gate.metrics)}: {' and '.join(tails)} are looked at in the blocks that "
            "decide on latency or memory; name latency too."
        )
