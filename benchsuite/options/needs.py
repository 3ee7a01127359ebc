"""What the options make cases load."""

from __future__ import annotations

from collections.abc import Sequence

from benchsuite.backends import backend
from benchsuite.backends.interface import ArtifactNeed
from benchsuite.data.dataset import load_dataset
from benchsuite.machine.facts import Machine
from benchsuite.options.settings import Options
from benchsuite.terms.cases import Case


def check_options(options: Options, cases: Sequence[Case], machine: Machine) -> None:
    """Raise UsageError, before anything is written, for data that cannot be evaluated or a scheme no backend has."""
    if options.data is not None:
        load_dataset(options.data).splits["val"]
    for case in cases:
        if backend(case.backend).why_not(case, machine) is None:
            artifact_need(case, machine, options)


def artifact_need(case: Case, machine: Machine, options: Options) -> ArtifactNeed:
    """Return what a case loads; raises UsageError for a scheme or method that its backend has not."""
    engine = options.engine
    chosen = {
        "calib_method": options.calib_method,
        "quant_scheme": options.quant_scheme,
        "trt_level": "" if engine.level is None else str(engine.level),
        "trt_workspace": "" if engine.workspace_bytes is None else str(engine.workspace_bytes),
        "trt_batches": ",".join(map(str, engine.batches or ())),
    }
    return backend(case.backend).need(case, machine, chosen)
