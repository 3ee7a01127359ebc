"""What the options make cases load."""

from __future__ import annotations

from collections.abc import Sequence

from benchsuite.backends import backend
from benchsuite.backends.interface import ArtifactChoices, ArtifactNeed
from benchsuite.backends.offers import calibration_method
from benchsuite.backends.schemes import DEFAULT, split_scheme
from benchsuite.data.dataset import load_dataset
from benchsuite.machine.facts import Machine
from benchsuite.options.chosen import Options
from benchsuite.terms.cases import Case


def check_options(options: Options, cases: Sequence[Case], machine: Machine) -> None:
    """Raise UsageError, before anything is written, for data that cannot be evaluated or a scheme no backend has."""
    if options.data is not None:
        load_dataset(options.data).splits["val"]
    for case in cases:
        if backend(case.backend).why_not(case, machine) is None:
            artifact_need(case, machine, options)


def scheme_in_id(case: Case, machine: Machine, asked: str) -> str:
    """Return the scheme that a case's id must say: the one asked for, where its backend has it and takes another alone.

    The plain id stands for what the backend takes on this machine.
    """
    schemes = backend(case.backend).schemes
    if case.precision != "int8" or split_scheme(asked)[0] not in schemes:
        return ""
    plain = schemes[0]
    if len(schemes) > 1:
        plain = backend(case.backend).need(case, machine, ArtifactChoices()).scheme
    return "" if asked == plain else asked


def artifact_need(case: Case, machine: Machine, options: Options) -> ArtifactNeed:
    """Return what a case loads; raises UsageError for a method that its backend has not."""
    # A case that was named by its id may say which scheme it is of.
    scheme = case.scheme if case.scheme and options.quant_scheme == DEFAULT else options.quant_scheme
    need = backend(case.backend).need(case, machine, ArtifactChoices(scheme, options.engine))
    if need.scheme:
        calibration_method(need.format, options.calib_method)
    return need
