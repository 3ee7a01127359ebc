"""What the options make cases load."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchsuite.backends import backend
from benchsuite.backends.interface import ArtifactChoices, ArtifactNeed
from benchsuite.backends.offers import calibration_method
from benchsuite.backends.schemes import DEFAULT, split_scheme
from benchsuite.data.dataset import calibration_images, load_dataset
from benchsuite.data.images import undecodable_images, unusable_images
from benchsuite.machine.facts import Machine
from benchsuite.measure.accuracy import evaluated_images
from benchsuite.options.chosen import Options
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import UsageError

# Of an image as runtimes take it: three floats.
_PIXEL_BYTES = 12
# The image as it was decoded, letterboxed, handed to the runtime, and its first layer's output.
_LEAST_COPIES = 4


def option_problems(options: Options, cases: Sequence[Case], machine: Machine) -> list[str]:
    """Say what of the options cannot be for the cases that can run: data, schemes, and images that fill the memory."""
    problems = []
    calibrated = False
    memory_bytes = min(machine.memory_bytes, machine.memory_limit_bytes or machine.memory_bytes)
    for case in cases:
        try:
            calibrated |= artifact_need(case, machine, options).calibrated
        except UsageError as error:
            problems.append(str(error))
        call_bytes = case.batch * _PIXEL_BYTES * case.imgsz.pixels
        if call_bytes * _LEAST_COPIES > memory_bytes:
            problems.append(
                f"--batch {case.batch}: the images of one call at {case.imgsz} px take {call_bytes / 1e9:,.0f} GB, "
                f"a runtime needs several times that, and there are {memory_bytes / 1e9:,.0f} GB; ask for fewer."
            )
    return list(dict.fromkeys([*problems, *data_problems(options, calibrated)]))


def data_problems(options: Options, calibrated: bool) -> list[str]:
    """Say what is wrong with --data, and with what INT8 is calibrated on where any is."""
    problems = []
    for flag, yaml, evaluated, calibrates in (
        ("--data", options.data, True, calibrated and options.calib is None),
        ("--calib", options.calib, False, calibrated),
    ):
        if yaml is not None:
            try:
                problem = _data_problem(yaml, options, evaluated, calibrates)
            except UsageError as error:
                problem = str(error)
            problems += [f"{flag} {yaml}: {problem}."] if problem else []
    return problems


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


def _data_problem(yaml: Path, options: Options, evaluated: bool, calibrates: bool) -> str | None:
    """Say which images are of no use of those that are evaluated or calibrated on; raises DataError."""
    dataset = load_dataset(yaml)
    images = evaluated_images(dataset, options.effort.accuracy_images) if evaluated else ()
    problem = unusable_images(images)
    if problem or not calibrates:
        return problem
    # One damaged image would fail the building of every INT8 artifact.
    return undecodable_images(calibration_images(dataset, options.calib_size))


def artifact_need(case: Case, machine: Machine, options: Options) -> ArtifactNeed:
    """Return what a case loads; raises UsageError for a method that its backend has not."""
    # A case that was named by its id may say which scheme it is of.
    scheme = case.scheme if case.scheme and options.quant_scheme == DEFAULT else options.quant_scheme
    need = backend(case.backend).need(case, machine, ArtifactChoices(scheme, options.engine))
    if need.scheme:
        calibration_method(need.format, options.calib_method)
    return need
