"""What is read of a GPU around a case's timed calls; worker and GPU are stand-ins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from benchsuite.artifacts.recipe import Artifact
from benchsuite.backends.interface import DeviceTimes, RunPolicy
from benchsuite.machine.nvml import GpuState
from benchsuite.measure import live_run
from benchsuite.measure.accuracy import EvaluationData
from benchsuite.measure.accuracy_loss import Losses
from benchsuite.measure.case_run import Subject
from benchsuite.measure.effort import EFFORTS
from benchsuite.measure.launch import WorkerSetup
from benchsuite.measure.live_run import LiveRun
from benchsuite.measure.measurement import ON_CPU, Cold, Complexity
from benchsuite.measure.requests import Mark, Marked, Open
from benchsuite.measure.worker import Worker
from benchsuite.terms.absence import Absent
from benchsuite.testing import FakeBackend, fake_runtimes, make_case, make_machine, make_memory, make_recipe

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


def live_run_of(measured: Subject) -> LiveRun:
    return LiveRun(measured, lambda: pytest.fail("no reference is needed"), Losses(measured.data))


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
    run = live_run_of(subject(tmp_path, "GPU-1", "cuda:0"))
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
    run = live_run_of(subject(tmp_path, "", "cpu"))
    run.latency()
    assert EVENTS == ["sample", "memory"]
    assert run.metrics().gpu == ON_CPU


@pytest.mark.parametrize("times", [DeviceTimes(1, 2, 3), None])
def test_worker_marks_as_many_calls_as_asked_for(times: DeviceTimes | None, tmp_path: Path) -> None:
    """Every call's three parts come back, and a runtime that notes nothing says so."""
    image = tmp_path / "image.png"
    assert cv2.imwrite(str(image), np.zeros((64, 64, 3), np.uint8))
    case = make_case(backend="onnx", imgsz=64)
    worker = Worker()
    with fake_runtimes(FakeBackend("onnx", device_times=times)):
        worker.open(Open(case, RunPolicy(1), str(tmp_path), (str(image),)))
        answer = worker.mark(Mark(3))
    nothing = Absent("the runtime does not let the device's own times be noted")
    assert answer == (nothing if times is None else Marked((times,) * 3))
