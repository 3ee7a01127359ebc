"""What figures are made from, and what of it differs between two measurements: said first wherever two are compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from benchsuite.artifacts.recipe import Calibration, Recipe
from benchsuite.compare.entries import AcceptedAccuracy, Entry
from benchsuite.detect.accuracy import Accuracy
from benchsuite.machine.facts import Machine, differences
from benchsuite.runs.folder import Run
from benchsuite.runs.records import ArtifactFacts, Record
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.said import Sentence, said

_DIGITS = 12


@dataclass(frozen=True)
class Inputs:
    """What one case was measured with, as far as that is recorded; `effort` is empty where it was not one."""

    case: Case
    artifact: ArtifactFacts | Absent
    accuracy: Accuracy | AcceptedAccuracy | Absent
    policy: Mapping[str, str]
    machine: Machine
    effort: str = ""


_RecipePart = Callable[[Case, Case, Recipe, Recipe], Iterator[Sentence]]
# Of two measurements, the older one first.
Pair = tuple[Inputs, Inputs]


def inputs_of(record: Record, machine: Machine) -> Inputs:
    """Return what a record was measured with."""
    policy = record.validity.policy
    return Inputs(record.case, record.artifact, record.metrics.accuracy, policy, machine, record.effort)


def accepted_inputs(entry: Entry, machine: Machine) -> Inputs:
    """Return what an entry of a baseline was measured with."""
    efforts = {timing.effort for timing in entry.timing}
    effort = efforts.pop() if len(efforts) == 1 else ""
    return Inputs(entry.case, entry.artifact, entry.accuracy, entry.policy, machine, effort)


def what_differs(*pairs: Pair) -> tuple[Sentence, ...]:
    """Say what differs between the older and the newer of each pair, each thing once and the most telling first.

    Weights, data and schemes come before versions, and these before the machine.
    """
    made = (sentence for part in _PARTS for pair in pairs for sentence in part(*pair))
    # Of a run's many cases all were measured on one machine.
    machines = {(id(old.machine), id(new.machine)): (old.machine, new.machine) for old, new in pairs}
    here = (change for both in machines.values() for change in differences(*both))
    return tuple(dict.fromkeys((*made, *here)))


def run_differences(before: Run, after: Run) -> tuple[Sentence, ...]:
    """Say what differs between two runs, over all cases that both have."""
    pairs = [
        (inputs_of(old, before.machine), inputs_of(new, after.machine))
        for old, new in paired(before.records, after.records)
        if new is not None
    ]
    # Runs have machines without a case, too.
    return tuple(dict.fromkeys((*what_differs(*pairs), *differences(before.machine, after.machine))))


def paired(records: Iterable[Record], others: Sequence[Record]) -> Iterator[tuple[Record, Record | None]]:
    """Yield each record with the one of the same case, or None.

    Where one of the two was written before ids named schemes that are not the usual ones, it is the one of that scheme.
    """
    by_id = {record.case.id: record for record in others}
    by_scheme: dict[Case, Record] = {}
    for record in records:
        found = by_id.get(record.case.id)
        if found is None:
            by_scheme = by_scheme or {_with_scheme(record): record for record in others}
            found = by_scheme.get(_with_scheme(record))
        yield record, found


def _with_scheme(record: Record) -> Case:
    if record.case.scheme or isinstance(record.artifact, Absent):
        return record.case
    return replace(record.case, scheme=record.artifact.recipe.scheme)


def same_artifact(old: ArtifactFacts | Absent, new: ArtifactFacts | Absent) -> bool:
    """Say whether both are known to be the same bytes."""
    return not isinstance(old, Absent) and not isinstance(new, Absent) and old.sha256 == new.sha256


def artifact_differences(old: Entry, new: Entry) -> tuple[Sentence, ...]:
    """Say what differs in how the artifacts of two entries were made, or that equal recipes made other bytes."""
    if isinstance(old.artifact, Absent) or isinstance(new.artifact, Absent):
        return ()
    made = (_weights, _scheme, _calibration, _build, _rest, _tools)
    return _by_parts(made, old, new) or tuple(_bytes(old.artifact, new.artifact))


def another_network(old: Entry, new: Entry) -> tuple[Sentence, ...]:
    """Say what makes the artifacts of two entries different networks, which have kernels of their own."""
    return _by_parts((_weights, _scheme), old, new)


def another_build(old: Entry, new: Entry) -> tuple[Sentence, ...]:
    """Say what else of how two artifacts were built decides which kernels they get, as TensorRT's level."""
    return _by_parts((_build,), old, new)


def _by_parts(parts: Sequence[_RecipePart], old: Entry, new: Entry) -> tuple[Sentence, ...]:
    if isinstance(old.artifact, Absent) or isinstance(new.artifact, Absent):
        return ()
    recipes = old.artifact.recipe, new.artifact.recipe
    return tuple(sentence for part in parts for sentence in part(old.case, new.case, *recipes))


def _weights(before: Case, after: Case, old: Recipe, new: Recipe) -> Iterator[Sentence]:
    if old.weights_sha256 == new.weights_sha256:
        return
    if before.model == after.model:
        yield said("weights of {1}: {2} -> {3}", after.model, _short(old.weights_sha256), _short(new.weights_sha256))
    else:
        yield said(
            "weights: {1} of {2} -> {3} of {4}",
            _short(old.weights_sha256), before.model, _short(new.weights_sha256), after.model,
        )  # fmt: skip


def _scheme(_: Case, after: Case, old: Recipe, new: Recipe) -> Iterator[Sentence]:
    if old.scheme != new.scheme:
        yield said("INT8 scheme of {1}: {2} -> {3}", after.backend, old.scheme or "none", new.scheme or "none")


def _calibration(_: Case, after: Case, old: Recipe, new: Recipe) -> Iterator[Sentence]:
    if old.calibration != new.calibration:
        yield said("calibration of {1}: {2} -> {3}", after.backend, _ranges(old.calibration), _ranges(new.calibration))


def _build(_: Case, after: Case, old: Recipe, new: Recipe) -> Iterator[Sentence]:
    for name in sorted({**old.build, **new.build}):
        there, here = old.build.get(name, "none"), new.build.get(name, "none")
        if there != here:
            yield said("build of {1}, {2}: {3} -> {4}", after.backend, name, there, here)


def _rest(_: Case, after: Case, old: Recipe, new: Recipe) -> Iterator[Sentence]:
    for name in ("format", "precision", "head", "imgsz", "batch"):
        there, here = getattr(old, name), getattr(new, name)
        if there != here:
            yield said("artifact of {1}, {2}: {3} -> {4}", after.backend, name, there, here)


def _tools(_before: Case, _after: Case, old: Recipe, new: Recipe) -> Iterator[Sentence]:
    there, here = old.known_tools, new.known_tools
    for name in sorted({**there, **here}):
        if there.get(name) != here.get(name):
            yield f"{name}: {there.get(name, 'none')} -> {here.get(name, 'none')}"


def _bytes(old: ArtifactFacts, new: ArtifactFacts) -> Iterator[Sentence]:
    if old.sha256 != new.sha256:
        made = "the same recipe made other bytes: {1} -> {2}"
        yield said(made, _short(old.sha256), _short(new.sha256))


def _of_recipes(part: _RecipePart) -> Callable[[Inputs, Inputs], Iterable[Sentence]]:
    def differing(old: Inputs, new: Inputs) -> Iterable[Sentence]:
        if isinstance(old.artifact, Absent) or isinstance(new.artifact, Absent):
            return ()
        return part(old.case, new.case, old.artifact.recipe, new.artifact.recipe)

    return differing


def _data(old: Inputs, new: Inputs) -> Iterator[Sentence]:
    there, here = old.accuracy, new.accuracy
    if isinstance(there, Absent) or isinstance(here, Absent):
        return
    if there.data_sha256 != here.data_sha256:
        yield said("evaluation data: {1} -> {2}", _short(there.data_sha256), _short(here.data_sha256))
    if there.images != here.images:
        yield said("evaluated images: {1} -> {2}", there.images, here.images)


def _other_bytes(old: Inputs, new: Inputs) -> Iterator[Sentence]:
    there, here = old.artifact, new.artifact
    if isinstance(there, Absent) or isinstance(here, Absent):
        return
    if there.recipe_digest == here.recipe_digest:
        yield from _bytes(there, here)


def _settings(old: Inputs, new: Inputs) -> Iterator[Sentence]:
    there, here = old.accuracy, new.accuracy
    if isinstance(there, Absent) or isinstance(here, Absent):
        return
    for name in sorted({**there.settings, **here.settings}):
        if there.settings.get(name) != here.settings.get(name):
            yield said("evaluation, {1}: {2} -> {3}", name, _number(there.settings, name), _number(here.settings, name))


def _policy(old: Inputs, new: Inputs) -> Iterator[Sentence]:
    # What did not run has none.
    if old.policy and new.policy:
        for name in sorted({**old.policy, **new.policy}):
            if old.policy.get(name) != new.policy.get(name):
                there, here = old.policy.get(name, "none"), new.policy.get(name, "none")
                yield said("policy, {1}: {2} -> {3}", name, there, here)


def _effort(old: Inputs, new: Inputs) -> Iterator[Sentence]:
    if old.effort and new.effort and old.effort != new.effort:
        yield said("effort: {1} -> {2}", old.effort, new.effort)


# The most telling first.
_PARTS: Sequence[Callable[[Inputs, Inputs], Iterable[Sentence]]] = (
    _of_recipes(_weights), _data, _of_recipes(_scheme), _of_recipes(_calibration), _of_recipes(_build),
    _of_recipes(_rest), _other_bytes, _settings, _policy, _effort, _of_recipes(_tools),
)  # fmt: skip


def _ranges(calibration: Calibration | None) -> Sentence:
    if calibration is None:
        return said("none")
    digest = _short(calibration.images_sha256)
    return said("{1} images, {2}, {3}", calibration.size, calibration.method, digest)


def _number(settings: Mapping[str, float], name: str) -> str:
    return f"{settings[name]:g}" if name in settings else "none"


def _short(digest: str) -> str:
    return digest[:_DIGITS]
