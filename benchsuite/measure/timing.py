"""What turns told of each case: latency with intervals over launches, its place among the others, and the machine."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from benchsuite.machine.noise import NOT_TOLD, Noise, spread
from benchsuite.measure.contention import others_share, stolen_share
from benchsuite.measure.measurement import PHASES, Distribution, Together
from benchsuite.measure.ranking import level_interval, levels
from benchsuite.measure.statistics import describe
from benchsuite.measure.turns import Taken, TakenTurn, Turns

Floats = npt.NDArray[np.float64]
# Of a launch's turns, for the launch to tell anything.
_LEAST_TURNS = 2
_LEAST_LAUNCHES = 2


@dataclass(frozen=True)
class CaseTiming:
    """One case: the distribution of each phase by its name, and its part in the timing."""

    phases: Mapping[str, Distribution]
    together: Together


def timings(name: str, taken: Taken, turns: Turns, strangers: Sequence[str], throttled: int) -> dict[str, CaseTiming]:
    """Sum up a timing of that name, case by case.

    Turns that do not count are left out, unless too few are left: then all count, under contention.
    """
    if not taken.turns:
        return {}
    contention = not _enough(taken, turns)
    counting = {
        case_id: tuple(turn for turn in found if contention or turn.disturbed is None)
        for case_id, found in taken.turns.items()
    }
    spreads = {case_id: spread([turn.median_ns for turn in found]) for case_id, found in counting.items()}
    noise = _noise([turn for found in taken.turns.values() for turn in found], spreads.values())
    noise = replace(noise, strangers=tuple(strangers), throttled=throttled, contention=contention)
    relative = _relative(counting, taken.parts, turns.launches)
    return {
        case_id: CaseTiming(
            {phase: _described(found, column) for column, phase in enumerate(PHASES)},
            Together(
                timing=name if case_id in relative else f"{name}/{case_id}",
                launches=relative.get(case_id, ()),
                turns=len(found),
                left_out=len(taken.turns[case_id]) - len(found),
                spread=spreads[case_id],
                noise=noise,
            ),
        )
        for case_id, found in counting.items()
    }


def _enough(taken: Taken, turns: Turns) -> bool:
    """Say whether each case has enough turns that count in every launch."""
    needed = min(_LEAST_TURNS, turns.rounds)
    for found in taken.turns.values():
        counted: dict[tuple[int, int], int] = {}
        for turn in found:
            key = turn.part, turn.launch
            counted[key] = counted.get(key, 0) + (turn.disturbed is None)
        if min(counted.values()) < needed:
            return False
    return True


def _relative(
    counting: Mapping[str, Sequence[TakenTurn]], parts: Sequence[Sequence[str]], launches: int
) -> dict[str, tuple[float, ...]]:
    """Return for each case, launch by launch, the logarithm of its time over that of the first case in its part.

    Where the first case failed, only those of the first part with others can be held against each other.
    """
    found: dict[str, tuple[float, ...]] = {}
    for part, loaded in enumerate(parts):
        names = [name for name in loaded if name in counting]
        anchor = parts[0][0] if parts[0][0] in names else next(iter(names), "")
        if not anchor or (part and anchor != parts[0][0]):
            continue
        by_launch = np.array([_levels(counting, names, part, launch) for launch in range(launches)])
        against = by_launch - by_launch[:, [names.index(anchor)]]
        for column, name in enumerate(names):
            found.setdefault(name, tuple(float(value) for value in against[:, column]))
    return found


def _levels(counting: Mapping[str, Sequence[TakenTurn]], names: Sequence[str], part: int, launch: int) -> Floats:
    own = {name: [turn for turn in counting[name] if (turn.part, turn.launch) == (part, launch)] for name in names}
    rounds = sorted({turn.round for found in own.values() for turn in found})
    readings = np.full((len(names), len(rounds)), np.nan)
    for row, name in enumerate(names):
        for turn in own[name]:
            readings[row, rounds.index(turn.round)] = math.log(turn.median_ns)
    return levels(readings)


def _described(found: Sequence[TakenTurn], column: int) -> Distribution:
    """Describe a phase: percentiles over all calls, the interval of the median over launches."""
    by_launch: dict[tuple[int, int], list[int]] = {}
    for turn in found:
        by_launch.setdefault((turn.part, turn.launch), []).extend(row[column] for row in turn.turned.ns)
    samples = np.array([ns for own in by_launch.values() for ns in own], np.int64)
    medians = [statistics.median(own) for own in by_launch.values()]
    distribution = describe(samples)
    if len(medians) < _LEAST_LAUNCHES or min(medians) <= 0:
        return distribution
    low, high = level_interval(medians)
    # The median of all calls need not be the mean of the launches', but lies among them.
    return replace(distribution, p50_ci95=(min(low, distribution.p50), max(high, distribution.p50)))


def _noise(turns: Sequence[TakenTurn], spreads: Iterable[float]) -> Noise:
    disturbed = Counter[str](turn.disturbed.cause for turn in turns if turn.disturbed)
    by_programs = [turn for turn in turns if turn.disturbed and turn.disturbed.cause == "programs"]
    others = [share for turn in by_programs or turns if (share := others_share(turn.turned)) is not None]
    stolen = [share for turn in turns if (share := stolen_share(turn.turned)) is not None]
    return Noise(
        spread=statistics.median(spreads),
        turns=len(turns),
        disturbed=dict(disturbed),
        others=statistics.median(others) if others else NOT_TOLD,
        most_stolen=max(stolen) if stolen else NOT_TOLD,
    )
