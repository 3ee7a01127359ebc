"""What a GPU did while a case was timed."""

from __future__ import annotations

from dataclasses import replace

from benchsuite.backends.interface import DeviceTimes
from benchsuite.machine.nvml import GpuState
from benchsuite.measure.gpu_use import gpu_use, gpu_warnings
from benchsuite.measure.measurement import ON_CPU
from benchsuite.terms.absence import Absent

QUIET = GpuState(1980, 5001, 60, 70.0, 1_000, (), (5,))


def test_energy_is_shared_among_the_calls() -> None:
    """Millijoules between the two readings, in joules a call; absent where the GPU does not count them."""
    assert gpu_use(QUIET, replace(QUIET, energy_mj=5_000), 8, 5, Absent("none")).energy_j_per_call == 0.5
    untold = replace(QUIET, energy_mj=Absent("not told"))
    assert gpu_use(untold, untold, 8, 5, Absent("none")).energy_j_per_call == Absent("not told")


def test_device_times_become_distributions() -> None:
    """Each part of a call has its own median."""
    use = gpu_use(QUIET, QUIET, 8, 5, [DeviceTimes(10, 200, 30), DeviceTimes(20, 400, 30), DeviceTimes(30, 300, 30)])
    assert not isinstance(use.device, Absent)
    assert (use.device.copy_in_ns.p50, use.device.compute_ns.p50, use.device.copy_out_ns.p50) == (20, 300, 30)


def test_a_quiet_gpu_is_not_warned_of() -> None:
    """Neither is a case on the CPU."""
    assert not list(gpu_warnings(gpu_use(QUIET, QUIET, 8, 5, Absent("none"))))
    assert not list(gpu_warnings(ON_CPU))


def test_slowdowns_and_strangers_are_warned_of() -> None:
    """What either reading saw counts, once."""
    hot = replace(QUIET, slowed=("hardware thermal",), pids=(5, 9))
    slowed, strangers = gpu_warnings(gpu_use(QUIET, hot, 8, 5, Absent("none")))
    assert "the GPU was slowed (hardware thermal)" in slowed
    assert "other processes computed on the GPU (9)" in strangers
