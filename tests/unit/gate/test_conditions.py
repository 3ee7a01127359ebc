"""A block is thrown away for what the machine did, never for what it showed."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchsuite.gate import conditions
from benchsuite.gate.conditions import Snapshot, between, snapshot
from benchsuite.machine import noise
from benchsuite.machine.nvml import GpuState
from benchsuite.terms.absence import Absent

QUIET = Snapshot(asleep_s=0.0, ticks={"cpu0": (0, 1000), "cpu1": (0, 1000)}, state={})


def test_quiet_block_counts() -> None:
    """Nothing odd leaves the block in, with its switches noted."""
    after = Snapshot(0.0, {"cpu0": (1, 1200), "cpu1": (0, 1200)}, {"mhz": 3400.0})
    conditions, void = between(QUIET, after, 17)
    assert void == ""
    assert conditions == {"involuntary_switches": 17.0, "mhz": 3400.0, "most_stolen_of_a_cpu": 0.005}


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        (Snapshot(61.0, {}, {}), "slept for 61.0 s"),
        (Snapshot(0.0, {"cpu0": (50, 1200), "cpu1": (0, 1200)}, {}), "took 25% of a CPU's time"),
        (Snapshot(0.0, {}, {"throttle_count": 3.0}), "processor was throttled 3 times"),
        (Snapshot(0.0, {}, {}, ("hardware thermal",)), "GPU was slowed: hardware thermal"),
        (Snapshot(0.0, {}, {}, (), (4711,)), "other processes ran on the GPU: 4711"),
    ],
)
def test_disturbed_block_is_void(after: Snapshot, reason: str) -> None:
    """Sleep, stolen time, a slowed GPU and strangers on it each void a block, with the reason."""
    assert reason in between(QUIET, after, 0)[1]


def test_one_cpu_of_sixty_four_that_is_taken_away_voids_the_block() -> None:
    """The threads of a call wait for the one that lost its CPU, whatever share of the whole machine that is."""
    before = Snapshot(0.0, {f"cpu{number}": (0, 1000) for number in range(64)}, {})
    ticks = {f"cpu{number}": (0, 1100) for number in range(64)} | {"cpu7": (100, 1100)}
    conditions, void = between(before, Snapshot(0.0, ticks, {}), 0)
    assert void == "other virtual machines took 100% of a CPU's time"
    assert conditions["most_stolen_of_a_cpu"] == 1.0


@pytest.mark.parametrize(("usable", "seen"), [({1}, {"cpu1"}), ({0, 1}, {"cpu0", "cpu1"}), ({96}, {"cpu0", "cpu1"})])
def test_only_cpus_that_the_process_may_use_count(
    monkeypatch: pytest.MonkeyPatch, usable: set[int], seen: set[str]
) -> None:
    """What is stolen elsewhere disturbs nobody; where numbers fit none, as in some containers, all are looked at."""
    stat = "cpu  9 0 9 99 0 0 0 7 0 0\ncpu0 4 0 4 49 0 0 0 5 0 0\ncpu1 5 0 5 50 0 0 0 2 0 0\nintr 1 2 3\n"
    monkeypatch.setattr(Path, "read_text", lambda _: stat)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: usable, raising=False)
    ticks = noise.steal_and_total()
    assert set(ticks) == seen
    assert ticks["cpu1"] == (2, 62)


@pytest.mark.parametrize("stat", ["", "cpu\n", "cpu 1 2\n", "cpu a b c d e f g h\n"])
def test_counters_that_do_not_tell_are_none(monkeypatch: pytest.MonkeyPatch, stat: str) -> None:
    """An empty or strange file of a container's tells nothing, and voids nothing."""
    monkeypatch.setattr(Path, "read_text", lambda _: stat)
    assert noise.steal_and_total() == {}
    assert noise.most_stolen({}, {}) is None
    assert between(Snapshot(0.0, {}, {}), Snapshot(0.0, {}, {}), 0) == ({"involuntary_switches": 0.0}, "")


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
