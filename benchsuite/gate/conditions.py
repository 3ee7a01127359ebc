"""What the machine did while a block was measured, and when a block must not count whatever it says."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass

from benchsuite.machine.cpu_state import read_cpu_state
from benchsuite.machine.noise import Ticks, most_stolen, steal_and_total
from benchsuite.machine.nvml import read_gpu
from benchsuite.terms.absence import Absent
from benchsuite.terms.said import said

# Rules that void a block look at the machine only, never at d: a rule that looked would choose the verdict.
# Of one CPU: the threads of a call wait for the last of them, so one CPU that is taken away holds up all. Idle CPUs
# have nothing stolen, so it is nearly always a CPU that the arms ran on.
_MOST_STOLEN = 0.10
_MOST_ASLEEP_S = 0.1


@dataclass(frozen=True)
class Snapshot:
    """Counters of the machine at one moment; empty where the system does not tell.

    `ticks` has the stolen and all ticks of each CPU that this process may use.
    """

    asleep_s: float
    ticks: Ticks
    state: Mapping[str, float]
    gpu_slowed: tuple[str, ...] = ()
    gpu_strangers: tuple[int, ...] = ()


def snapshot(gpu_uuid: str | None = None, own_pids: tuple[int, ...] = ()) -> Snapshot:
    """Read the counters; called between readings only, and cheap."""
    slowed, strangers, gpu = _gpu(gpu_uuid, own_pids) if gpu_uuid else ((), (), {})
    return Snapshot(_asleep_s(), steal_and_total(), {**read_cpu_state(), **gpu}, slowed, strangers)


def between(before: Snapshot, after: Snapshot, involuntary_switches: int) -> tuple[Mapping[str, float], str]:
    """Return what happened between two snapshots, and why the block in between is void (empty where it is not)."""
    conditions = {"involuntary_switches": float(involuntary_switches), **after.state}
    void = ""
    asleep_s = after.asleep_s - before.asleep_s
    if asleep_s > _MOST_ASLEEP_S:
        conditions["asleep_s"] = round(asleep_s, 3)
        void = said("the machine slept for {1} s", f"{asleep_s:.1f}")
    stolen = most_stolen(before.ticks, after.ticks)
    if stolen is not None:
        conditions["most_stolen_of_a_cpu"] = round(stolen, 4)
        if stolen > _MOST_STOLEN:
            void = void or said("other virtual machines took {1} of a CPU's time", f"{stolen:.0%}")
    throttled = after.state.get("throttle_count", 0.0) - before.state.get("throttle_count", 0.0)
    if throttled > 0:
        void = void or said("the processor was throttled {1} times", f"{throttled:.0f}")
    if after.gpu_slowed:
        void = void or said("the GPU was slowed: {1}", ", ".join(after.gpu_slowed))
    if after.gpu_strangers:
        void = void or said("other processes ran on the GPU: {1}", ", ".join(map(str, after.gpu_strangers)))
    return conditions, void


def _gpu(uuid: str, own_pids: tuple[int, ...]) -> tuple[tuple[str, ...], tuple[int, ...], Mapping[str, float]]:
    """Return why the GPU is slowed, whose processes run on it beside our own, and its clock and temperature."""
    state = read_gpu(uuid)
    told = {"gpu_mhz": state.sm_mhz, "gpu_celsius": state.celsius}
    figures = {name: float(value) for name, value in told.items() if not isinstance(value, Absent)}
    return state.slowed, state.strangers(own_pids), figures


def _asleep_s() -> float:
    """Return how long the machine has slept since it was booted: one clock goes on meanwhile, the other does not."""
    if sys.platform != "linux":
        return 0.0
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)
