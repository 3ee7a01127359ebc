"""Workers that are read for a moment and stopped again, so that what is compared is timed turn by turn."""

from __future__ import annotations

import math
import statistics
import time
from dataclasses import dataclass
from typing import Protocol

from benchsuite.backends.interface import RunPolicy
from benchsuite.measure.launch import Launch, WorkerSetup
from benchsuite.measure.requests import Reading
from benchsuite.measure.saturation import images_per_ns, saturate
from benchsuite.terms.cases import Case

# Noise here comes in stretches of tens of milliseconds: arms that alternate faster share more of it
# (tests/speed/gate_blocks.py measures how much).
_READING_S = 0.025
_BLOCK_S = 1.0
_FEWEST_CALLS = 2
_MOST_QUADS = 6
_PILOT_CALLS = 5
# The first call after a pause finds cold caches and sleeping threads.
_DISCARDED = 1
_SATURATED_S = 0.5
_START_DELAY_NS = 30_000_000


@dataclass(frozen=True)
class Plan:
    """How a block of one subject is measured, chosen once and equal in both arms."""

    calls: int
    quads: int
    expected_s: float

    @classmethod
    def of(cls, call_s: float) -> Plan:
        """Plan readings of at least 25 ms and two calls, and about a second of them."""
        calls = max(_FEWEST_CALLS, math.ceil(_READING_S / call_s))
        quad_s = 4 * (calls + _DISCARDED) * call_s
        quads = min(_MOST_QUADS, max(1, round(_BLOCK_S / quad_s)))
        return cls(calls, quads, calls * call_s)


@dataclass(frozen=True)
class Side:
    """One arm of one case: what its workers run, and what is injected into it by a self-test."""

    case: Case
    setup: WorkerSetup
    slowdown: float = 0.0


class TimedWorkers(Protocol):
    """The worker or workers of what is timed in turns."""

    def open(self) -> None:
        """Load the artifact and run it once."""
        ...

    def read(self, calls: int, expected_s: float) -> Reading:
        """Take one reading."""
        ...

    def plan(self) -> Plan:
        """Plan the readings by how long a call takes."""
        ...

    def peak_bytes(self) -> int:
        """Return the peak memory so far."""
        ...

    @property
    def pids(self) -> tuple[int, ...]:
        """Return the process of each worker."""
        ...

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def kill(self) -> None: ...


class LatencyWorker:
    """One worker that is called again and again."""

    def __init__(self, side: Side) -> None:
        self._slowdown = side.slowdown
        self._launch = Launch(side.case, side.setup, RunPolicy(side.case.threads))

    def open(self) -> None:
        self._launch.open()

    def read(self, calls: int, expected_s: float) -> Reading:
        return self._launch.read(calls, _DISCARDED, expected_s, self._slowdown)

    def plan(self) -> Plan:
        return Plan.of(statistics.median(self.read(_PILOT_CALLS, 1.0).ns) / 1e9)

    def peak_bytes(self) -> int:
        return self._launch.memory().peak_rss_bytes

    @property
    def pids(self) -> tuple[int, ...]:
        return (self._launch.pid,)

    def pause(self) -> None:
        self._launch.pause()

    def resume(self) -> None:
        self._launch.resume()

    def kill(self) -> None:
        self._launch.kill()


class SaturatedWorkers:
    """A worker a thread, all busy at the same time; a reading is ns an image over one common window."""

    def __init__(self, side: Side) -> None:
        self._first_call_s = 0.0
        self._batch = side.case.batch
        self._launches = [Launch(side.case, side.setup, RunPolicy(1)) for _ in range(side.case.threads)]

    def open(self) -> None:
        self._first_call_s = max(launch.open().first_inference_ns for launch in self._launches) / 1e9

    def read(self, calls: int, expected_s: float) -> Reading:  # noqa: ARG002 (a window counts its own calls)
        began = time.perf_counter_ns()
        # Several calls of each stream must end within it.
        window_ns = int(max(_SATURATED_S, 5 * expected_s) * 1e9)
        answers = saturate(self._launches, _START_DELAY_NS, window_ns, 30 + 20 * window_ns / 1e9)
        ns_an_image = round(1 / images_per_ns(answers, self._batch))
        return Reading((ns_an_image,), time.perf_counter_ns() - began, 0)

    def plan(self) -> Plan:
        return Plan(1, 1, self._first_call_s)

    def peak_bytes(self) -> int:
        return sum(launch.memory().peak_rss_bytes for launch in self._launches)

    @property
    def pids(self) -> tuple[int, ...]:
        return tuple(launch.pid for launch in self._launches)

    def pause(self) -> None:
        for launch in self._launches:
            launch.pause()

    def resume(self) -> None:
        for launch in self._launches:
            launch.resume()

    def kill(self) -> None:
        for launch in self._launches:
            launch.kill()
