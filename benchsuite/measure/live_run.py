"""One case being measured here: a worker is started when it is first needed, and each step is taken once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

import numpy as np

from benchsuite.backends.interface import Ran, RunPolicy
from benchsuite.backends.proof import contradiction
from benchsuite.detect.parity import Parity, compare
from benchsuite.machine.nvml import GpuState, read_gpu
from benchsuite.measure.accuracy import Evaluation, evaluate_once
from benchsuite.measure.case_run import Subject
from benchsuite.measure.gpu_use import gpu_use
from benchsuite.measure.launch import Launch
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
from benchsuite.terms.errors import ProcessError, SessionError

T = TypeVar("T")
# Enough for a median and a p95 of the device's own times, which noting would make a call slower.
_MARKED_CALLS = 200


@dataclass(frozen=True)
class Timed:
    """What one stretch of timed calls told."""

    latency: Latency
    memory: Memory
    gpu: GpuUse | Absent


class LiveRun:
    """Measures one subject; a failure is kept and raised again by every step that was not taken before it.

    Memory is read right after sampling, before anything else runs in the worker.
    """

    def __init__(self, subject: Subject, reference: Callable[[], Evaluation]) -> None:
        self.subject = subject
        self.failure: str | None = None
        self.notes: tuple[str, ...] = ()
        self._reference = reference
        self._launch: Launch | None = None
        self._cold: Cold | None = None
        self._taken: dict[str, object] = {}

    def latency(self) -> Latency:
        return self._once(self._timed).latency

    def memory(self) -> Memory:
        return self._once(self._timed).memory

    def cold(self) -> Cold:
        return self._once(self._started)

    def throughput(self) -> Throughput:
        return self._once(self._saturated)

    def evaluation(self) -> Evaluation:
        return self._once(self._evaluated)

    def parity(self) -> Parity | Absent:
        return self._once(self._compared)

    def complexity(self) -> Complexity:
        return self.subject.complexity

    def ran(self) -> Ran:
        return self._once(self._proved)

    def account(self) -> Ran:
        return self._once(self._told)

    def proof(self) -> Ran | Absent:
        unknown = Absent(self.failure) if self.failure else NOT_SELECTED
        return self._known(self._proved) or self._known(self._told) or unknown

    def metrics(self) -> Metrics:
        timed, evaluation = self._known(self._timed), self._known(self._evaluated)
        return Metrics(
            latency=timed.latency if timed else NOT_SELECTED,
            cold=self._cold or NOT_SELECTED,
            throughput=self._known(self._saturated) or NOT_SELECTED,
            memory=timed.memory if timed else NOT_SELECTED,
            complexity=self.subject.complexity,
            accuracy=evaluation.accuracy if evaluation else NOT_SELECTED,
            parity=self._known(self._compared) or NOT_SELECTED,
            gpu=(timed.gpu if timed else NOT_SELECTED) if self.subject.case.on_gpu else ON_CPU,
        )

    def close(self) -> None:
        if self._launch is not None:
            self._launch.close()
            self._launch = None

    def _once(self, step: Callable[[], T]) -> T:
        """Return what a step gave when it was taken, or take it."""
        name = step.__name__
        if name not in self._taken:
            if self.failure is not None:
                raise SessionError(self.failure)
            try:
                self._taken[name] = step()
            except (ProcessError, SessionError) as error:
                self.failure = str(error)
                raise SessionError(self.failure) from None
        return cast("T", self._taken[name])

    def _known(self, step: Callable[[], T]) -> T | None:
        return cast("T | None", self._taken.get(step.__name__))

    def _opened(self) -> Launch:
        if self._launch is None:
            self._launch = Launch(self.subject.case, self.subject.setup, RunPolicy(self.subject.case.threads))
            self._cold = self._launch.open()
        return self._launch

    def _started(self) -> Cold:
        self._opened()
        assert self._cold is not None
        return self._cold

    def _timed(self) -> Timed:
        launch = self._opened()
        path = self.subject.samples_folder / f"{self.subject.case.id.replace(':', '_')}.npz"
        raw = path.with_suffix(".npy")
        path.parent.mkdir(parents=True, exist_ok=True)
        before = self._gpu_state()
        warmup_calls = launch.sample(self.subject.effort, raw)
        after = self._gpu_state()
        memory = launch.memory()
        samples = np.load(raw)
        np.savez_compressed(path, **{f"{phase}_ns": samples[:, column] for column, phase in enumerate(PHASES)})
        raw.unlink()
        phases = {f"{phase}_ns": describe(samples[:, column]) for column, phase in enumerate(PHASES)}
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        name = f"{path.parent.name}/{path.name}"
        latency = Latency(**phases, warmup_calls=warmup_calls, samples_file=name, samples_sha256=digest)
        gpu: GpuUse | Absent = NOT_SELECTED
        if before is not None and after is not None:
            calls = warmup_calls + len(samples)
            gpu = gpu_use(before, after, calls, launch.pid, launch.mark(min(len(samples), _MARKED_CALLS)))
        return Timed(latency, memory, gpu)

    def _gpu_state(self) -> GpuState | None:
        return read_gpu(self.subject.setup.gpu) if self.subject.setup.gpu else None

    def _saturated(self) -> Throughput:
        return measure_throughput(self.subject.case, self.subject.setup, self.subject.effort)

    def _evaluated(self) -> Evaluation:
        it = self.subject
        found = evaluate_once(
            it.case, it.setup.artifact, it.names, it.data, it.machine, it.setup.cache_root, self._opened
        )
        self.notes += found.notes
        return found

    def _compared(self) -> Parity | Absent:
        candidate = self.evaluation()
        reference = self._reference()
        self.notes += reference.notes
        return compare(reference.detections, candidate.detections, self.subject.names, "torch fp32")

    def _told(self) -> Ran:
        return self._opened().ran()

    def _proved(self) -> Ran:
        ran = self.account()
        conflict = contradiction(self.subject.case, ran)
        if conflict:
            raise SessionError(conflict)
        return ran
