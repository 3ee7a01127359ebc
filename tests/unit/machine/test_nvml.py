"""What is read of a GPU, from a stand-in for NVML; no real GPU takes part."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from benchsuite.machine.facts import gpu_of, visible
from benchsuite.machine.nvml import Gpu, free_bytes, list_gpus, process_bytes, read_gpu
from benchsuite.terms.absence import Absent
from benchsuite.testing import make_machine

FIRST, SECOND = Gpu("Card A", "GPU-aaaa-1", 8 << 30, "8.9"), Gpu("Card B", "GPU-bbbb-2", 16 << 30, "9.0")


class FakeNvml:
    """Stands for NVML with one whole card and one that is split in two; it tells no energy."""

    NVML_CLOCK_SM, NVML_CLOCK_MEM, NVML_TEMPERATURE_GPU, NVML_DEVICE_MIG_ENABLE = 1, 2, 0, 1

    class NVMLError(Exception):
        """The root of NVML's errors."""

    def __init__(self) -> None:
        self.open = 0
        self.refused: set[str] = set()
        self.processes = [SimpleNamespace(pid=1, usedGpuMemory=500), SimpleNamespace(pid=2, usedGpuMemory=None)]

    def nvmlInit(self) -> None:  # noqa: N802
        if "nvmlInit" in self.refused:
            raise self.NVMLError("not supported")
        self.open += 1

    def nvmlShutdown(self) -> None:  # noqa: N802
        self.open -= 1

    def nvmlDeviceGetMigMode(self, handle: str) -> list[int]:  # noqa: N802
        if handle == "whole":
            raise self.NVMLError("not supported")
        return [1, 1]

    def nvmlDeviceGetMigDeviceHandleByIndex(self, handle: str, number: int) -> str:  # noqa: N802
        if number == 1:
            raise self.NVMLError("not found")
        return f"{handle} part {number}"

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: str) -> int:  # noqa: N802
        raise self.NVMLError("not supported")

    def refuse(self, *_: object) -> None:
        raise self.NVMLError("not supported")

    def __getattr__(self, name: str) -> Any:
        answers: dict[str, Any] = {
            "nvmlDeviceGetCount": lambda: 2,
            "nvmlDeviceGetHandleByIndex": lambda number: ("whole", "split")[number],
            "nvmlDeviceGetMaxMigDeviceCount": lambda handle: 3,
            "nvmlDeviceGetName": lambda handle: f"name of {handle}",
            "nvmlDeviceGetUUID": lambda handle: f"uuid of {handle}",
            "nvmlDeviceGetMemoryInfo": lambda handle: SimpleNamespace(total=1 << 30),
            "nvmlDeviceGetCudaComputeCapability": lambda handle: (8, 9),
            "nvmlSystemGetDriverVersion": lambda: "580.1",
            "nvmlDeviceGetHandleByUUID": lambda uuid: uuid,
            "nvmlDeviceGetPowerUsage": lambda handle: 71_500,
            "nvmlDeviceGetCurrentClocksEventReasons": lambda handle: 0x40 | 0x4,
            "nvmlDeviceGetComputeRunningProcesses": lambda handle: self.processes,
            "nvmlDeviceGetClockInfo": lambda handle, kind: {1: 1980, 2: 5001}[kind],
            "nvmlDeviceGetTemperature": lambda handle, kind: 88,
        }
        # As of a module: Python asks what it imports for more than is here.
        if name not in answers:
            raise AttributeError(name)
        if name in self.refused or not self.open:
            return self.refuse
        return answers[name]


@pytest.fixture
def fake_nvml(monkeypatch: pytest.MonkeyPatch) -> FakeNvml:
    fake = FakeNvml()
    monkeypatch.setitem(sys.modules, "pynvml", fake)  # type: ignore[arg-type]
    return fake


def test_fake_nvml_lists_the_instances_of_a_split_gpu(fake_nvml: FakeNvml) -> None:
    """A GPU that is split stands there as its instances, each with a UUID of its own."""
    gpus, driver = list_gpus()
    assert [gpu.uuid for gpu in gpus] == ["uuid of whole", "uuid of split part 0", "uuid of split part 2"]
    assert {gpu.compute for gpu in gpus} == {"8.9"}
    assert (driver, fake_nvml.open) == ("580.1", 0)


def test_fake_nvml_state_of_a_gpu(fake_nvml: FakeNvml) -> None:
    """Only what slows a card against its will counts, and what a card does not tell is absent with NVML's reason."""
    state = read_gpu("GPU-1")
    assert (state.sm_mhz, state.memory_mhz, state.celsius, state.watts) == (1980, 5001, 88, 71.5)
    assert state.slowed == ("hardware thermal",)
    assert state.energy_mj == Absent("NVML does not tell the GPU's energy: not supported")
    assert state.pids == (1, 2)
    assert fake_nvml.open == 0


def test_fake_nvml_strangers_are_known_only_where_our_own_are_seen(fake_nvml: FakeNvml) -> None:
    """Where NVML numbers processes otherwise, as for a container, nobody is called a stranger."""
    state = read_gpu("GPU-1")
    assert state.strangers([1]) == (2,)
    assert state.strangers([1, 2]) == ()
    assert state.strangers([77]) == ()


def test_fake_nvml_memory_of_a_process(fake_nvml: FakeNvml) -> None:
    """A process's GPU memory, or why it is not known."""
    assert process_bytes("GPU-1", 1) == 500
    for pid in (2, 77):
        assert isinstance(process_bytes("GPU-1", pid), Absent)


def test_fake_nvml_refusal_costs_its_own_figure(fake_nvml: FakeNvml, monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU without memory of its own is listed without that figure; one that has no handle is passed over."""
    fake_nvml.refused = {"nvmlDeviceGetMemoryInfo", "nvmlDeviceGetCudaComputeCapability", "nvmlSystemGetDriverVersion"}
    gpus, driver = list_gpus()
    unknown = Absent("NVML does not tell the GPU's memory: not supported")
    assert gpus[0] == Gpu("name of whole", "uuid of whole", unknown, "")
    assert (len(gpus), driver, fake_nvml.open) == (3, None, 0)
    assert free_bytes("GPU-1") == unknown
    for name in ("nvmlDeviceGetHandleByIndex", "nvmlDeviceGetCount", "nvmlDeviceGetUUID"):
        fake_nvml.refused = {name}
        assert list_gpus() == ((), "580.1")


@pytest.mark.parametrize("lost", ["nvmlDeviceGetHandleByUUID", "nvmlInit"])
def test_fake_nvml_lost_gpu_is_told_as_absent(fake_nvml: FakeNvml, lost: str) -> None:
    """A GPU that falls off the bus while a run goes on costs its figures, and not the run."""
    fake_nvml.refused = {lost}
    state = read_gpu("GPU-1")
    assert all(isinstance(told, Absent) for told in (state.sm_mhz, state.celsius, state.watts, state.energy_mj))
    assert (state.slowed, state.pids) == ((), ())
    assert isinstance(process_bytes("GPU-1", 1), Absent)


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        ("0,1", (FIRST, SECOND)), ("1,0", (SECOND, FIRST)), ("1", (SECOND,)), ("GPU-bbbb", (SECOND,)), ("", ()),
        ("0,7,1", (FIRST,)), ("-1", ()), ("GPU-cccc,0", ()),
    ],
)  # fmt: skip
def test_visible_devices_are_those_of_cuda(chosen: str, found: tuple[Gpu, ...]) -> None:
    """Numbers and beginnings of UUIDs choose and order, and the first that names none ends the list."""
    assert visible((FIRST, SECOND), chosen) == found


def test_device_names_a_place_among_the_machine_s_gpus() -> None:
    """cuda:1 is the second; a place that is empty, and anything but cuda, is none."""
    machine = make_machine(gpus=(FIRST, SECOND))
    assert [gpu_of(name, machine) for name in ("cuda:0", "cuda:1", "cuda:2", "cpu", "vulkan")] == [
        FIRST, SECOND, None, None, None,
    ]  # fmt: skip
