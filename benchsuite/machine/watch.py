"""What else a machine did since one began to watch it."""

from __future__ import annotations

import time

from benchsuite.machine.cpu_state import read_cpu_state
from benchsuite.machine.strangers import busiest, cpu_seconds, taken


class Watch:
    """Looks at the machine when it is made and whenever it is told to, and tells what happened since."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._processes = cpu_seconds()
        self._taken: dict[str, float] = {}
        self._throttled = _throttled()

    def look(self) -> None:
        """Look which programs run: those that are gone by the end are seen by nothing else."""
        now = cpu_seconds()
        for name, seconds in taken(self._processes, now).items():
            self._taken[name] = self._taken.get(name, 0.0) + seconds
        self._processes = now

    def strangers(self) -> tuple[str, ...]:
        """Return the names of other programs that computed, the busiest first."""
        self.look()
        return busiest(self._taken, time.monotonic() - self._began)

    def throttled(self) -> int:
        """Return how often the processor was throttled, as far as the system tells."""
        return int(_throttled() - self._throttled)


def _throttled() -> float:
    return read_cpu_state().get("throttle_count", 0.0)
