"""What lighter weights are worth beside the weights that they were made from: size, operations, accuracy, time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from benchsuite.artifacts.digests import digest_folder
from benchsuite.artifacts.recipe import Artifact
from benchsuite.detect.accuracy import Accuracy
from benchsuite.measure.accuracy import Evaluation
from benchsuite.measure.accuracy_loss import Losses
from benchsuite.measure.lock import measuring_lock
from benchsuite.measure.measurement import AccuracyLoss, Complexity
from benchsuite.measure.readings import Side
from benchsuite.measure.turns import Turns
from benchsuite.options.settings import parse
from benchsuite.runs.preparation import Preparation
from benchsuite.runs.site import open_site
from benchsuite.study.timed import Timed, time_ways
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import BenchsuiteError


@dataclass(frozen=True)
class ScoredWeights:
    """One checkpoint, evaluated by one runtime at one precision; `loss` is against the first that was scored."""

    name: str
    sha256: str
    file_bytes: int
    complexity: Complexity
    accuracy: Accuracy | Absent
    loss: AccuracyLoss | Absent
    classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class TimedArtifact:
    """What one runtime made of one checkpoint, and how long it takes beside what it made of the first."""

    backend: str
    bytes: int | Absent
    timed: Timed | Absent


class WeightsBench:
    """Scores and times checkpoints, by their names, on the same images at the same size; the first is the reference."""

    def __init__(
        self, weights: Mapping[str, Path], options: Mapping[str, str], folder: Path, say: Callable[[str], None]
    ) -> None:
        self._weights = weights
        self._options = {**options, "model": ",".join(f"{name}={path}" for name, path in weights.items())}
        self._folder = folder
        self._say = say

    def score(
        self, backend: str = "torch", precision: str = "fp32", built: Mapping[str, Path] | None = None
    ) -> tuple[ScoredWeights, ...]:
        """Evaluate every checkpoint on the CPU by one runtime; raises what building and evaluating raise.

        `built` are folders with artifacts that take the place of those that would be built.
        """
        asked = {"backend": backend, "precision": precision, "device": "cpu"}
        preparation, cases = self._prepared({**self._options, **asked})
        losses, reference = Losses(preparation.data), next(iter(self._weights))
        made = {
            name: Preparation(preparation.site, source=_Folder(preparation, folder))
            for name, folder in (built or {}).items()
        }
        subjects = {
            name: made.get(name, preparation).subject(case) for name, case in zip(self._weights, cases, strict=True)
        }
        evaluations: dict[str, Evaluation] = {name: preparation.evaluate(it) for name, it in subjects.items()}
        return tuple(
            ScoredWeights(
                name,
                subject.setup.artifact.recipe.weights_sha256,
                self._weights[name].stat().st_size,
                subject.complexity,
                evaluations[name].accuracy,
                losses.of(evaluations[name], evaluations[reference], reference),
                subject.names,
            )
            for name, subject in subjects.items()
        )

    def time(self) -> Mapping[str, tuple[TimedArtifact, ...]]:
        """Build every checkpoint for each runtime that is asked for, time them turn by turn, and return it by name."""
        preparation, cases = self._prepared(self._options)
        effort, names = preparation.site.options.effort, list(self._weights)
        slugs = {model.slug: name for model, name in zip(preparation.site.models, names, strict=True)}
        found: dict[str, list[TimedArtifact]] = {name: [] for name in names}
        for backend in dict.fromkeys(case.backend for case in cases):
            sides: dict[str, Side] = {}
            failed: dict[str, Absent] = {}
            for case in (case for case in cases if case.backend == backend):
                try:
                    sides[slugs[case.model]] = _side(preparation, case)
                except BenchsuiteError as error:
                    failed[slugs[case.model]] = Absent(str(error))
            ways = None
            if names[0] in sides and len(sides) > 1:
                with measuring_lock(self._say):
                    ways = time_ways(backend, sides, Turns(effort.launches, effort.rounds), self._say)
            for name in names:
                timed = failed.get(name) or failed.get(names[0])
                if timed is None:
                    assert ways is not None
                    found[name].append(
                        TimedArtifact(backend, sides[name].setup.artifact.bytes, ways.against(name, names[0]))
                    )
                else:
                    found[name].append(TimedArtifact(backend, timed, timed))
        return {name: tuple(artifacts) for name, artifacts in found.items()}

    def _prepared(self, options: Mapping[str, str]) -> tuple[Preparation, tuple[Case, ...]]:
        site, cases = open_site(parse(options), self._say)
        return Preparation(replace(site, folder=self._folder)), cases


class _Folder:
    """An artifact that lies in a folder and was not built from its case's recipe."""

    def __init__(self, preparation: Preparation, folder: Path) -> None:
        self._preparation = preparation
        self._folder = folder

    def artifact(self, case: Case) -> Artifact:
        """Return what lies there, whatever the case."""
        sha256, size_bytes = digest_folder(self._folder)
        return Artifact(self._preparation.recipe(case), str(self._folder), sha256, size_bytes)


def _side(preparation: Preparation, case: Case) -> Side:
    reason = preparation.why_not(case) or preparation.only_builds(case)
    if reason:
        raise BenchsuiteError(reason)
    return Side(case, preparation.subject(case).setup)
