"""What is measured of one case, whatever can be: a runtime that runs here, or an engine that was only built."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchsuite.backends.interface import Ran
from benchsuite.detect.parity import Parity
from benchsuite.machine.facts import Machine
from benchsuite.measure.accuracy import Evaluation, EvaluationData
from benchsuite.measure.effort import Effort
from benchsuite.measure.launch import WorkerSetup
from benchsuite.measure.measurement import Cold, Complexity, Latency, Memory, Metrics, Throughput
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.said import Sentence


@dataclass(frozen=True)
class Subject:
    """Everything that is known of a case before it runs; `unscored` says why its accuracy would be worth nothing."""

    case: Case
    setup: WorkerSetup
    names: tuple[str, ...]
    complexity: Complexity
    data: EvaluationData
    machine: Machine
    effort: Effort
    samples_folder: Path
    unscored: Sentence = ""


class CaseRun(Protocol):
    """Measures one subject, each metric once, whoever asks first.

    A metric raises SessionError where the case failed, now or before, and NotRunError where it cannot run here.
    """

    @property
    def subject(self) -> Subject: ...

    @property
    def failure(self) -> str | None:
        """Return why the case failed, or None."""
        ...

    def latency(self) -> Latency:
        """Return the latency of all phases."""
        ...

    def memory(self) -> Memory:
        """Return the memory of the worker that was sampled."""
        ...

    def cold(self) -> Cold:
        """Return what loading and the first inference cost."""
        ...

    def throughput(self) -> Throughput:
        """Return the saturated throughput, from workers of its own."""
        ...

    def evaluation(self) -> Evaluation:
        """Return accuracy and detections on the evaluated images."""
        ...

    def parity(self) -> Parity | Absent:
        """Return how far the detections agree with PyTorch FP32's; absent where it finds nothing or did not run."""
        ...

    def complexity(self) -> Complexity:
        """Return parameters and GFLOPs."""
        ...

    def ran(self) -> Ran:
        """Return the proof of what ran; raises SessionError where it contradicts the case's name."""
        ...

    def account(self) -> Ran:
        """Return the runtime's own account of what ran, whether it contradicts the case's name or not."""
        ...

    def proof(self) -> Ran | Absent:
        """Return the proof as far as there is one."""
        ...

    def metrics(self) -> Metrics:
        """Return what has been measured so far."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what was odd about kept files that figures were taken from."""
        ...

    def close(self) -> None:
        """End the worker."""
        ...
