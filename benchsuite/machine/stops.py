"""When this process stood still: stopped by a signal, or the whole machine asleep."""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import dataclass
from types import TracebackType

_EVERY_S = 0.1
# Threads of a busy machine are late by some tens of milliseconds.
_LEAST_NS = 600_000_000


@dataclass(frozen=True)
class Stop:
    """One stretch; while the machine sleeps no time passes between its begin and its end."""

    began_ns: int
    ended_ns: int
    lasted_ns: int


class Stops:
    """Watches, within its context, for stretches in which nothing of this process ran."""

    def __init__(self) -> None:
        self._found: list[Stop] = []
        self._last_ns, self._last_awake_ns = time.perf_counter_ns(), _awake_ns()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Stops:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def stood_s(self, began_ns: int, ended_ns: int) -> float:
        """Return for how long it stood still in a stretch between two readings of `time.perf_counter_ns`."""
        # Whoever asks may wake up before the thread that watches.
        found = [*self._found, *filter(None, [self._gap()])]
        return sum(stop.lasted_ns for stop in found if stop.began_ns <= ended_ns and began_ns <= stop.ended_ns) / 1e9

    def _watch(self) -> None:
        while not self._ended.wait(_EVERY_S):
            if gap := self._gap():
                self._found.append(gap)
            self._last_ns, self._last_awake_ns = time.perf_counter_ns(), _awake_ns()

    def _gap(self) -> Stop | None:
        """Return the stop that has just ended, if there was one."""
        now = time.perf_counter_ns()
        # Asleep, the one clock stands still and the other goes on.
        lasted = max(now - self._last_ns, _awake_ns() - self._last_awake_ns)
        return Stop(self._last_ns, now, lasted) if lasted > _LEAST_NS else None


def _awake_ns() -> int:
    """Return a clock that goes on while the machine sleeps."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) if sys.platform == "linux" else time.perf_counter_ns()
