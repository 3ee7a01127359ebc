"""Charts beside the detail tables: distribution and course of the latency, phases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchsuite.report.chart import Axis, Chart, ChartPoint, ChartSeries
from benchsuite.report.detail import Samples, latency_table, phase_table
from benchsuite.report.palette import DASHES, colour_of
from benchsuite.report.recommendation import name_of
from benchsuite.report.samples import MOST_POINTS, Thinned
from benchsuite.runs.records import Record
from benchsuite.terms.absence import Absent
from benchsuite.terms.quantities import NS_PER_MS
from benchsuite.terms.said import said

# Phases differ in lightness too, for readers who see no colours.
_PHASES = (("preprocess", "#56B4E9"), ("inference", "#0072B2"), ("postprocess", "#E69F00"))
_TOTAL = Axis("total latency", "ms")


def distribution(records: Sequence[Record], samples: Samples) -> Chart | None:
    """Return the share of calls by their total latency, with the percentiles that the sample bounds."""
    series: list[ChartSeries] = []
    for record, thinned in _thinned(records, samples):
        steps = ChartSeries(
            name=name_of(record),
            points=tuple((_ms(ns), round(share, 4)) for ns, share in thinned.distribution),
            colour=colour_of(record),
            join="steps",
            dash=DASHES[record.case.precision],
        )
        series += [steps, _percentiles(record)]
    if not series:
        return None
    return Chart(
        kind="xy",
        title="Distribution of the latency",
        alternative="Share of calls by total latency, a line a case; the table below has the percentiles",
        table=latency_table(records, samples),
        series=tuple(series),
        x=_TOTAL,
        y=Axis("share of calls that took no longer", format=".0%", bounds=(0, 1.02)),
        about=said(
            "Steeper is steadier. Marks are p50, p90, p95 and p99. Drawn from at most {1} points a case.", MOST_POINTS
        ),
    )


def course(records: Sequence[Record], samples: Samples) -> Chart | None:
    """Return total latency call by call, one case shown at a time."""
    timed = list(_thinned(records, samples))
    if not timed:
        return None
    return Chart(
        kind="xy",
        title="Call by call",
        alternative="Total latency call by call of the chosen case; the table below has its drift and its largest "
        "value",
        table=latency_table(records, samples),
        series=tuple(
            ChartSeries(
                name=name_of(record),
                points=tuple((call, _ms(ns)) for call, ns in thinned.series),
                colour=colour_of(record),
                join="straight",
                line_px=1.5,
                in_legend=False,
                pick=number,
            )
            for number, (record, thinned) in enumerate(timed)
        ),
        x=Axis("call"),
        y=Axis(_TOTAL.title, _TOTAL.unit, from_zero=True),
        picks=tuple(name_of(record) for record, _ in timed),
        about="A slope is drift, a spike a burst: of each stretch of calls the smallest and the largest is kept.",
        height_px=280,
    )


def phases(records: Sequence[Record]) -> Chart | None:
    """Return the median of each phase as stacked bars, the fastest case on top."""
    timed = [(record, record.metrics.latency) for record in reversed(records)]
    rows = [(record, latency) for record, latency in timed if not isinstance(latency, Absent)]
    if not rows:
        return None
    return Chart(
        kind="bars",
        title="Phases of a call",
        alternative="Median time of each phase as stacked bars, a bar a case; the table below has the figures",
        table=phase_table(records),
        series=tuple(
            ChartSeries(
                name=phase,
                points=tuple((name_of(record), _ms(getattr(latency, f"{phase}_ns").p50)) for record, latency in rows),
                colour=colour,
            )
            for phase, colour in _PHASES
        ),
        x=Axis("median", "ms"),
        y=Axis(scale="names"),
        height_px=110 + 30 * len(rows),
    )


def _percentiles(record: Record) -> ChartSeries:
    latency = record.metrics.latency
    assert not isinstance(latency, Absent)
    total, name = latency.total_ns, name_of(record)
    known = [(0.5, total.p50), (0.9, total.p90), (0.95, total.p95), (0.99, total.p99)]
    marks: list[ChartPoint] = [(_ms(ns), share) for share, ns in known if not isinstance(ns, Absent)]
    return ChartSeries(
        name=name,
        points=tuple(marks),
        colour=colour_of(record),
        mark="tick",
        mark_px=7,
        in_legend=False,
        hover="notes",
        notes=tuple(f"{name}\np{share * 100:g} {ms:g} ms" for ms, share in marks),
    )


def _thinned(records: Sequence[Record], samples: Samples) -> Iterator[tuple[Record, Thinned]]:
    for record in records:
        thinned = samples.get(record.case.id)
        if isinstance(thinned, Thinned):
            yield record, thinned


def _ms(ns: float) -> float:
    return round(ns / NS_PER_MS, 3)
