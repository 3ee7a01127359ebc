"""A study's bench: builds, proves and evaluates each way to run a model, then times all of them turn by turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from benchsuite.artifacts.recipe import Recipe
from benchsuite.backends.proof import contradiction
from benchsuite.backends.schemes import DEFAULT
from benchsuite.detect.accuracy import Matches
from benchsuite.detect.bootstrap import MapLoss, MapReference
from benchsuite.measure.accuracy import Evaluation, EvaluationData
from benchsuite.measure.accuracy_loss import Losses
from benchsuite.measure.case_run import CaseRun
from benchsuite.measure.lock import measuring_lock
from benchsuite.measure.readings import Side
from benchsuite.measure.turns import Turns
from benchsuite.options.chosen import CalibMethod
from benchsuite.runs.images import ALL_IMAGES
from benchsuite.runs.preparation import Preparation
from benchsuite.runs.site import Site
from benchsuite.runs.worth import nothing_found
from benchsuite.study.rows import Built, StudyRow
from benchsuite.study.timed import Readings, TimedWays, time_ways
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case, heading
from benchsuite.terms.errors import BenchsuiteError
from benchsuite.terms.said import said


@dataclass(frozen=True)
class Way:
    """One way to run a model: a case and how its artifact is made; what is default or None is as the options say."""

    case: Case
    scheme: str = DEFAULT
    method: CalibMethod = "default"
    calib: Path | None = None


@dataclass(frozen=True)
class Prepared:
    """A way that was built and evaluated, with what is needed to hold others against it and to time it."""

    row: StudyRow
    side: Side | None = None
    outcomes: tuple[Matches, ...] = ()


class StudyBench:
    """Prepares and times the ways of one study; whatever was built or evaluated before is taken as it is."""

    def __init__(self, site: Site, locked: bool = False) -> None:
        self.site = site
        # A run that searches holds the machine already.
        self._holds = locked
        self._preparation = Preparation(site)
        self._references: dict[str, MapReference] = {}
        self._known: dict[Way, Prepared] = {}

    def prepare(self, ways: Sequence[Way]) -> Mapping[Way, Prepared]:
        """Build, prove and evaluate each way, and hold it against the FP32 of its runtime, prepared first."""
        with self._locked():
            for way in ways:
                self._prepared(Way(reference_of(way.case)))
                self._prepared(way)
        return {way: self._known[way] for way in ways}

    def time(self, prepared: Sequence[Prepared]) -> tuple[tuple[StudyRow, ...], Mapping[str, Readings]]:
        """Time all that ran, with the FP32 rows that they are held against; return the rows with their times.

        The ways of one model at one size take turns: each is a process that stays loaded meanwhile.
        """
        references = (self._known.get(Way(reference_of(it.row.case))) for it in prepared)
        groups: dict[str, dict[str, Side]] = {}
        for it in (*prepared, *(it for it in references if it is not None)):
            if it.side is not None:
                groups.setdefault(heading(it.row.case), {})[it.row.name] = it.side
        effort = self.site.options.effort
        timed: dict[str, TimedWays] = {}
        with self._locked():
            for title, sides in groups.items():
                ways = time_ways(title, sides, Turns(effort.launches, effort.rounds), self.site.say)
                timed |= dict.fromkeys(sides, ways)
        rows = tuple(
            replace(it.row, timed=timed[it.row.name].against(it.row.name, it.row.reference))
            if it.row.name in timed
            else it.row
            for it in prepared
        )
        return rows, {name: readings for ways in timed.values() for name, readings in ways.readings.items()}

    def _locked(self) -> AbstractContextManager[None]:
        return nullcontext() if self._holds else measuring_lock(self.site.say)

    def preparation(self, way: Way) -> Preparation:
        """Return what makes artifacts the given way."""
        options = self.site.options
        options = replace(
            options,
            quant_scheme=options.quant_scheme if way.scheme == DEFAULT else way.scheme,
            calib_method=options.calib_method if way.method == DEFAULT else way.method,
            calib=way.calib or options.calib,
            calib_size=ALL_IMAGES if way.calib else options.calib_size,
        )
        return Preparation(replace(self.site, options=options))

    @property
    def data(self) -> EvaluationData:
        """The evaluated images."""
        return self._preparation.data

    def weights(self, case: Case) -> Path:
        """Return the weights file of a case."""
        return self._preparation.weights(case)

    def _prepared(self, way: Way) -> Prepared:
        if way not in self._known:
            self._known[way] = self._prepare(way)
        return self._known[way]

    def _prepare(self, way: Way) -> Prepared:
        preparation = self.preparation(way)
        row = StudyRow(way.case, way.scheme, way.method, reference_of(way.case).id)
        reason = preparation.why_not(way.case)
        if reason is not None:
            return Prepared(replace(row, reason=reason))
        self.site.say(f"preparing {way.case.id}")
        try:
            run = preparation.case_run(way.case)
            try:
                return self._evaluated(row, run)
            finally:
                run.close()
        except BenchsuiteError as error:
            return Prepared(replace(row, reason=str(error)))

    def _evaluated(self, row: StudyRow, run: CaseRun) -> Prepared:
        evaluation, parity = run.evaluation(), run.parity()
        for note in run.notes:
            self.site.say(note)
        ran = run.account()
        artifact = run.subject.setup.artifact
        accuracy = evaluation.accuracy
        matched, loss = self._held(row, evaluation)
        row = replace(
            row,
            scheme=artifact.recipe.scheme,
            method=artifact.recipe.calibration.method if artifact.recipe.calibration else "",
            conflict=contradiction(row.case, ran) or "",
            built=Built(artifact.sha256, artifact.bytes, artifact.recipe.digest, _calibrated_on(artifact.recipe)),
            ran=ran,
            map50_95=accuracy if isinstance(accuracy, Absent) else accuracy.map50_95,
            parity=parity,
            loss=loss,
        )
        not_run = self._preparation.only_builds(row.case)
        if not_run is not None:
            return Prepared(replace(row, timed=Absent(not_run)), None, matched)
        return Prepared(row, Side(row.case, run.subject.setup), matched)

    def _held(self, row: StudyRow, evaluation: Evaluation) -> tuple[tuple[Matches, ...], MapLoss | Absent]:
        """Return what was scored, empty where it is worth nothing, and what it loses against the row's reference."""
        accuracy = evaluation.accuracy
        if isinstance(accuracy, Absent):
            return (), accuracy
        if nothing := nothing_found(accuracy):
            return (), Absent(nothing)
        matched = self._losses.matched(evaluation)
        reference = self._known.get(Way(reference_of(row.case)))
        if reference is None:
            return matched, row.loss
        name, unknown = reference.row.name, reference.row.loss
        if not reference.outcomes and isinstance(unknown, Absent):
            return matched, Absent(said("{1} has no accuracy: {2}", name, unknown.reason))
        if name not in self._references:
            self._references[name] = MapReference(reference.outcomes)
        return matched, self._references[name].loss(matched)

    @cached_property
    def _losses(self) -> Losses:
        return Losses(self.data)


def reference_of(case: Case) -> Case:
    """Return the case that a row is held against: FP32 on the same runtime."""
    return replace(case, precision="fp32", way="", rebuild=0, scheme="")


def _calibrated_on(recipe: Recipe) -> int:
    return recipe.calibration.size if recipe.calibration else 0
