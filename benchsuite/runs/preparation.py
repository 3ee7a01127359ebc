"""From a case to what is measured of it: weights, recipe, artifact, reference."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Protocol
from weakref import WeakSet

from benchsuite.artifacts.digests import calibration_of
from benchsuite.artifacts.exporters import parent_recipe
from benchsuite.artifacts.recipe import Artifact, Recipe
from benchsuite.artifacts.store import Card, Store
from benchsuite.backends import backend, only_builds
from benchsuite.backends.interface import RunPolicy
from benchsuite.backends.offers import calibration_method
from benchsuite.backends.schemes import SchemeSearch
from benchsuite.backends.tools import STEPS
from benchsuite.machine.facts import gpu_of
from benchsuite.measure.accuracy import UNTRAINED, Evaluation, EvaluationData, evaluate_once, is_kept
from benchsuite.measure.accuracy_loss import Losses
from benchsuite.measure.built_run import BuiltRun
from benchsuite.measure.case_run import CaseRun, Subject
from benchsuite.measure.effort import ROTATING_INPUTS
from benchsuite.measure.launch import Launch, WorkerSetup
from benchsuite.measure.live_run import LiveRun
from benchsuite.measure.measurement import Complexity
from benchsuite.measure.throughput import Saturation
from benchsuite.measure.timed_case import TimedCase
from benchsuite.networks.weights import fetch, file_sha256
from benchsuite.options.needs import artifact_need
from benchsuite.runs.images import RunData
from benchsuite.runs.records import NO_SEARCH
from benchsuite.runs.site import Site
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case, Head
from benchsuite.terms.errors import BuildError, SessionError
from benchsuite.terms.said import said


class ArtifactSource(Protocol):
    """Where artifacts come from that are not made here by their cases' recipes."""

    def artifact(self, case: Case) -> Artifact:
        """Return the artifact of a case; raises BuildError where there is none."""
        ...


class Preparation:
    """Makes a case ready to be measured at a site.

    `python` is the interpreter that builds and measures, by its own `steps`, `source` takes the place of the store, and
    `search` finds the INT8 scheme of a case where --quant-scheme is auto; `data` are the run's images where somebody
    has read them.
    """

    def __init__(
        self,
        site: Site,
        python: str = sys.executable,
        source: ArtifactSource | None = None,
        search: Callable[[Case], SchemeSearch] | None = None,
        data: RunData | None = None,
        steps: Mapping[str, str] = STEPS,
    ) -> None:
        self.site = site
        self._python = python
        self._steps = steps
        self._source = source
        self._search = search
        self._store = Store(site.cache_root, python=python)
        self._data = data or RunData(site.options, site.cache_root)
        self._models = {model.slug: model for model in site.models}
        self._weights: dict[str, tuple[Path, str]] = {}
        self._searches: dict[str, SchemeSearch] = {}
        self._notes: dict[str, tuple[str, ...]] = {}
        self._evaluating: WeakSet[Launch] = WeakSet()

    @property
    def data(self) -> EvaluationData:
        """The evaluated images."""
        return self._data.evaluated

    @cached_property
    def _losses(self) -> Losses:
        return Losses(self.data)

    def why_not(self, case: Case) -> str | None:
        """Say why the case cannot run here, or None."""
        return backend(case.backend).why_not(case, self.site.machine)

    def only_builds(self, case: Case) -> str | None:
        """Say why the case can be built here and not run, or None."""
        return only_builds(case, self.site.machine)

    def weights(self, case: Case) -> Path:
        """Return the weights file of a case."""
        return self._weights_of(case.model)[0]

    def recipe(self, case: Case) -> Recipe:
        """Return how the case's artifact is made."""
        options, machine = self.site.options, self.site.machine
        search = self._searched(case)
        if search is not None:
            options = replace(options, quant_scheme=search.chosen)
        need = artifact_need(case, machine, options)
        calibration = None
        if need.calibrated:
            method = calibration_method(need.format, options.calib_method)
            calibration = calibration_of(self._data.calibration.images, method)
        versions = {**machine.packages, **self._steps}
        return Recipe(
            format=need.format,
            precision=need.precision,
            weights_sha256=self._weights_of(case.model)[1],
            head=case.head,
            imgsz=case.imgsz,
            batch=need.batch or case.batch,
            scheme=need.scheme,
            calibration=calibration,
            tools={name: versions[name] for name in need.tools if name in versions},
            build=need.build,
        )

    def case_run(
        self, case: Case, timed: TimedCase | Absent | None = None, saturation: Saturation | None = None
    ) -> CaseRun:
        """Return what measures a case, its artifact built where needed; raises what building it raises.

        `timed` and `saturation` are what was told of it in turns with others, where it had any.
        """
        subject = self.subject(case)
        reason = self.only_builds(case)
        if reason is None:
            return self._live(subject, timed, saturation)
        stand_in = self._stand_in(subject, reason)
        return BuiltRun(subject, reason, stand_in if isinstance(stand_in, Absent) else self._live(stand_in))

    def reference_of(self, case: Case) -> Subject:
        """Return PyTorch FP32 of a case's weights on the CPU; raises SessionError where that cannot run."""
        reference = Case(case.model, "torch", "fp32", "cpu", case.imgsz, 1, case.threads, case.head)
        reason = self.why_not(reference)
        if reason:
            raise SessionError(reason)
        artifact, _ = self._store.get(self.recipe(reference), self.weights(case), model=case.model)
        return self._subject(reference, artifact, self._card(case, "one2many"))

    def is_evaluated(self, subject: Subject) -> bool:
        """Say whether an evaluation of a subject is kept, whole or not."""
        return is_kept(subject.case, subject.setup.artifact, self.data, self.site.machine, self.site.cache_root)

    def evaluate(self, subject: Subject) -> Evaluation:
        """Evaluate a subject in a worker of its own, unless that is kept from before.

        It takes one thread where that changes no detection, so that others can be evaluated on the other cores.
        """
        case = subject.case
        threads = case.threads if backend(case.backend).threads_change_results else 1
        with ExitStack() as stack:

            def launch() -> Launch:
                worker = Launch(case, subject.setup, RunPolicy(threads))
                self._evaluating.add(worker)
                stack.callback(worker.close)
                worker.open()
                return worker

            site = self.site
            return evaluate_once(
                case,
                subject.setup.artifact,
                subject.names,
                self.data,
                site.machine,
                site.cache_root,
                launch,
                subject.unscored,
            )

    def stop_evaluating(self) -> None:
        """End what other threads are evaluating."""
        for worker in tuple(self._evaluating):
            worker.kill()

    def stop_building(self) -> None:
        """End what other threads are building."""
        self._store.stop()

    def notes(self, case: Case) -> tuple[str, ...]:
        """Return what was odd about building and calibrating a case's artifact."""
        return self._notes.get(case.id, ())

    def search(self, case: Case) -> SchemeSearch | Absent:
        """Return how a case's INT8 scheme was found."""
        return self._searches.get(case.id, NO_SEARCH)

    def build_s(self, artifact: Artifact) -> float | Absent:
        """Return what building took, unless the artifact was found elsewhere than in the store."""
        if self._source is not None:
            return Absent("its artifact was not taken from this cache")
        return self._store.cost(artifact.recipe).build_s

    def _live(
        self, subject: Subject, timed: TimedCase | Absent | None = None, saturation: Saturation | None = None
    ) -> LiveRun:
        calibrated = subject.setup.artifact.recipe.calibration is not None and self._source is None
        shared = self._data.calibration.evaluated if calibrated else 0
        return LiveRun(subject, lambda: self._reference(subject.case), self._losses, shared, timed, saturation)

    def subject(self, case: Case) -> Subject:
        """Return all that is known of a case before it runs, its artifact built where needed; raises as `case_run`."""
        card = self._card(case, "one2many")
        if case.head not in card.heads:
            raise BuildError(said("{1} has no NMS-free head: use --head auto", case.model))
        if case.head != "one2many":
            card = self._card(case, case.head)
        artifact = self._source.artifact(case) if self._source else self._built(case)
        return self._subject(case, artifact, card)

    def _subject(self, case: Case, artifact: Artifact, card: Card) -> Subject:
        return Subject(
            case=case,
            setup=self._setup(case, artifact),
            names=card.names,
            complexity=Complexity(card.params, card.gflops),
            data=self.data,
            machine=self.site.machine,
            effort=self.site.options.effort,
            samples_folder=self.site.folder / "samples",
            unscored=UNTRAINED if card.untrained else "",
        )

    def _card(self, case: Case, head: Head) -> Card:
        weights, sha256 = self._weights_of(case.model)
        card, notes = self._store.card(weights, sha256, case.imgsz, head, self.site.machine.packages)
        for note in notes:
            self.site.say(note)
        return card

    def _built(self, case: Case) -> Artifact:
        """Take the artifact of the case's recipe from the store, built where needed."""
        recipe = self.recipe(case)
        if not self._store.has(recipe):
            self.site.say(f"building {recipe.format} {recipe.precision} of {case.model} at {case.imgsz} …")
        calibration = self._data.calibration if recipe.calibration else None
        images = calibration.images if calibration else ()
        gpu = gpu_of(case.device, self.site.machine)
        uuid = gpu.uuid if gpu else ""
        artifact, notes = self._store.get(recipe, self.weights(case), images, gpu=uuid, model=case.model)
        self._notes[case.id] = (*notes, *(calibration.warnings if calibration else ()))
        return artifact

    def _stand_in(self, subject: Subject, not_run: str) -> Subject | Absent:
        """Return the ONNX file that an engine was built from, to be run on the CPU in its place."""
        case = replace(subject.case, backend="onnx", device="cpu")
        reason = self.why_not(case)
        if reason is not None:
            return Absent(said("{1}; nor does its ONNX file: {2}", not_run, reason))
        parent = parent_recipe(subject.setup.artifact.recipe)
        assert parent is not None
        images = self._data.calibration.images if parent.calibration else ()
        artifact, _ = self._store.get(parent, self.weights(case), images, model=case.model)
        return replace(subject, case=case, setup=self._setup(case, artifact))

    def _setup(self, case: Case, artifact: Artifact) -> WorkerSetup:
        log = self.site.folder / "logs" / f"{case.file_name}.log"
        gpu = gpu_of(case.device, self.site.machine)
        images = self._data.timed(ROTATING_INPUTS * case.batch)
        return WorkerSetup(artifact, images, self.site.cache_root, log, self._python, gpu.uuid if gpu else "")

    def _reference(self, case: Case) -> Evaluation:
        """Evaluate PyTorch FP32 of the case's weights on the CPU, unless that is kept from before."""
        return self.evaluate(self.reference_of(case))

    def _weights_of(self, slug: str) -> tuple[Path, str]:
        if slug not in self._weights:
            path = fetch(self._models[slug], self.site.cache_root, self.site.folder / "logs" / "download.log")
            self._weights[slug] = path, file_sha256(path)
        return self._weights[slug]

    def _searched(self, case: Case) -> SchemeSearch | None:
        # One scheme leaves nothing to search for.
        if self._search is None or case.precision != "int8" or len(backend(case.backend).schemes) < 2:
            return None
        if case.id not in self._searches:
            self._searches[case.id] = self._search(case)
        return self._searches[case.id]
