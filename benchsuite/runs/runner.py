"""One run: from selected cases to records on disk, one case after another."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import fields, replace
from pathlib import Path

from benchsuite.artifacts.exporters import parent_recipe
from benchsuite.artifacts.recipe import Artifact, Recipe
from benchsuite.artifacts.store import Card, Store, calibration_of
from benchsuite.backends import backend, only_builds
from benchsuite.backends.interface import RunPolicy
from benchsuite.backends.schemes import SCHEMES, SchemeSearch, calibration_method
from benchsuite.backends.tools import QUANTISER, QUANTISER_VERSION
from benchsuite.machine.facts import Machine, gpu_of
from benchsuite.measure.accuracy import Evaluation, EvaluationData, evaluate_once
from benchsuite.measure.built_run import BuiltRun
from benchsuite.measure.case_run import CaseRun, Subject
from benchsuite.measure.gpu_use import gpu_warnings
from benchsuite.measure.launch import Launch, WorkerSetup
from benchsuite.measure.lock import measuring_lock
from benchsuite.measure.measurement import Complexity, Metrics
from benchsuite.networks.weights import ModelRef, fetch, file_sha256
from benchsuite.options.needs import artifact_need
from benchsuite.options.settings import Options
from benchsuite.runs import records
from benchsuite.runs.images import RunData
from benchsuite.runs.records import NO_SEARCH, ArtifactFacts, Record, Validity
from benchsuite.terms.absence import NOT_SELECTED, Absent
from benchsuite.terms.cases import Case, Head, variant_of
from benchsuite.terms.errors import BenchsuiteError, BuildError, SessionError

Say = Callable[[str], None]


class Runner:
    """Measures the cases of one run and appends a record as each ends."""

    def __init__(
        self,
        options: Options,
        models: Sequence[ModelRef],
        machine: Machine,
        cache_root: Path,
        folder: Path,
        say: Say,
        done: Mapping[str, Record] | None = None,
        python: str = sys.executable,
        find: Callable[[Case], Artifact] | None = None,
        locked: bool = False,
        search: Callable[[Case], SchemeSearch] | None = None,
    ) -> None:
        self.folder = folder
        self.machine = machine
        self._options = options
        self._data = RunData(options, cache_root)
        self._models = {model.slug: model for model in models}
        self._cache_root = cache_root
        self._python = python
        # An arm of a gate may take its artifacts from somewhere else than its recipes say.
        self._find = find
        # Finds the INT8 scheme of a case where --quant-scheme is auto.
        self._search = search
        self._store = Store(cache_root, python=python)
        self._say = say
        self._done = dict(done or {})
        self._open: CaseRun | None = None
        self._open_case: Case | None = None
        self._failures: dict[str, str] = {}
        self._notes: dict[str, list[str]] = {}
        self._searches: dict[str, SchemeSearch] = {}
        self._weights: dict[str, tuple[Path, str]] = {}
        self._lock = ExitStack()
        # One run holds the machine once, however many runners it has.
        self._locked = locked

    def why_not(self, case: Case) -> str | None:
        """Say why the case cannot run here, or None."""
        return backend(case.backend).why_not(case, self.machine)

    def only_builds(self, case: Case) -> str | None:
        """Say why the case can be built here and not run, or None."""
        return only_builds(case, self.machine)

    def why_not_timed(self, case: Case) -> str | None:
        """Say why the case cannot be timed here, or None."""
        return self.why_not(case) or self.only_builds(case)

    def recorded(self, case: Case) -> Record | None:
        """Return the case's record if it has one, from this run or from what it resumes."""
        return self._done.get(case.id)

    def case_run(self, case: Case) -> CaseRun:
        """Return the open measurement of a case, preparing its artifact first; raises what preparing it raised."""
        if self._open is not None and self._open_case == case:
            return self._open
        self.finish_open()
        if case.id in self._failures:
            raise SessionError(self._failures[case.id])
        self._take_lock()
        try:
            run = self._case_run(self._subject(case))
        except BenchsuiteError as error:
            self._fail(case, str(error))
            raise
        self._open, self._open_case = run, case
        return run

    def _case_run(self, subject: Subject) -> CaseRun:
        case = subject.case

        def reference() -> Evaluation:
            return self._reference(case)

        reason = self.only_builds(case)
        if reason is None:
            return CaseRun(subject, reference)
        return BuiltRun(subject, reason, self._stand_in(subject, reason), reference)

    def _stand_in(self, subject: Subject, not_run: str) -> Subject | Absent:
        """Return the ONNX file that an engine was built from, to be run on the CPU in its place."""
        case = replace(subject.case, backend="onnx", device="cpu")
        reason = self.why_not(case)
        if reason is not None:
            return Absent(f"{not_run}; nor does its ONNX file: {reason}")
        parent = parent_recipe(subject.setup.artifact.recipe)
        assert parent is not None
        images = self._data.calibration.images if parent.calibration else ()
        artifact, _ = self._store.get(parent, self.weights(case), images)
        return replace(subject, case=case, setup=self._setup(case, artifact))

    def skip(self, case: Case, reason: str) -> None:
        """Record a case that cannot run here."""
        self._append(Record(case, "skipped", reason, Absent(reason), Metrics(), Validity(), *self._common))

    def finish_open(self) -> Record | None:
        """Close the case that is being measured and append its record."""
        run, case = self._open, self._open_case
        if run is None or case is None:
            return None
        self._open = self._open_case = None
        if run.failure is None:
            # CaseRun keeps a failure, and the record below carries it.
            with suppress(SessionError):
                run.ran()
        run.close()
        return self._append(self._record(case, run))

    def provisional(self, case: Case, run: CaseRun) -> Record:
        """Return the record as far as it has been measured, for comparisons."""
        return self._record(case, run)

    def abandon_open(self) -> None:
        """Close the case that is being measured without a record: it was interrupted."""
        if self._open is not None:
            self._open.close()
        self._open = self._open_case = None

    def close(self) -> None:
        """Let go of the machine."""
        self._lock.close()

    @property
    def data(self) -> EvaluationData:
        """The evaluated images."""
        return self._data.evaluated

    @property
    def _common(self) -> tuple[str, str]:
        return self.machine.fingerprint, self._options.effort.name

    def _take_lock(self) -> None:
        if not self._locked:
            self._lock.enter_context(measuring_lock(self._say))
            self._locked = True

    def _weights_of(self, slug: str) -> tuple[Path, str]:
        if slug not in self._weights:
            path = fetch(self._models[slug], self._cache_root, self.folder / "logs" / "download.log")
            self._weights[slug] = path, file_sha256(path)
        return self._weights[slug]

    def _subject(self, case: Case) -> Subject:
        card = self._card(case, "one2many")
        if case.head not in card.heads:
            raise BuildError(f"{case.model} has no NMS-free head: use --head auto")
        if case.head != "one2many":
            card = self._card(case, case.head)
        artifact = self._find(case) if self._find else self._built(case, self.weights(case))
        return Subject(
            case=case,
            setup=self._setup(case, artifact),
            names=card.names,
            complexity=Complexity(card.params, card.gflops),
            data=self.data,
            machine=self.machine,
            effort=self._options.effort,
            samples_folder=self.folder / "samples",
        )

    def _card(self, case: Case, head: Head) -> Card:
        weights, sha256 = self._weights_of(case.model)
        card, notes = self._store.card(weights, sha256, case.imgsz, head)
        for note in notes:
            self._say(note)
        return card

    def _built(self, case: Case, weights: Path) -> Artifact:
        """Take the artifact of the case's recipe from the store, built where needed."""
        recipe = self.recipe(case)
        if not self._store.has(recipe):
            self._say(f"building {recipe.format} {recipe.precision} of {case.model} at {case.imgsz} …")
        images = self._data.calibration.images if recipe.calibration else ()
        artifact, notes = self._store.get(recipe, weights, images)
        self._notes[case.id] = [*notes, *(self._data.calibration.warnings if recipe.calibration else ())]
        return artifact

    def weights(self, case: Case) -> Path:
        """Return the weights file of a case."""
        return self._weights_of(case.model)[0]

    def recipe(self, case: Case) -> Recipe:
        """Return how the case's artifact is made."""
        options, search = self._options, self._searched(case)
        if search is not None:
            options = replace(options, quant_scheme=search.chosen)
        need = artifact_need(case, self.machine, options)
        calibration = None
        if need.calibrated:
            method = calibration_method(need.format, self._options.calib_method)
            calibration = calibration_of(self._data.calibration.images, method)
        versions = {**self.machine.packages, QUANTISER: QUANTISER_VERSION}
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

    def _searched(self, case: Case) -> SchemeSearch | None:
        # One scheme leaves nothing to search for.
        if self._search is None or case.precision != "int8" or len(SCHEMES.get(case.backend, ())) < 2:
            return None
        if case.id not in self._searches:
            self._searches[case.id] = self._search(case)
        return self._searches[case.id]

    def _setup(self, case: Case, artifact: Artifact) -> WorkerSetup:
        log = self.folder / "logs" / f"{case.id.replace(':', '_')}.log"
        gpu = gpu_of(case.device, self.machine)
        return WorkerSetup(artifact, self.data.images, self._cache_root, log, self._python, gpu.uuid if gpu else "")

    def _reference(self, case: Case) -> Evaluation:
        """Evaluate PyTorch FP32 of the case's weights on the CPU, unless that is kept from before."""
        # An INT8 scheme is a variant too, and has no reference of its own.
        variant = variant_of(case.head)
        reference = Case(case.model, "torch", "fp32", "cpu", case.imgsz, 1, case.threads, case.head, variant)
        reason = self.why_not(reference)
        if reason:
            raise SessionError(f"no reference detections: {reason}")
        artifact, _ = self._store.get(self.recipe(reference), self.weights(case))
        names = self._card(case, "one2many").names
        with ExitStack() as stack:

            def launch() -> Launch:
                worker = Launch(reference, self._setup(reference, artifact), RunPolicy(reference.threads))
                stack.callback(worker.close)
                worker.open()
                return worker

            return evaluate_once(reference, artifact, names, self.data, self.machine, self._cache_root, launch)

    def _record(self, case: Case, run: CaseRun) -> Record:
        artifact = run.subject.setup.artifact
        ran = run.proof()
        policy = {
            "threads": str(case.threads),
            "spin": "each runtime's own",
            "affinity": f"{self.machine.usable_cores} cores",
            "denormals": "flushed to zero",
        }
        only_built = self.only_builds(case)
        metrics = run.metrics()
        return Record(
            case,
            "failed" if run.failure else "built" if only_built else "measured",
            run.failure or only_built or "",
            ArtifactFacts(
                artifact.sha256, artifact.bytes, artifact.recipe, artifact.recipe.digest, self._build_s(artifact)
            ),
            _with_earlier(metrics, self._done.get(case.id)),
            Validity(
                warnings=(*self._notes.get(case.id, ()), *run.notes, *gpu_warnings(metrics.gpu)),
                ran=ran,
                label=ran if isinstance(ran, Absent) else ran.label,
                policy=policy,
                search=self._searches.get(case.id, NO_SEARCH),
            ),
            *self._common,
        )

    def _build_s(self, artifact: Artifact) -> float | Absent:
        """Return what building took, unless the artifact was found elsewhere than in the store."""
        if self._find is not None:
            return Absent("its artifact was not taken from this cache")
        return self._store.cost(artifact.recipe).build_s

    def _fail(self, case: Case, reason: str) -> None:
        self._failures[case.id] = reason
        self._append(Record(case, "failed", reason, Absent(reason), Metrics(), Validity(), *self._common))

    def _append(self, record: Record) -> Record:
        self._done[record.case.id] = record
        for note in records.append(self.folder / "records.jsonl", record):
            self._say(note)
        return record


def _with_earlier(metrics: Metrics, earlier: Record | None) -> Metrics:
    """Fill what this session did not select with what the resumed run has measured of the same case."""
    if earlier is None:
        return metrics
    missing = [field.name for field in fields(Metrics) if getattr(metrics, field.name) == NOT_SELECTED]
    return replace(metrics, **{name: getattr(earlier.metrics, name) for name in missing})
