"""What a search for the lightest detector tries, and what it finds of each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchsuite.detect.bootstrap import MapLoss
from benchsuite.machine.facts import Machine
from benchsuite.runs.worth import keeps
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.numbers import Measure, TimeRatio
from benchsuite.terms.said import Sentence

SCHEMA = 1
NOT_TIMED = Absent("it was not timed")
LATENCY_GOALS = ("p50", "p90", "p95", "p99")


@dataclass(frozen=True)
class Goal:
    """The time that a percentile of total latency must not exceed; without a percentile, as fast as can be."""

    percentile: str = ""
    limit_ns: Measure = 0.0

    @property
    def text(self) -> str:
        return f"{self.percentile}<={self.limit_ns / 1e6:g}ms" if self.percentile else ""


@dataclass(frozen=True)
class LightenPlan:
    """What is searched for and in which bounds; the first of the sizes is the one that the weights are held at."""

    name: str
    weights: Path
    data: str
    sizes: tuple[int, ...]
    goal: Goal
    max_map_drop: float
    budget_s: float
    train_budget_s: float
    ratios: tuple[float, ...]
    epochs: int
    train_images: int
    effort: str


@dataclass(frozen=True)
class Scored:
    """A candidate that was built, proved and evaluated; `loss` is against the weights as given, in PyTorch FP32.

    `reason` says why it cannot be deployed, or nothing.
    """

    case: Case
    ratio: float
    scheme: str
    bytes: int | Absent
    map50_95: float | Absent
    loss: MapLoss | Absent
    reason: Sentence = ""

    @property
    def name(self) -> str:
        return self.case.id

    def keeps(self, max_map_drop: float) -> bool:
        """Say whether it runs as it says and is shown to lose no more accuracy than it may."""
        return not self.reason and not isinstance(self.loss, Absent) and keeps(self.loss.ci95, max_map_drop)


@dataclass(frozen=True)
class CandidateTime:
    """Total latency of one candidate in one timing, and how many times as long as the weights as given it takes."""

    name: str
    p50_ns: Measure
    percentile_ns: Measure | Absent
    ratio: TimeRatio
    ratio_ci95: tuple[TimeRatio, TimeRatio]


@dataclass(frozen=True)
class Round:
    """Candidates that took turns: their times, the fastest first, and which of them are not told from the fastest."""

    title: Sentence
    times: tuple[CandidateTime, ...]
    close: tuple[str, ...]
    failures: dict[str, str]
    noise: Sentence


@dataclass(frozen=True)
class TrainedRatio:
    """A share of the channels that was pruned and trained: the file, and what it took."""

    ratio: float
    file: str
    epochs: int
    imgsz: int
    train_s: Measure


@dataclass(frozen=True)
class Lightest:
    """What a search found: every candidate, the rounds in which they were timed, and the answer's name.

    `answer` is empty where nothing that keeps the accuracy could be timed.
    """

    command: str
    finished: str
    machine: Machine
    effort: str
    data: str
    images: int
    weights: str
    weights_sha256: str
    goal: Goal
    max_map_drop: Measure
    original: str
    scored: tuple[Scored, ...]
    rounds: tuple[Round, ...]
    trained: tuple[TrainedRatio, ...]
    left_out: tuple[Sentence, ...]
    answer: str
    schema: int = SCHEMA

    @property
    def meets(self) -> bool:
        """Whether the answer meets the goal, by the last time that it was timed; any answer meets none."""
        told = self.time_of(self.answer)
        if isinstance(told, Absent):
            return False
        if not self.goal.percentile:
            return True
        return not isinstance(told.percentile_ns, Absent) and told.percentile_ns <= self.goal.limit_ns

    def scored_as(self, name: str) -> Scored:
        """Return the candidate of a name."""
        return next(it for it in self.scored if it.name == name)

    def time_of(self, name: str) -> CandidateTime | Absent:
        """Return the last time of a candidate."""
        found = [it for one in self.rounds for it in one.times if it.name == name]
        return found[-1] if found else NOT_TIMED
