"""The ways of a study, timed turn by turn: what each takes, and how many times as long as another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from benchsuite.machine.noise import Noise
from benchsuite.machine.watch import Watch
from benchsuite.measure.launch import Launch
from benchsuite.measure.measurement import Cold
from benchsuite.measure.ranking import Ranking
from benchsuite.measure.readings import Side
from benchsuite.measure.timing import CaseTiming, timings
from benchsuite.measure.turns import TakenTurn, Turns, take_turns
from benchsuite.terms.absence import Absent
from benchsuite.terms.numbers import Measure, TimeRatio
from benchsuite.terms.said import Sentence, said

# Studies of earlier releases.
NOISE_NOT_KEPT = Absent("the study does not say what the machine was like")
# Medians of turns in ns, a list a launch.
Readings = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Timed:
    """Total latency of one way, and how many times as long as the reference it takes, with a 95 % interval.

    `noise` is what the machine was like while all ways took turns.
    """

    p50_ns: Measure
    ratio: TimeRatio
    ratio_ci95: tuple[TimeRatio, TimeRatio]
    noise: Noise | Absent = NOISE_NOT_KEPT


@dataclass(frozen=True)
class TimedWays:
    """What ways that took turns told, by their names, and why the others told nothing."""

    told: Mapping[str, CaseTiming]
    failures: Mapping[str, Sentence]
    readings: Mapping[str, Readings]

    def against(self, name: str, reference: str) -> Timed | Absent:
        """Hold a way against another; absent where one of them could not be timed, or not beside the other."""
        for one in (name, reference):
            if one in self.failures:
                return Absent(said("{1} could not be timed: {2}", one, self.failures[one]))
        if not {name, reference} <= set(self._ranking.names):
            return Absent(said("{1} and {2} were not timed together", name, reference))
        found, told = self._ranking.ratio(name, reference), self.told[name]
        return Timed(told.phases["total"].p50, found.times, (found.low, found.high), told.together.noise)

    def proved_faster(self, name: str, than: str) -> bool:
        """Say whether one way is proved faster than another, all pairs of the timing considered."""
        return self._ranking.proved_faster(name, than)

    @cached_property
    def _ranking(self) -> Ranking:
        return Ranking({name: it.together.launches for name, it in self.told.items() if it.together.launches})


def time_ways(title: str, sides: Mapping[str, Side], turns: Turns, say: Callable[[str], None]) -> TimedWays:
    """Time ways turn by turn."""
    say(f"timing {len(sides)} ways of {title} turn by turn: {turns.launches} launches of {turns.rounds} rounds")
    watch = Watch()
    taken = take_turns(sides, turns, 0, _Looking(watch))
    return TimedWays(
        timings(title, taken, turns, watch.strangers(), watch.throttled()),
        taken.failures,
        {name: _by_launch(found) for name, found in taken.turns.items()},
    )


class _Looking:
    """Looks at the machine, and keeps nothing: a study writes its readings when it has ended."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def first_launch(self, case_id: str, launch: Launch, cold: Cold) -> None:
        pass

    def round_ended(self, turns: Sequence[TakenTurn], done: int, of: int) -> None:  # noqa: ARG002 (it only looks)
        self._watch.look()


def _by_launch(turns: Sequence[TakenTurn]) -> Readings:
    launches: dict[tuple[int, int], list[float]] = {}
    for turn in turns:
        launches.setdefault((turn.part, turn.launch), []).append(turn.median_ns)
    return tuple(tuple(medians) for medians in launches.values())
