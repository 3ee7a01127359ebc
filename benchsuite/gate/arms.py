"""The baseline's arm: a runner for its cases, and where their artifacts come from."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path

from benchsuite.artifacts.recipe import Artifact, Recipe
from benchsuite.artifacts.store import Store
from benchsuite.backends.tools import STEPS, steps_of
from benchsuite.compare import baselines
from benchsuite.gate.against import Against
from benchsuite.networks.weights import resolve
from benchsuite.runs.preparation import ArtifactSource, Preparation
from benchsuite.runs.runner import Runner
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import BuildError
from benchsuite.terms.said import joined, said


@dataclass(frozen=True)
class BaselineArm:
    """The baseline's side of a gate: a runner for its cases and the case that pairs with a candidate's."""

    against: Against
    runner: Runner
    model: str | None

    def case(self, candidate: Case) -> Case:
        """Return the baseline's case; weights pair by id without the model."""
        return candidate if self.model is None else replace(candidate, model=self.model)


def baseline_arm(against: Against, candidate: Runner) -> BaselineArm:
    """Return the runner that prepares the baseline's cases beside a candidate's."""
    site = replace(candidate.site, folder=candidate.site.folder / "baseline")
    python, model, steps = sys.executable, None, STEPS
    source: ArtifactSource | None = None
    if against.kind == "env":
        python = against.value
        packages, steps = dict(against.packages), steps_of(against.packages)
        for name in STEPS:
            packages.pop(name, None)
        site = replace(site, machine=replace(site.machine, python=packages.pop("python"), packages=packages))
        source = CandidatesArtifacts(candidate) if site.options.gate.same_artifacts else None
    elif against.kind == "weights":
        site = replace(site, models=resolve([against.value], site.cache_root))
        model = site.models[0].slug
    elif against.kind == "store":
        source = StoredArtifacts(Store(Path(against.value).absolute()), candidate)
    else:
        source = PromotedArtifacts(site.options.baseline / against.value, Store(site.cache_root), candidate)
    return BaselineArm(against, Runner(Preparation(site, python, source, steps=steps), locked=True), model)


class CandidatesArtifacts:
    """The candidate's own artifacts, so that only the runtime differs."""

    def __init__(self, candidate: Runner) -> None:
        self._candidate = candidate

    def artifact(self, case: Case) -> Artifact:
        return self._candidate.case_run(case).subject.setup.artifact


class StoredArtifacts:
    """Artifacts of another store that are for the same case, however they were made."""

    def __init__(self, store: Store, candidate: Runner) -> None:
        self._store = store
        self._candidate = candidate

    def artifact(self, case: Case) -> Artifact:
        wanted = self._candidate.preparation.recipe(case)
        entries, damage = self._store.entries()
        alike = [entry.recipe for entry in entries if _same_case(entry.recipe, wanted)]
        exact = [recipe for recipe in alike if recipe.digest == wanted.digest]
        if not alike:
            raise BuildError(
                joined("; ", [said("the store holds no artifact of these weights for this case"), *damage])
            )
        if len(alike) > 1 and not exact:
            found = ", ".join(sorted(recipe.digest for recipe in alike))
            raise BuildError(
                said("the store holds {1} artifacts for this case ({2}); leave one of them", len(alike), found)
            )
        artifact = self._store.find((exact or alike)[0])
        if artifact is None:
            raise BuildError(said("the store's artifact for this case is damaged"))
        return artifact


class PromotedArtifacts:
    """The artifacts that a promoted baseline was measured with, as far as they are there or can be made again."""

    def __init__(self, folder: Path, store: Store, candidate: Runner) -> None:
        self._accepted = baselines.load(folder)
        self._store = store
        self._candidate = candidate

    def artifact(self, case: Case) -> Artifact:
        setting = (case.head, case.threads)
        entries = [it for it in self._accepted.entries(case.id) if (it.case.head, it.case.threads) == setting]
        if not entries:
            raise BuildError(said("the baseline has no such case with head {1} and {2} threads", *setting))
        facts = entries[0].artifact
        if isinstance(facts, Absent):
            raise BuildError(said("the baseline has no artifact of it: {1}", facts.reason))
        wanted = self._candidate.preparation.recipe(case)
        if facts.recipe.digest == wanted.digest:
            return self._candidate.case_run(case).subject.setup.artifact
        artifact = self._store.find(facts.recipe)
        if artifact is None:
            raise BuildError(
                said("the baseline's artifact cannot be made again here: {1}", _unlike(facts.recipe, wanted))
            )
        return artifact


def _same_case(one: Recipe, other: Recipe) -> bool:
    names = ("format", "precision", "weights_sha256", "head", "imgsz", "batch")
    return all(getattr(one, name) == getattr(other, name) for name in names)


def _unlike(promoted: Recipe, here: Recipe) -> str:
    """Say what of a promoted recipe is not to be had here."""
    if promoted.weights_sha256 != here.weights_sha256:
        return said("it was made of other weights, with SHA-256 {1}", promoted.weights_sha256[:16])
    changed = [
        said("{1} {2} then, {3} here", name, promoted.tools.get(name, "none"), here.tools.get(name, "none"))
        for name in sorted({**promoted.tools, **here.tools})
        if promoted.tools.get(name) != here.tools.get(name)
    ]
    if changed:
        return said("{1}; use --against env: with an environment that has them", joined("; ", changed))
    if promoted.calibration != here.calibration:
        return said("it was calibrated on other images or by another method")
    return said("its scheme was {1}, here it is {2}", promoted.scheme or "none", here.scheme or "none")
