"""Two arms of one case, launched together; only one of them runs at any time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from benchsuite.gate.blocks import Arm
from benchsuite.measure.readings import Plan, Side, TimedWorkers
from benchsuite.measure.requests import Reading
from benchsuite.terms.errors import BenchsuiteError, ProcessError


class ArmError(BenchsuiteError):
    """An arm could not be launched or did not answer."""

    def __init__(self, arm: Arm, reason: str) -> None:
        super().__init__(reason)
        self.arm = arm


@dataclass(frozen=True)
class BlockReadings:
    """What a pair measured; times in ns as in Block."""

    readings: tuple[tuple[int, ...], ...]
    peak_bytes: Mapping[Arm, int]
    involuntary_switches: int
    launch_ns: int
    block_ns: int
    calls_ns: int


class Pair:
    """Both arms of one case as running workers; leaving the context kills them."""

    def __init__(self, sides: Mapping[Arm, Side], launched: str, workers: Callable[[Side], TimedWorkers]):
        self._stack = ExitStack()
        self._arms: dict[Arm, TimedWorkers] = {}
        self._launched = _arms(launched)
        self._sides = sides
        self._workers = workers
        self._began_ns = 0

    def __enter__(self) -> Pair:
        self._began_ns = time.perf_counter_ns()
        try:
            for arm in self._launched:
                with _failing(arm):
                    self._arms[arm] = self._workers(self._sides[arm])
                self._stack.callback(self._arms[arm].kill)
            # One after the other: some runtimes need ten times as long to load beside another process.
            for arm in self._launched:
                with _failing(arm):
                    self._arms[arm].open()
                self._arms[arm].pause()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def pids(self) -> tuple[int, ...]:
        """Return the processes of both arms."""
        return tuple(pid for workers in self._arms.values() for pid in workers.pids)

    def plan(self) -> Plan:
        """Time a few calls of the baseline and plan the subject's blocks by them."""
        with self._running("A") as workers:
            return workers.plan()

    def take(self, order: str, plan: Plan) -> BlockReadings:
        """Take the readings of a block."""
        began = time.perf_counter_ns()
        readings = [self._read(arm, plan.calls, plan.expected_s) for arm in _arms(order)]
        ended = time.perf_counter_ns()
        peaks: dict[Arm, int] = {}
        for arm, workers in self._arms.items():
            workers.resume()
            with _failing(arm):
                peaks[arm] = workers.peak_bytes()
        return BlockReadings(
            tuple(reading.ns for reading in readings),
            peaks,
            sum(reading.involuntary_switches for reading in readings),
            began - self._began_ns,
            ended - began,
            sum(reading.busy_ns for reading in readings),
        )

    def _read(self, arm: Arm, calls: int, expected_s: float) -> Reading:
        with self._running(arm) as workers:
            return workers.read(calls, expected_s)

    @contextmanager
    def _running(self, arm: Arm) -> Iterator[TimedWorkers]:
        """Let one arm run; the other stays stopped."""
        workers = self._arms[arm]
        workers.resume()
        try:
            with _failing(arm):
                yield workers
        finally:
            workers.pause()


def _arms(order: str) -> Sequence[Arm]:
    return [("A" if letter == "A" else "B") for letter in order]


@contextmanager
def _failing(arm: Arm) -> Iterator[None]:
    """Say which arm it was that failed."""
    try:
        yield
    except ProcessError as error:
        raise ArmError(arm, str(error)) from None
