"""What a GPU did while a case was timed, from what NVML and the device itself told around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from benchsuite.backends.interface import DeviceTimes
from benchsuite.machine.nvml import GpuState
from benchsuite.measure.measurement import DeviceLatency, GpuUse
from benchsuite.measure.statistics import describe
from benchsuite.terms.absence import Absent
from benchsuite.terms.said import said


def gpu_use(
    before: GpuState, after: GpuState, calls: int, worker_pid: int, marked: Sequence[DeviceTimes] | Absent
) -> GpuUse:
    """Put together what was read before and after `calls` calls, and the device's times of calls of their own."""
    strangers = dict.fromkeys((*before.strangers([worker_pid]), *after.strangers([worker_pid])))
    return GpuUse(before, after, _energy(before, after, calls), tuple(strangers), _device(marked))


def gpu_warnings(use: GpuUse | Absent) -> Iterator[str]:
    """Say in a sentence each what makes a GPU's figures doubtful."""
    if isinstance(use, Absent):
        return
    slowed = dict.fromkeys((*use.before.slowed, *use.after.slowed))
    if slowed:
        yield said("the GPU was slowed ({1}): cool it, or look at its power, and measure again", ", ".join(slowed))
    if use.strangers:
        pids = ", ".join(map(str, use.strangers))
        yield said("other processes computed on the GPU ({1}): end them and measure again", pids)


def _energy(before: GpuState, after: GpuState, calls: int) -> float | Absent:
    for energy in (before.energy_mj, after.energy_mj):
        if isinstance(energy, Absent):
            return energy
    assert not isinstance(before.energy_mj, Absent)
    assert not isinstance(after.energy_mj, Absent)
    return (after.energy_mj - before.energy_mj) / 1000 / calls


def _device(marked: Sequence[DeviceTimes] | Absent) -> DeviceLatency | Absent:
    if isinstance(marked, Absent):
        return marked
    columns = np.array([[it.copy_in_ns, it.compute_ns, it.copy_out_ns] for it in marked])
    return DeviceLatency(*(describe(columns[:, number]) for number in range(3)))
