"""A worker with an open session, as its parent sees it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

from benchsuite.artifacts.recipe import Artifact
from benchsuite.backends import backend
from benchsuite.backends.interface import DeviceTimes, Ran, RunPolicy
from benchsuite.detect.accuracy import Accuracy
from benchsuite.machine.nvml import process_bytes
from benchsuite.machine.processes import Child, offline_environment
from benchsuite.measure.effort import ROTATING_INPUTS
from benchsuite.measure.measurement import ON_CPU, Cold, Memory
from benchsuite.measure.requests import (
    NAMES,
    REQUESTS,
    A,
    AskMemory,
    AskRan,
    Evaluate,
    Mark,
    Open,
    Read,
    Reading,
    Request,
    Saturate,
    Saturated,
    Turn,
    Turned,
    WarmUp,
)
from benchsuite.terms.absence import NOT_SELECTED, Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.codec import from_builtins, to_builtins

_OPEN_DEADLINE_S = 300
_SLOW_OPEN_DEADLINE_S = 1200
_GRACE_S = 120
# A hung worker of the gate must not eat the gate's budget.
_READ_GRACE_S = 30


@dataclass(frozen=True)
class WorkerSetup:
    """Where a case is measured: what a worker needs beside the case itself."""

    artifact: Artifact
    images: tuple[Path, ...]
    cache_root: Path
    log: Path
    python: str = sys.executable
    # The UUID of the one GPU that the worker sees; empty for none.
    gpu: str = ""


class Launch:
    """One worker process; every method blocks until the worker answers, so the parent sleeps while it measures.

    What begins with `send_` only asks, so that several workers can be busy at the same time.
    """

    def __init__(self, case: Case, setup: WorkerSetup, policy: RunPolicy) -> None:
        self._case = case
        self._setup = setup
        self._policy = policy
        environment = worker_environment(policy, setup.cache_root, setup.gpu)
        self._child = Child.start(
            "benchsuite.measure.worker", setup.log, environment, setup.python, name=f"{case.row_name} worker"
        )

    @property
    def pid(self) -> int:
        return self._child.pid

    def open(self) -> Cold:
        """Load the artifact and run it once."""
        self.send_open()
        return self.receive_open()

    def send_open(self) -> None:
        """Start loading."""
        images = tuple(str(path) for path in self._setup.images[: ROTATING_INPUTS * self._case.batch])
        self._send(Open(self._case, self._policy, self._setup.artifact.folder, images))

    def receive_open(self) -> Cold:
        """Wait for the loading that `send_open` started."""
        slow = backend(self._case.backend).slow_to_load(self._case)
        return self._receive(Open, _SLOW_OPEN_DEADLINE_S if slow else _OPEN_DEADLINE_S).cold

    def turn(self, lasting_ns: int, fewest: int, discard: int, call_ns: float, slowdown: float = 0.0) -> Turned:
        """Time calls phase by phase, and watch what else runs meanwhile; `slowdown` as in `read`.

        A worker that takes far longer than by `call_ns` a call is killed.
        """
        expected_s = max(lasting_ns, (fewest + discard) * call_ns) / 1e9
        return self._ask(Turn(lasting_ns, fewest, discard, slowdown), _READ_GRACE_S + 20 * expected_s)

    def read(self, calls: int, discard: int, expected_s: float, slowdown: float = 0.0) -> Reading:
        """Time calls of the whole pipeline after discarded ones; `slowdown` injects a busy wait of that share.

        A worker that takes far longer than `expected_s` is killed.
        """
        return self._ask(Read(calls, discard, slowdown), _READ_GRACE_S + 20 * expected_s)

    def mark(self, calls: int) -> tuple[DeviceTimes, ...] | Absent:
        """Run calls whose parts the device times itself; absent where the runtime does not let it."""
        answer = self._ask(Mark(calls), _OPEN_DEADLINE_S)
        return answer if isinstance(answer, Absent) else answer.times

    def memory(self) -> Memory:
        """Return the worker's memory so far."""
        answer = self._ask(AskMemory(), _GRACE_S)
        on_gpu = process_bytes(self._setup.gpu, self.pid) if self._setup.gpu else ON_CPU
        return Memory(**asdict(answer), gpu_bytes=on_gpu)

    def ran(self) -> Ran:
        """Return the runtime's account of what it ran."""
        return self._ask(AskRan(), _OPEN_DEADLINE_S).ran

    def evaluate(
        self, images: Sequence[Path], data: Path, data_sha256: str, score: bool, path: Path, scored_path: Path
    ) -> Accuracy | Absent:
        """Detect on the images and return accuracy, not selected where it is not to be scored.

        `path` gets the detections of a deployment, `scored_path` those that are scored.
        """
        names = tuple(str(image) for image in images)
        asked = Evaluate(names, str(data), data_sha256, score, str(path), str(scored_path))
        return self._ask(asked, _GRACE_S + 10.0 * len(images)).accuracy or NOT_SELECTED

    def send_warm_up(self, cap_ns: int) -> None:
        """Start running until call times are steady."""
        self._send(WarmUp(cap_ns))

    def receive_warm_up(self) -> int:
        """Wait for `send_warm_up` and return the calls that it took."""
        return self._receive(WarmUp, _OPEN_DEADLINE_S).calls

    def send_saturate(self, start_ns: int, stop_ns: int) -> None:
        """Start running without pause until after `stop_ns`."""
        self._send(Saturate(start_ns, stop_ns))

    def receive_saturated(self, deadline_s: float) -> Saturated:
        """Wait for `send_saturate` and return the calls that lay in its window."""
        return self._receive(Saturate, deadline_s)

    def pause(self) -> None:
        """Stop the worker and its threads, so that they take no core while another worker is timed."""
        self._child.pause()

    def resume(self) -> None:
        """Let a paused worker go on."""
        self._child.resume()

    def kill(self) -> None:
        """End the worker at once, paused or not, and let go of its pipes."""
        self._child.kill()
        self._child.close()

    def close(self) -> None:
        """End the worker."""
        self._child.close()

    def _ask(self, asked: Request[A], deadline_s: float) -> A:
        self._send(asked)
        return self._receive(type(asked), deadline_s)

    def _send(self, asked: Request[A]) -> None:
        self._child.send(NAMES[type(asked)], **to_builtins(asked))

    def _receive(self, asked: type[Request[A]], deadline_s: float) -> A:
        name = NAMES[asked]
        _, answer = REQUESTS[name]
        return cast("A", from_builtins(self._child.receive(name, deadline_s), answer))


def worker_environment(policy: RunPolicy, cache_root: Path, gpu: str) -> dict[str, str]:
    """Return the variables that set what a runtime reads only from there: threads, spinning, and the GPU it sees."""
    threads = str(policy.threads)
    environment = {
        **offline_environment(cache_root),
        "OMP_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": "1",
        # By UUID, which alone names an instance of a GPU that is split; a case on the CPU shall see none.
        "CUDA_VISIBLE_DEVICES": gpu,
        # FP32 is not TF32. TensorRT inside ONNX Runtime has no other switch.
        "NVIDIA_TF32_OVERRIDE": "0",
        # torch.compile would keep its results in the system's folder for temporary files.
        "TORCHINDUCTOR_CACHE_DIR": str(cache_root / "inductor"),
    }
    if not policy.spin:
        environment["OMP_WAIT_POLICY"] = "PASSIVE"
    return environment
