"""What a bench test holds in its hands: measured values that pytest-benchmark can replay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import pytest

from benchsuite.backends.interface import Ran
from benchsuite.detect.accuracy import Accuracy
from benchsuite.detect.parity import Parity
from benchsuite.machine.arrays import read_arrays
from benchsuite.measure.case_run import CaseRun
from benchsuite.measure.measurement import Cold, Complexity, Latency, Memory, Throughput
from benchsuite.runs import figures
from benchsuite.runs.figures import Metric
from benchsuite.runs.records import ArtifactFacts, Record
from benchsuite.terms.absence import NOT_SELECTED, Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import NotRunError, RecordError
from benchsuite.terms.reading import inside, why
from benchsuite.terms.said import said

if TYPE_CHECKING:
    from benchsuite.runs.runner import Runner

T = TypeVar("T")


class ReplayTimer:
    """A clock for pytest-benchmark that reads durations which were measured before; seconds, like its own."""

    def __init__(self) -> None:
        # pytest-benchmark writes a timer's name into its JSON.
        self.__name__ = "ReplayTimer"
        self._readings: list[float] = []

    def load(self, durations_ns: Sequence[int]) -> None:
        """Make the next pairs of readings lie these durations apart."""
        self._readings = [reading for ns in reversed(durations_ns) for reading in (ns / 1e9, 0.0)]

    def __call__(self) -> float:
        if not self._readings:
            raise RuntimeError("this test's clock replays measured samples: call `latency.replay(benchmark)`")
        return self._readings.pop()


def _nothing() -> None:
    """Stand for the work that the worker did when the samples were taken."""


class Unseen:
    """Take samples as pytest-benchmark does, and show them nowhere."""

    def __init__(self) -> None:
        self.extra_info: dict[str, Any] = {}

    def pedantic(self, function: Callable[[], None], **_: object) -> None:
        """Do nothing."""


class NoBenchmark:
    """The plugin that stands in for pytest-benchmark where `-p no:benchmark` leaves it out."""

    @pytest.fixture
    def benchmark(self) -> Unseen:
        """Give a test that replays its samples somebody to take them."""
        return Unseen()


@dataclass(frozen=True)
class Measured(Generic[T]):
    """One metric of one case, with the record as it stood when the metric was measured."""

    metric: Metric
    value: T
    record: Record

    @property
    def case(self) -> Case:
        return self.record.case


@dataclass(frozen=True)
class MeasuredLatency(Measured[Latency]):
    """Latency whose raw samples pytest-benchmark can show as its own."""

    total_ns: tuple[int, ...]
    timer: ReplayTimer

    def replay(self, benchmark: Any) -> None:
        """Give the samples of the total latency to pytest-benchmark's table, JSON and histogram."""
        self.timer.load(self.total_ns)
        benchmark.extra_info.update(extra_info(self.record))
        benchmark.pedantic(_nothing, rounds=len(self.total_ns), iterations=1, warmup_rounds=0)


@dataclass(frozen=True)
class MeasuredArtifact(Measured[ArtifactFacts]):
    """The artifact that is measured, its size and its digest at hand."""

    @property
    def bytes(self) -> int:
        return self.value.bytes

    @property
    def sha256(self) -> str:
        return self.value.sha256


class BenchRun:
    """The `run` fixture: measures a case's metrics in its worker, each once, whichever test asks first."""

    def __init__(
        self, runner: Runner, timer: ReplayTimer, tell: Callable[[tuple[str, object]], None] = lambda _: None
    ) -> None:
        self._runner = runner
        self._timer = timer
        # Takes the name and the value of each figure.
        self._tell = tell

    def latency(self, case: Case) -> MeasuredLatency:
        """Measure preprocess, inference, postprocess and total latency."""
        measured = self._measured(case, "latency", lambda run: run.latency())
        return MeasuredLatency("latency", measured.value, measured.record, self._samples(measured.value), self._timer)

    def cold(self, case: Case) -> Measured[Cold]:
        """Measure import, load and first inference."""
        return self._measured(case, "cold", lambda run: run.cold())

    def memory(self, case: Case) -> Measured[Memory]:
        """Measure the worker's resident memory."""
        return self._measured(case, "memory", lambda run: run.memory())

    def throughput(self, case: Case) -> Measured[Throughput]:
        """Measure images per second of saturated workers."""
        return self._measured(case, "throughput", lambda run: run.throughput())

    def accuracy(self, case: Case) -> Measured[Accuracy | Absent]:
        """Measure mAP; absent with a reason where the data cannot score the model."""
        return self._measured(case, "accuracy", lambda run: run.evaluation().accuracy)

    def parity(self, case: Case) -> Measured[Parity | Absent]:
        """Measure agreement with the detections of PyTorch FP32; absent with a reason where there are none."""
        return self._measured(case, "parity", lambda run: run.parity())

    def complexity(self, case: Case) -> Measured[Complexity]:
        """Count parameters and GFLOPs."""
        return self._measured(case, "complexity", lambda run: run.complexity())

    def proof(self, case: Case) -> Measured[Ran]:
        """Read back what ran; raises SessionError where it contradicts the case's name."""
        recorded = self._runner.recorded(case)
        if recorded is not None and isinstance(recorded.validity.ran, Ran):
            return self._told(Measured("proof", recorded.validity.ran, recorded))
        run = self._runner.case_run(case)
        return self._told(Measured("proof", run.ran(), self._runner.provisional(run)))

    def artifact(self, case: Case) -> MeasuredArtifact:
        """Return the artifact that is measured."""
        measured = self._measured(case, "artifact", lambda run: self._runner.provisional(run).artifact)
        assert isinstance(measured.value, ArtifactFacts)
        return MeasuredArtifact("artifact", measured.value, measured.record)

    def _measured(self, case: Case, metric: Metric, measure: Callable[[CaseRun], T]) -> Measured[T]:
        recorded = self._runner.recorded(case)
        if recorded is not None and recorded.outcome in ("measured", "built"):
            value: Any = recorded.artifact if metric == "artifact" else getattr(recorded.metrics, metric)
            if recorded.outcome == "built" and isinstance(value, Absent) and value != NOT_SELECTED:
                raise NotRunError(value.reason)
            if value != NOT_SELECTED:
                return self._told(Measured(metric, value, recorded))
        run = self._runner.case_run(case)
        value = measure(run)
        return self._told(Measured(metric, value, self._runner.provisional(run)))

    def _told(self, measured: Measured[T]) -> Measured[T]:
        self._tell(("case", measured.case.id))
        for figure in figures.FIGURES:
            if figure.metric == measured.metric and figure.names.junit:
                value = figure.read(measured.record)
                if not isinstance(value, Absent):
                    self._tell((figure.names.junit, value))
        if measured.metric == "proof" and not isinstance(measured.record.validity.label, Absent):
            self._tell(("ran", measured.record.validity.label))
        return measured

    def _samples(self, latency: Latency) -> tuple[int, ...]:
        try:
            path = inside(self._runner.site.folder, latency.samples_file)
            return tuple(int(ns) for ns in read_arrays(path, ("total_ns",))["total_ns"])
        except (OSError, ValueError, RecordError) as error:
            raise RecordError(said("{1} cannot be read: {2}", latency.samples_file, why(error))) from None


def extra_info(record: Record) -> dict[str, Any]:
    """Return the figures that pytest-benchmark keeps beside the timings, in its JSON."""
    label = record.validity.label
    ran = {"absent": label.reason} if isinstance(label, Absent) else label
    info: dict[str, Any] = {"case": record.case.id, "ran": ran}
    for figure in figures.FIGURES:
        value = figure.read(record)
        if figure.names.benchmark and not isinstance(value, Absent):
            info[figure.names.benchmark] = value
    if not isinstance(record.artifact, Absent):
        info["artifact_sha256"] = record.artifact.sha256
    return info
