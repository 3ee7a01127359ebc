"""Figures as pages of several runs show them: numbers in the unit that people read, with what they cost beside them."""

from __future__ import annotations

from dataclasses import dataclass

from benchsuite.runs import figures
from benchsuite.runs.figures import Figure, Names, figure
from benchsuite.runs.records import Record
from benchsuite.terms.absence import Absent, part_of
from benchsuite.terms.units import Unit


@dataclass(frozen=True)
class Costs:
    """What a run's machine takes while it works, where that is known."""

    watts: float | None = None
    usd_per_hour: float | None = None


def series_figures() -> tuple[Figure, ...]:
    """Return the figures that pages of several runs show."""
    return tuple(it for it in figures.FIGURES if it.names.series)


def cost_figures(costs: Costs) -> tuple[Figure, ...]:
    """Return the figures of a run that follow from what it costs, absent where that is not known."""
    return (
        _per("per_joule", "images per joule", "1/J", "throughput", costs.watts),
        _per("per_usd", "images per dollar", "1/$", "throughput", costs.usd_per_hour, 3600),
        _per("map_per_watt", "mAP points per watt", "1/W", "map50_95", costs.watts, 100),
        _per("map_per_usd", "mAP points per dollar an hour", "h/$", "map50_95", costs.usd_per_hour, 100),
    )


def value_of(figure: Figure, record: Record) -> float | None:
    """Return a record's figure in its unit; what a case that failed has left is none."""
    value = part_of(figure.read(record), figure.unit.scaled)
    return None if record.outcome == "failed" or isinstance(value, Absent) else value


def _per(key: str, title: str, unit: str, of: str, cost: float | None, factor: float = 1) -> Figure:
    """Declare a figure that is another one, times a factor, over a cost."""
    gain = figure(of)

    def read(record: Record) -> float | Absent:
        if not cost:
            return Absent("what its machine takes is not known")
        return part_of(gain.read(record), lambda value: value * factor / cost)

    return Figure(key, title, gain.metric, Unit(unit), read, Names(series=title), better="more", speed=gain.speed)
