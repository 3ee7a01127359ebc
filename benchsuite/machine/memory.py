"""Resident memory of this process, read from the operating system."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from benchsuite.machine.control_groups import memory_room_bytes


def rss_bytes() -> int:
    """Return what is resident now."""
    import psutil

    return int(psutil.Process().memory_info().rss)


def peak_rss_bytes() -> int:
    """Return the most that was ever resident since this program started.

    On Linux from VmHWM: getrusage's ru_maxrss survives exec and would report the parent's peak.
    """
    if sys.platform == "linux":
        match = re.search(r"^VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
        if match:
            return int(match[1]) * 1024
    if sys.platform == "win32":
        import psutil

        return int(psutil.Process().memory_info().peak_wset)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def cpu_ns_of(pids: Sequence[int]) -> int:
    """Return the CPU time that processes have taken so far, without those that are gone."""
    import psutil

    total_s = 0.0
    for pid in pids:
        with suppress(psutil.Error):
            times = psutil.Process(pid).cpu_times()
            total_s += times.user + times.system
    return round(total_s * 1e9)


def involuntary_switches() -> int:
    """Return how often the threads of this process were made to give way to others; 0 where nothing counts it."""
    if sys.platform == "win32":
        return 0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw


def available_bytes() -> int:
    """Return what can be allocated without swapping, within the limit of this process's control group."""
    import psutil

    available = int(psutil.virtual_memory().available)
    room = memory_room_bytes()
    return available if room is None else min(available, room)
