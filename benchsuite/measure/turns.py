"""Cases that are timed turn by turn, so that whatever else the machine does meets all of them alike.

Every case is launched, and then all have a turn a round, in an order drawn anew; whoever has none is stopped. Several
launches follow each other, since allocation and the placement of threads are part of the noise.
"""

from __future__ import annotations

import math
import random
import statistics
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import zip_longest
from typing import Protocol

from benchsuite.backends.interface import RunPolicy
from benchsuite.machine.memory import available_bytes
from benchsuite.machine.noise import Disturbance
from benchsuite.machine.stops import Stops
from benchsuite.measure.contention import disturbed_by
from benchsuite.measure.launch import Launch
from benchsuite.measure.measurement import Cold
from benchsuite.measure.readings import Side
from benchsuite.measure.requests import Turned
from benchsuite.measure.statistics import samples_needed
from benchsuite.terms.errors import BenchsuiteError
from benchsuite.terms.numbers import Count
from benchsuite.terms.said import Sentence

TURN_NS = 250_000_000
_FEWEST_CALLS = 3
# The first call after a pause finds cold caches and sleeping threads.
_DISCARDED = 1
# Beyond it a turn has fewer calls.
_LONGEST_NS = 2_000_000_000
# Fewer could not be compared.
_FEWEST_TOGETHER = 2
# Of the memory that is free before anything is loaded.
MEMORY_SHARE = 0.6


@dataclass(frozen=True)
class Turns:
    """How often everything is timed: fresh processes, and rounds within each."""

    launches: int
    rounds: int

    @property
    def fewest_calls(self) -> int:
        """Return the calls that a turn has at least, so that all turns together carry a p95."""
        return max(_FEWEST_CALLS, math.ceil(samples_needed(0.95) / (self.launches * self.rounds)))


@dataclass(frozen=True)
class TakenTurn:
    """One turn of one case; `part` numbers the processes that were loaded together.

    `disturbed` is why it does not count, None where it does.
    """

    case_id: str
    part: Count
    launch: Count
    round: Count
    turned: Turned
    disturbed: Disturbance | None = None

    @property
    def median_ns(self) -> float:
        """Return the median of the calls' totals."""
        return statistics.median(row[-1] for row in self.turned.ns)


@dataclass(frozen=True)
class Taken:
    """What the turns told of every case, in the order in which they were taken, and why cases failed.

    `parts` has the cases that were loaded together; the first case is in each of them. `warmups` counts calls before
    the first rounds.
    """

    turns: Mapping[str, tuple[TakenTurn, ...]]
    failures: Mapping[str, Sentence]
    parts: tuple[tuple[str, ...], ...]
    warmups: Mapping[str, int]


class Watcher(Protocol):
    """Is told how far the turns have come, while no call is timed."""

    def first_launch(self, case_id: str, launch: Launch, cold: Cold) -> None:
        """Look at a case's first worker once it has had its turns, before anything else runs in it."""
        ...

    def round_ended(self, turns: Sequence[TakenTurn], done: int, of: int) -> None:
        """Keep the turns of a round; so many turns of so many that are planned have been taken."""
        ...


def take_turns(sides: Mapping[str, Side], turns: Turns, seed: int, watcher: Watcher) -> Taken:
    """Time every case by turns; only one of them runs at any time.

    A case that fails takes no further turn; the others go on. Where not all fit into the memory that is free, they are
    timed in parts, and the first case in each of them.
    """
    session = _Session(sides, turns, random.Random(seed), watcher)
    with Stops() as session.stops:
        session.run()
    return session.taken


@dataclass(frozen=True)
class _Loaded:
    """A worker that has its turns, and what its launch cost."""

    launch: Launch
    cold: Cold
    call_ns: float


class _Session:
    """One timing of a group of cases, part after part and launch after launch."""

    def __init__(self, sides: Mapping[str, Side], turns: Turns, rng: random.Random, watcher: Watcher) -> None:
        self._sides = sides
        self._turns = turns
        self._rng = rng
        self._watcher = watcher
        self._found: dict[str, list[TakenTurn]] = {name: [] for name in sides}
        self._failures: dict[str, Sentence] = {}
        self._parts: list[tuple[str, ...]] = []
        self._shown: set[str] = set()
        self._warmups = dict.fromkeys(sides, 0)
        self._peak_bytes: dict[str, int] = {}
        self._done = 0
        self.stops: Stops

    @property
    def taken(self) -> Taken:
        """Return what has been found."""
        turns = {name: tuple(found) for name, found in self._found.items() if name not in self._failures}
        return Taken(turns, self._failures, tuple(self._parts), self._warmups)

    def run(self) -> None:
        """Time all cases, as many at once as memory allows."""
        anchor, *left = self._sides
        while True:
            part = self._part([anchor, *left])
            left = [name for name in left if name not in part]
            if not left:
                return

    def _part(self, names: Sequence[str]) -> Sequence[str]:
        """Time those of the cases that can be loaded together, and return their names."""
        number, room = len(self._parts), available_bytes() * MEMORY_SHARE
        for launch in range(self._turns.launches):
            with ExitStack() as stack:
                # Who fitted once is loaded again, be it larger by a little.
                able = [name for name in names if name not in self._failures]
                loaded = self._load(able, stack, room, again=launch > 0)
                if launch == 0:
                    names = [name for name in names if name in loaded or name in self._failures]
                    self._parts.append(tuple(names))
                self._rounds(loaded, number, launch)
                if launch == 0:
                    self._show(loaded)
        return names

    def _load(self, names: Sequence[str], stack: ExitStack, room: float, again: bool) -> dict[str, _Loaded]:
        """Launch and warm up one case after the other: some need ten times as long to load beside another process.

        Two at least are loaded; the others as long as there is room for what they are expected to take. Loaded `again`,
        all of them fit, and the next one's interpreter starts meanwhile; the first time nothing runs beside a start,
        since what it took is reported.
        """
        loaded: dict[str, _Loaded] = {}
        started: dict[str, Launch] = {}
        for name, following in zip_longest(names, names[1:]):
            needed = self._taken_bytes(loaded) + self._expected_bytes(name)
            if not again and len(loaded) >= _FEWEST_TOGETHER and needed > room:
                break
            with self._noting(name):
                launch = started.pop(name, None) or self._start(name, stack)
                if again and following is not None:
                    # One that cannot be started says so when it is its turn.
                    with suppress(BenchsuiteError):
                        started[following] = self._start(following, stack)
                with _ending(launch):
                    cold = launch.open()
                    warm = launch.turn(TURN_NS // 2, 1, _DISCARDED, cold.first_inference_ns)
                    self._warmups[name] += _DISCARDED + len(warm.ns)
                    self._peak_bytes[name] = launch.memory().peak_rss_bytes
                    loaded[name] = _Loaded(launch, cold, statistics.median(row[-1] for row in warm.ns))
                    launch.pause()
            if not again and len(loaded) > _FEWEST_TOGETHER and self._taken_bytes(loaded) > room:
                loaded.pop(name).launch.kill()
                break
        return loaded

    def _start(self, name: str, stack: ExitStack) -> Launch:
        side = self._sides[name]
        launch = Launch(side.case, side.setup, RunPolicy(side.case.threads))
        stack.callback(launch.kill)
        return launch

    def _taken_bytes(self, names: Iterable[str]) -> int:
        return sum(self._peak_bytes[name] for name in names)

    def _expected_bytes(self, name: str) -> int:
        """Return what a worker will take: what it took before, or the largest of its runtime, or of all."""
        if name in self._peak_bytes:
            return self._peak_bytes[name]
        backend = self._sides[name].case.backend
        alike = [peak for other, peak in self._peak_bytes.items() if self._sides[other].case.backend == backend]
        return max(alike or self._peak_bytes.values(), default=0)

    def _rounds(self, loaded: Mapping[str, _Loaded], part: int, launch: int) -> None:
        """Give every loaded case its turns, and those whose turns others disturbed as many more at the most."""
        for number in range(2 * self._turns.rounds):
            left = [name for name in loaded if name not in self._failures]
            if number >= self._turns.rounds:
                counted = {name: self._counted(name, part, launch) for name in left}
                lacking = [name for name in left if counted[name] < self._turns.rounds]
                # Whoever disturbed all of a launch is here to stay.
                if not lacking or not any(counted.values()):
                    return
                # What a round shares is told from a case's own only where another is read in it.
                left = list(dict.fromkeys([*lacking, max(left, key=lambda name: counted[name])]))
            taken = []
            for name in self._rng.sample(left, len(left)):
                with self._noting(name), _ending(loaded[name].launch):
                    taken.append(self._turn(name, loaded[name], part, launch, number))
            for turn in taken:
                self._found[turn.case_id].append(turn)
            # What is taken again, or not at all since its case failed, brings the end no nearer or further.
            self._done += len(self._parts[part]) if number < self._turns.rounds else 0
            self._watcher.round_ended(taken, self._done, self._planned)

    def _turn(self, name: str, loaded: _Loaded, part: int, number: int, round_: int) -> TakenTurn:
        side, asked_ns = self._sides[name], time.perf_counter_ns()
        # A network of many seconds a call shall not take the whole day.
        fewest = max(1, min(self._turns.fewest_calls, int(_LONGEST_NS // loaded.call_ns)))
        loaded.launch.resume()
        turned = loaded.launch.turn(TURN_NS, fewest, _DISCARDED, loaded.call_ns, side.slowdown)
        loaded.launch.pause()
        stood_s = self.stops.stood_s(asked_ns, time.perf_counter_ns())
        stop = Disturbance("stop", stood_s) if stood_s else None
        return TakenTurn(name, part, number, round_, turned, stop or disturbed_by(turned, side.case.threads))

    def _show(self, loaded: Mapping[str, _Loaded]) -> None:
        """Show the first worker of each case, which has done nothing but its turns."""
        for name, it in loaded.items():
            if name in self._failures or name in self._shown:
                continue
            self._shown.add(name)
            with self._noting(name), _ending(it.launch):
                it.launch.resume()
                self._watcher.first_launch(name, it.launch, it.cold)
                it.launch.pause()

    @property
    def _planned(self) -> int:
        """Return the turns of all cases, as far as it is known with whom they are loaded."""
        placed = {name for part in self._parts for name in part}
        waiting = len(self._sides) - len(placed)
        # The first case is loaded with them once more.
        loads = sum(len(part) for part in self._parts) + waiting + bool(waiting)
        return loads * self._turns.launches * self._turns.rounds

    def _counted(self, name: str, part: int, launch: int) -> int:
        own = (it for it in self._found[name] if (it.part, it.launch) == (part, launch))
        return sum(it.disturbed is None for it in own)

    @contextmanager
    def _noting(self, name: str) -> Iterator[None]:
        """Note why a case failed; it takes no further turn."""
        try:
            yield
        except BenchsuiteError as error:
            self._failures[name] = str(error)


@contextmanager
def _ending(launch: Launch) -> Iterator[None]:
    """End the worker of a case that fails: its threads would run on beside the others."""
    try:
        yield
    except BenchsuiteError:
        launch.kill()
        raise
