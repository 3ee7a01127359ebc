"""Throughput against the batch size: what one stream and what a saturated machine gain from larger batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchsuite.report.detail import DetailTable
from benchsuite.report.groups import setting_of
from benchsuite.report.palette import DASHES, Figure, chart_name, colour_of
from benchsuite.report.recommendation import name_of
from benchsuite.runs.records import Record
from benchsuite.terms.absence import Absent, shown
from benchsuite.terms.quantities import significant


@dataclass(frozen=True)
class BatchView:
    """What was measured at several batches: a table, and a chart of it or None where nothing saturated was measured."""

    title: str
    table: DetailTable
    figure: Figure | None


def batch_views(records: Sequence[Record]) -> tuple[BatchView, ...]:
    """Return a view for each setting in which a case was timed at two or more batches."""
    settings: dict[str, dict[str, list[Record]]] = {}
    for record in records:
        if isinstance(record.metrics.latency, Absent):
            continue
        by_name = settings.setdefault(setting_of(record.case, "batch"), {})
        by_name.setdefault(name_of(record), []).append(record)
    views = []
    for title, by_name in settings.items():
        several = {name: sorted(made, key=lambda it: it.case.batch) for name, made in by_name.items() if len(made) > 1}
        if several:
            views.append(BatchView(title, _table(several), _figure(several)))
    return tuple(views)


def _table(by_name: dict[str, list[Record]]) -> DetailTable:
    rows = []
    for name, made in by_name.items():
        for record in made:
            alone = _one_stream(record)
            throughput = record.metrics.throughput
            base = _one_stream(made[0])
            best = shown(throughput, lambda it: significant(it.images_per_s))
            how = shown(throughput, lambda it: f"{it.streams} × {it.threads}")
            rows.append((name, str(record.case.batch), significant(alone), significant(alone / base), best, how))
    return DetailTable(
        "batches",
        "Throughput by batch",
        ("case", "batch", "one stream img/s", "× smallest batch", "saturated img/s", "streams × threads"),
        tuple(rows),
        "One stream: the batch over the median total latency of a call. Saturated: the best of the sweep.",
    )


def _figure(by_name: dict[str, list[Record]]) -> Figure | None:
    traces = []
    for made in by_name.values():
        pairs = [(record.case.batch, record.metrics.throughput) for record in made]
        points = [(batch, it.images_per_s) for batch, it in pairs if not isinstance(it, Absent)]
        if len(points) < 2:
            continue
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": chart_name(made[0]),
                "x": [batch for batch, _ in points],
                "y": [round(rate, 2) for _, rate in points],
                "line": {"width": 2, "color": colour_of(made[0]), "dash": DASHES[made[0].case.precision]},
            }
        )
    batches = sorted({record.case.batch for made in by_name.values() for record in made})
    layout = {
        "xaxis": {"title": {"text": "batch"}, "type": "log", "tickvals": batches, "ticktext": list(map(str, batches))},
        "yaxis": {"title": {"text": "saturated, images/s"}, "rangemode": "tozero"},
    }
    return {"data": traces, "layout": layout} if traces else None


def _one_stream(record: Record) -> float:
    latency = record.metrics.latency
    assert not isinstance(latency, Absent)
    return record.case.batch * 1e9 / latency.total_ns.p50
