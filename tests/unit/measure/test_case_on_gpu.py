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
from benchsuite.measure import timed_case
from benchsuite.measure.accuracy import EvaluationData
from benchsuite.measure.case_run import Subject
from benchsuite.measure.effort import EFFORTS
from benchsuite.measure.launch import WorkerSetup
from benchsuite.measure.measurement import ON_CPU, Cold, Complexity
from benchsuite.measure.requests import Mark, Marked, Open, Turned
from benchsuite.measure.timed_case import GroupTiming
from benchsuite.measure.turns import Turns
from benchsuite.measure.worker import Worker
from benchsuite.terms.absence import Absent
from benchsuite.testing import FakeBackend, fake_runtimes, make_case, make_machine, make_memory, make_ran, make_recipe

EVENTS: list[str] = []


class FakeLaunch:
    """Stands for a worker on a GPU that has had its turns."""

    pid = 5

    def turn(self, lasting_ns: int, fewest: int, discard: int, call_ns: float) -> Turned:
        EVENTS.append(f"turn of {fewest} calls")
        return Turned(((1, 2, 3, 6),) * 60, 0, 1, 1, 0, 2, 0, 0)

    def mark(self, calls: int) -> Any:
        EVENTS.append(f"mark {calls}")
        return (DeviceTimes(100, 2_000, 300),) * calls

    def memory(self) -> Any:
        EVENTS.append("memory")
        return make_memory()

    def ran(self) -> Any:
        return make_ran(make_case())


def timing(folder: Path, gpu: str, device: str) -> tuple[GroupTiming, str]:
    case = make_case(backend="trt", device=device)
    setup = WorkerSetup(Artifact(make_recipe(case), "files", "cd", 1), (), folder, folder / "log", gpu=gpu)
    data = EvaluationData(Path("data.yaml"), (), (), "da")
    subject = Subject(
        case, setup, ("disc",), Complexity(1, 1.0), data, make_machine(), EFFORTS["quick"], folder / "samples"
    )
    return GroupTiming([subject], Turns(1, 1), "turns-1", folder, lambda *_: None), case.id


@pytest.fixture
def energy(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = iter((1_000, 31_000))

    def read(uuid: str) -> GpuState:
        EVENTS.append(f"read {uuid}")
        return GpuState(1980, 5001, 60, 70.0, next(counted), (), (5, 9))

    EVENTS.clear()
    monkeypatch.setattr(timed_case, "read_gpu", read)


def test_fake_gpu_is_read_around_calls_of_their_own(tmp_path: Path, energy: None) -> None:
    """Memory is read first; NVML is asked around calls that are not timed, and the device's own times come last."""
    watching, case_id = timing(tmp_path, "GPU-1", "cuda:0")
    launch: Any = FakeLaunch()
    watching.first_launch(case_id, launch, Cold(1, 1, 1))
    assert EVENTS == ["memory", "read GPU-1", "turn of 200 calls", "read GPU-1", "mark 200"]
    use = watching.first[case_id].gpu
    assert not isinstance(use, Absent)
    # 30 J over 60 calls.
    assert use.energy_j_per_call == 0.5
    assert use.strangers == (9,)
    assert not isinstance(use.device, Absent)
    assert use.device.compute_ns.p50 == 2_000


def test_fake_worker_on_the_cpu_asks_no_gpu(tmp_path: Path, energy: None) -> None:
    """A case on the CPU says that it has no GPU's figures, and nothing is asked of one."""
    watching, case_id = timing(tmp_path, "", "cpu")
    launch: Any = FakeLaunch()
    watching.first_launch(case_id, launch, Cold(1, 1, 1))
    assert EVENTS == ["memory"]
    assert watching.first[case_id].gpu == ON_CPU


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
