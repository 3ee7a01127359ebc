"""One case being measured: a worker is started when it is first needed, and each metric is measured once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchsuite.backends.interface import Ran, RunPolicy
from benchsuite.backends.proof import contradiction
from benchsuite.detect.parity import Parity, compare
from benchsuite.machine.facts import Machine
from benchsuite.machine.nvml import GpuState, read_gpu
from benchsuite.measure.accuracy import Evaluation, EvaluationData, evaluate_once
from benchsuite.measure.effort import Effort
from benchsuite.measure.gpu_use import gpu_use
from benchsuite.measure.launch import Launch, WorkerSetup
from benchsuite.measure.measurement import (
    ON_CPU,
    PHASES,
    Cold,
    Complexity,
    GpuUse,
    Latency,
    Memory,
    Metrics,
    Throughput,
)
from benchsuite.measure.statistics import describe
from benchsuite.measure.throughput import measure_throughput
from benchsuite.terms.absence import NOT_SELECTED, Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import ProcessError, SessionError

# Enough for a median and a p95 of the device's own times, which noting would make a call slower.
_MARKED_CALLS = 200


@dataclass(frozen=True)
class Subject:
    """Everything that is known of a case before it runs."""

    case: Case
    setup: WorkerSetup
    names: tuple[str, ...]
    complexity: Complexity
    data: EvaluationData
    machine: Machine
    effort: Effort
    samples_folder: Path


class CaseRun:
    """Measures one subject; a failure is kept and raised again by every later metric.

    Memory is read right after sampling, before anything else runs in the worker.
    """

    def __init__(self, subject: Subject, reference: Callable[[], Evaluation]) -> None:
        self._subject = subject
        self._reference = reference
        self._policy = RunPolicy(subject.case.threads)
        self._launch: Launch | None = None
        self._cold: Cold | None = None
        self._latency: Latency | Absent = NOT_SELECTED
        self._memory: Memory | Absent = NOT_SELECTED
        self._gpu: GpuUse | Absent = NOT_SELECTED
        self._throughput: Throughput | Absent = NOT_SELECTED
        self._evaluation: Evaluation | None = None
        self._parity: Parity | Absent = NOT_SELECTED
        self._ran: Ran | None = None
        self._failure: str | None = None
        self._notes: list[str] = []

    @property
    def failure(self) -> str | None:
        """Return why the case failed, or None."""
        return self._failure

    @property
    def subject(self) -> Subject:
        return self._subject

    def latency(self) -> Latency:
        """Return the latency of all phases."""
        if isinstance(self._latency, Absent):
            self._guarded(self._sample)
        assert isinstance(self._latency, Latency)
        return self._latency

    def memory(self) -> Memory:
        """Return the memory of the worker that was sampled."""
        self.latency()
        assert isinstance(self._memory, Memory)
        return self._memory

    def cold(self) -> Cold:
        """Return what loading and the first inference cost."""
        self._guarded(self._opened)
        assert self._cold is not None
        return self._cold

    def throughput(self) -> Throughput:
        """Return the saturated throughput, from workers of its own."""
        if isinstance(self._throughput, Absent):
            self._guarded(self._saturate)
        assert isinstance(self._throughput, Throughput)
        return self._throughput

    def evaluation(self) -> Evaluation:
        """Return accuracy and detections on the evaluated images."""
        if self._evaluation is None:
            self._guarded(self._evaluate)
        assert self._evaluation is not None
        return self._evaluation

    def parity(self) -> Parity:
        """Return how far the detections agree with PyTorch FP32's."""
        if isinstance(self._parity, Absent):
            self._guarded(self._compare)
        assert isinstance(self._parity, Parity)
        return self._parity

    def complexity(self) -> Complexity:
        """Return parameters and GFLOPs."""
        return self._subject.complexity

    def ran(self) -> Ran:
        """Return the proof of what ran; raises SessionError where it contradicts the case's name."""
        if self._ran is None:
            self._guarded(self._prove)
        assert self._ran is not None
        return self._ran

    def account(self) -> Ran:
        """Return the runtime's own account of what ran, whether it contradicts the case's name or not."""
        accounts: list[Ran] = []
        self._guarded(lambda: accounts.append(self._opened().ran()))
        return accounts[0]

    def proof(self) -> Ran | Absent:
        """Return the proof as far as there is one."""
        return self._ran or Absent(self._failure or "not selected")

    def metrics(self) -> Metrics:
        """Return what has been measured so far."""
        return Metrics(
            latency=self._latency,
            cold=self._cold or NOT_SELECTED,
            throughput=self._throughput,
            memory=self._memory,
            complexity=self._subject.complexity,
            accuracy=self._evaluation.accuracy if self._evaluation else NOT_SELECTED,
            parity=self._parity,
            gpu=self._gpu if self._subject.case.on_gpu else ON_CPU,
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what was odd about kept files that figures were taken from."""
        return tuple(self._notes)

    def close(self) -> None:
        """End the worker."""
        if self._launch is not None:
            self._launch.close()
            self._launch = None

    def _guarded(self, step: Callable[[], object]) -> None:
        if self._failure is not None:
            raise SessionError(self._failure)
        try:
            step()
        except (ProcessError, SessionError) as error:
            self._failure = str(error)
            raise SessionError(self._failure) from None

    def _opened(self) -> Launch:
        if self._launch is None:
            self._launch = Launch(self._subject.case, self._subject.setup, self._policy)
            self._cold = self._launch.open()
        return self._launch

    def _sample(self) -> None:
        launch = self._opened()
        path = self._subject.samples_folder / f"{self._subject.case.id.replace(':', '_')}.npz"
        raw = path.with_suffix(".npy")
        path.parent.mkdir(parents=True, exist_ok=True)
        before = self._gpu_state()
        warmup_calls = launch.sample(self._subject.effort, raw)
        after = self._gpu_state()
        self._memory = launch.memory()
        samples = np.load(raw)
        np.savez_compressed(path, **{f"{phase}_ns": samples[:, column] for column, phase in enumerate(PHASES)})
        raw.unlink()
        phases = {f"{phase}_ns": describe(samples[:, column]) for column, phase in enumerate(PHASES)}
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        name = f"{path.parent.name}/{path.name}"
        self._latency = Latency(**phases, warmup_calls=warmup_calls, samples_file=name, samples_sha256=digest)
        if before is not None and after is not None:
            calls = warmup_calls + len(samples)
            self._gpu = gpu_use(before, after, calls, launch.pid, launch.mark(min(len(samples), _MARKED_CALLS)))

    def _gpu_state(self) -> GpuState | None:
        return read_gpu(self._subject.setup.gpu) if self._subject.setup.gpu else None

    def _saturate(self) -> None:
        subject = self._subject
        self._throughput = measure_throughput(subject.case, subject.setup, subject.effort)

    def _evaluate(self) -> None:
        subject = self._subject
        self._evaluation = evaluate_once(
            subject.case,
            subject.setup.artifact,
            subject.names,
            subject.data,
            subject.machine,
            subject.setup.cache_root,
            self._opened,
        )
        self._notes += self._evaluation.notes

    def _compare(self) -> None:
        candidate = self.evaluation()
        reference = self._reference()
        self._notes += reference.notes
        self._parity = compare(reference.detections, candidate.detections, self._subject.names, "torch fp32")

    def _prove(self) -> None:
        ran = self._opened().ran()
        self._ran = ran
        conflict = contradiction(self._subject.case, ran)
        if conflict:
            raise SessionError(conflict)
