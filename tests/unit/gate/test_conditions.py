"""A block is thrown away for what the machine did, never for what it showed."""

from __future__ import annotations

import pytest

from benchsuite.gate import conditions
from benchsuite.gate.conditions import Snapshot, between, snapshot
from benchsuite.machine.nvml import GpuState
from benchsuite.terms.absence import Absent

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


def test_fake_gpu_state_tells_throttling_and_strangers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A block's snapshot holds why the GPU is slowed, processes that are not ours, its clock and temperature."""
    state = GpuState(1980, Absent("not told"), 88, 70.0, 1, ("hardware thermal",), (1, 2))
    monkeypatch.setattr(conditions, "read_gpu", lambda uuid: state)
    seen = snapshot("GPU-1", (1,))
    assert (seen.gpu_slowed, seen.gpu_strangers) == (("hardware thermal",), (2,))
    assert seen.state["gpu_mhz"] == 1980.0
    assert seen.state["gpu_celsius"] == 88.0
