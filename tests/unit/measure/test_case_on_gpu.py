"""What is read of a GPU around a case's timed calls; worker and GPU are stand-ins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchsuite.artifacts.recipe import Artifact
from benchsuite.backends.interface import DeviceTimes
from benchsuite.machine.nvml import GpuState
from benchsuite.measure import live_run
from benchsuite.measure.accuracy import EvaluationData
from benchsuite.measure.case_run import Subject
from benchsuite.measure.effort import EFFORTS
from benchsuite.measure.launch import WorkerSetup
from benchsuite.measure.live_run import LiveRun
from benchsuite.measure.measurement import ON_CPU, Cold, Complexity
from benchsuite.measure.requests import Mark, Marked
from benchsuite.measure.worker import Worker
from benchsuite.terms.absence import Absent
from benchsuite.testing import make_case, make_machine, make_memory, make_recipe

EVENTS: list[str] = []


class FakeLaunch:
    """Stands for a worker on a GPU that takes 50 calls after 10 to warm up."""

    pid = 5

    def __init__(self, *_: Any) -> None:
        pass

    def open(self) -> Cold:
        return Cold(1, 1, 1)

    def sample(self, effort: Any, path: Path) -> int:
        EVENTS.append("sample")
        np.save(path, np.full((50, 4), 1_000_000))
        return 10

    def mark(self, calls: int) -> Any:
        EVENTS.append(f"mark {calls}")
        return (DeviceTimes(100, 2_000, 300),) * calls

    def memory(self) -> Any:
        EVENTS.append("memory")
        return make_memory()

    def close(self) -> None:
        pass


def subject(folder: Path, gpu: str, device: str) -> Subject:
    case = make_case(backend="trt", device=device)
    bench = WorkerSetup(Artifact(make_recipe(case), "files", "cd", 1), (), folder, folder / "log", gpu=gpu)
    data = EvaluationData(Path("data.yaml"), (), (), "da")
    return Subject(
        case, bench, ("disc",), Complexity(1, 1.0), data, make_machine(), EFFORTS["quick"], folder / "samples"
    )


@pytest.fixture
def energy(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = iter((1_000, 31_000))

    def read(uuid: str) -> GpuState:
        EVENTS.append(f"read {uuid}")
        return GpuState(1980, 5001, 60, 70.0, next(counted), (), (5, 9))

    EVENTS.clear()
    monkeypatch.setattr(live_run, "read_gpu", read)
    monkeypatch.setattr(live_run, "Launch", FakeLaunch)


def test_fake_gpu_is_read_around_the_timed_calls_only(tmp_path: Path, energy: None) -> None:
    """NVML is asked right before and right after sampling; the device's own times come from calls after that."""
    run = LiveRun(subject(tmp_path, "GPU-1", "cuda:0"), lambda: pytest.fail("no reference is needed"))
    run.latency()
    assert EVENTS == ["read GPU-1", "sample", "read GPU-1", "memory", "mark 50"]
    use = run.metrics().gpu
    assert not isinstance(use, Absent)
    # 30 J over 10 calls that warmed up and 50 that were timed.
    assert use.energy_j_per_call == 0.5
    assert use.strangers == (9,)
    assert not isinstance(use.device, Absent)
    assert use.device.compute_ns.p50 == 2_000


def test_fake_worker_on_the_cpu_asks_no_gpu(tmp_path: Path, energy: None) -> None:
    """A case on the CPU says that it has no GPU's figures, and nothing is asked of one."""
    run = LiveRun(subject(tmp_path, "", "cpu"), lambda: pytest.fail("no reference is needed"))
    run.latency()
    assert EVENTS == ["sample", "memory"]
    assert run.metrics().gpu == ON_CPU


class FakeMarkedSession:
    """Stands for a session whose device notes times."""

    def run(self, batch: Any) -> Any:
        return batch

    def run_marked(self, batch: Any) -> DeviceTimes:
        return DeviceTimes(1, 2, 3)

    def ran(self) -> Any:
        return None


def test_worker_marks_as_many_calls_as_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every call's three parts come back, and a runtime that notes nothing says so."""
    worker = Worker()
    monkeypatch.setattr(worker, "_inputs", ("one", "two"), raising=False)
    monkeypatch.setattr(worker, "_preprocess", lambda item: item)
    monkeypatch.setattr(worker, "_session", FakeMarkedSession(), raising=False)
    assert worker.mark(Mark(3)) == Marked((DeviceTimes(1, 2, 3),) * 3)
    monkeypatch.setattr(worker, "_session", object(), raising=False)
    assert worker.mark(Mark(3)) == Absent("the runtime does not let the device's own times be noted")
