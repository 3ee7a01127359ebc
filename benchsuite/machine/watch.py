"""What else a machine did since one began to watch it."""

from __future__ import annotations

import time

from benchsuite.machine.cpu_state import read_cpu_state
from benchsuite.machine.strangers import cpu_seconds, strangers


class Watch:
    """Looks at the machine when it is made, and tells what happened since."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._seconds = cpu_seconds()
        self._throttled = _throttled()

    def strangers(self) -> tuple[str, ...]:
        """Return the names of other programs that computed, the busiest first."""
        return strangers(self._seconds, cpu_seconds(), time.monotonic() - self._began)

    def throttled(self) -> int:
        """Return how often the processor was throttled, as far as the system tells."""
        return int(_throttled() - self._throttled)


def _throttled() -> float:
    return read_cpu_state().get("throttle_count", 0.0)
