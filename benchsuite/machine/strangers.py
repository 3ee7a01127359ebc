"""Which other programs computed meanwhile, by their names."""

from __future__ import annotations

import os
from collections.abc import Mapping

# Of one core: what idles along is no news.
_LEAST_SHARE = 0.05
_MOST_NAMED = 5
# By a process's number: its name and the CPU time that it has taken so far.
Processes = Mapping[int, tuple[str, float]]


def cpu_seconds() -> Processes:
    """Return every process that can be seen, without this one and its own."""
    import psutil

    own = {os.getpid(), *(child.pid for child in psutil.Process().children(recursive=True))}
    found = {}
    for process in psutil.process_iter(("name", "cpu_times")):
        times = process.info["cpu_times"]
        if process.pid not in own and times is not None:
            found[process.pid] = process.info["name"] or str(process.pid), times.user + times.system
    return found


def taken(before: Processes, after: Processes) -> Mapping[str, float]:
    """Return the seconds of CPU time that programs took between two looks; one that came and went is not seen."""
    found: dict[str, float] = {}
    for pid, (name, total) in after.items():
        # Kernel threads are called by what they do just now; a number that counts from the start again is another's.
        earlier = before[pid][1] if pid in before else 0.0
        found[name] = found.get(name, 0.0) + (total - earlier if total >= earlier else total)
    return found


def busiest(seconds_by_name: Mapping[str, float], lasted_s: float) -> tuple[str, ...]:
    """Return the names of programs that took a twentieth of a core or more, the busiest first."""
    busy = (name for name, spent in seconds_by_name.items() if spent > _LEAST_SHARE * lasted_s)
    return tuple(sorted(busy, key=lambda name: -seconds_by_name[name])[:_MOST_NAMED])
