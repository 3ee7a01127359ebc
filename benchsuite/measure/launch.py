"""A worker with an open session, as its parent sees it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchsuite.artifacts.recipe import Artifact
from benchsuite.backends.interface import DeviceTimes, Ran, RunPolicy
from benchsuite.detect.accuracy import Accuracy
from benchsuite.machine.nvml import process_bytes
from benchsuite.machine.processes import Child, offline_environment
from benchsuite.measure.effort import ROTATING_INPUTS, Effort
from benchsuite.measure.measurement import ON_CPU, Cold, Memory
from benchsuite.terms.absence import NOT_SELECTED, Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.codec import from_builtins, to_builtins

_OPEN_DEADLINE_S = 300
# Compiling a network, or building an engine while loading, takes minutes.
_COMPILE_DEADLINE_S = 1200
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


@dataclass(frozen=True)
class Reading:
    """Total latency of successive calls; `busy_ns` also covers the discarded ones."""

    ns: tuple[int, ...]
    busy_ns: int
    involuntary_switches: int


@dataclass(frozen=True)
class Scored:
    """How well a worker's detections of the evaluated images score."""

    accuracy: Accuracy | Absent


class Launch:
    """One worker process; every method blocks until the worker answers, so the parent sleeps while it measures."""

    def __init__(self, case: Case, setup: WorkerSetup, policy: RunPolicy) -> None:
        self._case = case
        self._setup = setup
        self._policy = policy
        environment = worker_environment(policy, setup.cache_root, setup.gpu)
        self._child = Child.start(
            "benchsuite.measure.worker", setup.log, environment, setup.python, name=f"{case.scheme} worker"
        )

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def _open_deadline_s(self) -> float:
        compiles = self._case.has("compile") or self._case.has("trtep")
        return _COMPILE_DEADLINE_S if compiles else _OPEN_DEADLINE_S

    def open(self) -> Cold:
        """Load the artifact and run it once."""
        self.send_open()
        return self.receive_open()

    def send_open(self) -> None:
        """Start loading; with `receive_open` several workers load at the same time."""
        self._child.send(
            "open",
            case=to_builtins(self._case),
            policy=to_builtins(self._policy),
            artifact=self._setup.artifact.folder,
            images=[str(path) for path in self._setup.images[: ROTATING_INPUTS * self._case.batch]],
        )

    def receive_open(self) -> Cold:
        """Wait for the loading that `send_open` started."""
        return from_builtins(self._child.receive("open", self._open_deadline_s)["cold"], Cold)

    def sample(self, effort: Effort, path: Path) -> int:
        """Time calls and return how many warmed up.

        The .npy file at `path` gets a row a call: preprocess, inference, postprocess, total, in ns.
        """
        deadline_s = (effort.sampling_cap_ns + effort.warmup_cap_ns) / 1e9 + _GRACE_S
        answer = self._child.request("sample", deadline_s, effort=to_builtins(effort), path=str(path))
        return int(answer["warmup_calls"])

    def read(self, calls: int, discard: int, expected_s: float, slowdown: float = 0.0) -> Reading:
        """Time calls of the whole pipeline after discarded ones; `slowdown` injects a busy wait of that share.

        A worker that takes far longer than `expected_s` is killed.
        """
        deadline_s = _READ_GRACE_S + 20 * expected_s
        answer = self._child.request("read", deadline_s, calls=calls, discard=discard, slowdown=slowdown)
        return from_builtins(answer, Reading)

    def mark(self, calls: int) -> tuple[DeviceTimes, ...] | Absent:
        """Run calls whose parts the device times itself; absent where the runtime does not let it."""
        answer = self._child.request("mark", _OPEN_DEADLINE_S, calls=calls)
        if "absent" in answer:
            return Absent(answer["absent"])
        return tuple(from_builtins(times, DeviceTimes) for times in answer["times"])

    def memory(self) -> Memory:
        """Return the worker's memory so far."""
        answer = self._child.request("memory", _GRACE_S)
        on_gpu = process_bytes(self._setup.gpu, self.pid) if self._setup.gpu else ON_CPU
        return Memory(**answer, gpu_bytes=on_gpu)

    def ran(self) -> Ran:
        """Return the runtime's account of what it ran."""
        return from_builtins(self._child.request("ran", _OPEN_DEADLINE_S)["ran"], Ran)

    def evaluate(
        self, images: Sequence[Path], data: Path, data_sha256: str, score: bool, path: Path, scored_path: Path
    ) -> Accuracy | Absent:
        """Detect on the images and return accuracy, not selected where it is not to be scored.

        `path` gets the detections of a deployment, `scored_path` those that are scored.
        """
        deadline_s = _GRACE_S + 10.0 * len(images)
        answer = self._child.request(
            "evaluate",
            deadline_s,
            images=[str(image) for image in images],
            data=str(data),
            data_sha256=data_sha256,
            score=score,
            path=str(path),
            scored_path=str(scored_path),
        )
        return from_builtins(answer, Scored).accuracy if score else NOT_SELECTED

    def send(self, op: str, **arguments: Any) -> None:
        """Start an operation whose answer `receive` gets."""
        self._child.send(op, **arguments)

    def receive(self, op: str, deadline_s: float) -> dict[str, Any]:
        """Wait for the answer of an operation that `send` started."""
        return self._child.receive(op, deadline_s)

    def pause(self) -> None:
        """Stop the worker and its threads, so that they take no core while another worker is timed."""
        self._child.pause()

    def resume(self) -> None:
        """Let a paused worker go on."""
        self._child.resume()

    def kill(self) -> None:
        """End the worker at once, paused or not."""
        self._child.kill()

    def close(self) -> None:
        """End the worker."""
        self._child.close()


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
        # torch.compile would keep its results in the system's folder for temporary files.
        "TORCHINDUCTOR_CACHE_DIR": str(cache_root / "inductor"),
    }
    if not policy.spin:
        environment["OMP_WAIT_POLICY"] = "PASSIVE"
    return environment
