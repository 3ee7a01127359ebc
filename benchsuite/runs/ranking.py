"""Rows of a run that were timed together, held against each other; no others are ever ranked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from benchsuite.machine.noise import Noise
from benchsuite.measure.measurement import ALONE, Together
from benchsuite.measure.ranking import Ranking, Ratio
from benchsuite.runs.records import Record
from benchsuite.terms.absence import Absent
from benchsuite.terms.said import said

_LEAST_ROWS = 2
_LEAST_LAUNCHES = 2


@dataclass(frozen=True)
class RankedRow:
    """How many times as fast as the fastest row one is, and the first and the last place that it may have.

    The fastest is that of the rows that keep the accuracy, and only these have a place; None where there is none.
    """

    speed: Ratio | None
    place: tuple[int, int] | None


@dataclass(frozen=True)
class RankedRows:
    """Rows of one timing by their cases' ids; `order` has those that keep the accuracy, the fastest first."""

    rows: Mapping[str, RankedRow]
    order: tuple[str, ...]
    noise: Noise
    _ranking: Ranking

    def proved_faster(self, case_id: str, than: str) -> bool:
        """Say whether a row is proved to be faster than another; under contention nothing is."""
        return not self.noise.contention and self._ranking.proved_faster(case_id, than)

    def speed(self, case_id: str, to: str) -> Ratio:
        """Return how many times as fast as another a row is."""
        return self._ranking.ratio(to, case_id)

    def by_time(self) -> list[str]:
        """Return all rows, the fastest first."""
        return self._ranking.by_time(self._ranking.names)


def rank(records: Sequence[Record], fit: Collection[str]) -> RankedRows | Absent:
    """Rank the rows that took turns with each other; `fit` are the ids of those that keep the accuracy.

    Of several timings, as a run that was resumed has, the one with most of these counts.
    """
    timed = {record.case.id: it for record in records if (it := _together(record)) is not None}
    if not timed:
        return ALONE
    counted = Counter(it.timing for case_id, it in timed.items() if case_id in fit) or Counter(
        it.timing for it in timed.values()
    )
    name = max(counted, key=lambda timing: counted[timing])
    own = {case_id: it for case_id, it in timed.items() if it.timing == name}
    launches = min(len(it.launches) for it in own.values())
    if len(own) < _LEAST_ROWS or launches < _LEAST_LAUNCHES:
        return Absent(said("ranking takes two rows that were timed together in two launches"))
    ranking = Ranking({case_id: it.launches[:launches] for case_id, it in own.items()})
    order = ranking.by_time([case_id for case_id in own if case_id in fit])
    noise = next(iter(own.values())).noise
    places = dict.fromkeys(order, (1, len(order))) if noise.contention else ranking.places(order)
    rows = {
        case_id: RankedRow(ranking.ratio(order[0], case_id) if order else None, places.get(case_id)) for case_id in own
    }
    return RankedRows(rows, tuple(order), noise, ranking)


def noise_of(records: Sequence[Record]) -> tuple[Noise, ...]:
    """Return what the machine was like in each timing that records are of, once each."""
    together = [it for record in records if (it := _together(record)) is not None]
    return tuple({it.timing: it.noise for it in together}.values())


def _together(record: Record) -> Together | None:
    latency = record.metrics.latency
    if isinstance(latency, Absent) or isinstance(latency.together, Absent):
        return None
    return latency.together
