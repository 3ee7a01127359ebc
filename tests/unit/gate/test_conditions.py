"""A block is thrown away for what the machine did, never for what it showed."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from benchsuite.gate.conditions import Snapshot, between, gpu_state, snapshot

QUIET = Snapshot(asleep_s=0.0, ticks=(0, 1000), state={})


def test_quiet_block_counts() -> None:
    """Nothing odd leaves the block in, with its switches noted."""
    conditions, void = between(QUIET, Snapshot(0.0, (1, 1200), {"mhz": 3400.0}), 17)
    assert void == ""
    assert conditions == {"involuntary_switches": 17.0, "mhz": 3400.0, "stolen": 0.005}


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        (Snapshot(61.0, (0, 1200), {}), "slept for 61.0 s"),
        (Snapshot(0.0, (50, 1200), {}), "took 25% of the CPU time"),
        (Snapshot(0.0, (0, 1200), {"throttle_count": 3.0}), "processor was throttled 3 times"),
        (Snapshot(0.0, (0, 1200), {}, ("hardware thermal",)), "GPU was slowed: hardware thermal"),
        (Snapshot(0.0, (0, 1200), {}, (), (4711,)), "other processes ran on the GPU: 4711"),
    ],
)
def test_disturbed_block_is_void(after: Snapshot, reason: str) -> None:
    """Sleep, stolen time, a slowed GPU and strangers on it each void a block, with the reason."""
    assert reason in between(QUIET, after, 0)[1]


def test_this_machine_can_be_read() -> None:
    """Two looks at the real counters are cheap and find nothing asleep."""
    before = snapshot()
    conditions, _ = between(before, snapshot(), 0)
    assert "asleep_s" not in conditions


class FakeNvml:
    """Stands for NVML with one card that is too hot and that another process uses."""

    NVML_CLOCK_SM = 1
    NVML_TEMPERATURE_GPU = 0

    def __getattr__(self, name: str) -> object:
        answers = {
            "nvmlDeviceGetCurrentClocksEventReasons": 0x40 | 0x4,
            "nvmlDeviceGetComputeRunningProcesses": [SimpleNamespace(pid=1), SimpleNamespace(pid=2)],
            "nvmlDeviceGetClockInfo": 1980,
            "nvmlDeviceGetTemperature": 88,
        }
        return lambda *_: answers.get(name)


def test_fake_nvml_tells_throttling_and_strangers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only reasons that slow a card against its will count, and only processes that are not ours."""
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml())
    slowed, strangers, state = gpu_state("GPU-1", (1,))
    assert slowed == ("hardware thermal",)
    assert strangers == (2,)
    assert state == {"gpu_mhz": 1980.0, "gpu_celsius": 88.0}
