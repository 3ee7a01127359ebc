"""Which other programs computed meanwhile, by their names."""

from __future__ import annotations

import os
from collections.abc import Mapping

# Of one core: what idles along is no news.
_LEAST_SHARE = 0.05
_MOST_NAMED = 5


def cpu_seconds() -> Mapping[int, tuple[str, float]]:
    """Return name and CPU time of every process that can be seen, by its number; without this one's own."""
    import psutil

    own = {os.getpid(), *(child.pid for child in psutil.Process().children(recursive=True))}
    found = {}
    for process in psutil.process_iter(("name", "cpu_times")):
        times = process.info["cpu_times"]
        if process.pid not in own and times is not None:
            found[process.pid] = process.info["name"] or str(process.pid), times.user + times.system
    return found


def strangers(
    before: Mapping[int, tuple[str, float]], after: Mapping[int, tuple[str, float]], seconds: float
) -> tuple[str, ...]:
    """Return the names of those that took a twentieth of a core or more between two looks, the busiest first.

    A process that came and went in between is not seen.
    """
    taken: dict[str, float] = {}
    for pid, (name, total) in after.items():
        known = before.get(pid)
        taken[name] = taken.get(name, 0.0) + total - (known[1] if known is not None and known[0] == name else 0.0)
    busy = sorted((name for name, spent in taken.items() if spent > _LEAST_SHARE * seconds), key=lambda it: -taken[it])
    return tuple(busy[:_MOST_NAMED])
