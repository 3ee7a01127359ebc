"""What the CPUs that this process may use have done since the machine was started."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_STAT = Path("/proc/stat")
# Fields of a line of /proc/stat (proc(5)). Steal is the eighth, which kernels before 2.6.11 have not; guests' time,
# which follows, is in user time already.
_FIELDS = 8
_IDLE, _IOWAIT, STEAL = 3, 4, 7


@dataclass(frozen=True)
class CpuTimes:
    """Time of all usable CPUs together: spent on running anything, given to other virtual machines, and passed."""

    cpus: int
    busy_ns: int
    stolen_ns: int
    all_ns: int


def ticks_by_cpu() -> Mapping[str, tuple[int, ...]]:
    """Return the ticks of each usable CPU by what they went to; empty where nothing tells."""
    try:
        lines = [line.split() for line in _STAT.read_text().splitlines() if line.startswith("cpu")]
        # The first line adds up the others.
        ticks = {name: tuple(int(field) for field in fields[:_FIELDS]) for name, *fields in lines if name != "cpu"}
    except (OSError, ValueError):
        return {}
    each = {name: fields for name, fields in ticks.items() if len(fields) == _FIELDS}
    usable = {f"cpu{number}" for number in os.sched_getaffinity(0)} if hasattr(os, "sched_getaffinity") else set(each)
    # A container may number its CPUs anew.
    return {name: fields for name, fields in each.items() if name in usable} or each


def read_cpu_times() -> CpuTimes | None:
    """Return the times so far, to the kernel's tick of usually 10 ms; None where nothing tells."""
    ticks = ticks_by_cpu().values()
    if not ticks:
        return None
    ns_a_tick = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    every = sum(map(sum, ticks))
    stolen = sum(fields[STEAL] for fields in ticks)
    idle = sum(fields[_IDLE] + fields[_IOWAIT] for fields in ticks)
    return CpuTimes(len(ticks), (every - idle - stolen) * ns_a_tick, stolen * ns_a_tick, every * ns_a_tick)
