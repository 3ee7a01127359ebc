"""Charts beside the detail tables: distribution and course of the latency, phases, throughput."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchsuite.report.detail import Samples
from benchsuite.report.palette import DASHES, Figure, chart_name, colour_of
from benchsuite.report.recommendation import name_of
from benchsuite.report.samples import Thinned
from benchsuite.runs.records import Record
from benchsuite.terms.absence import Absent
from benchsuite.terms.quantities import NS_PER_MS

# Phases differ in lightness too, for readers who see no colours.
_PHASES = (("preprocess", "#56B4E9"), ("inference", "#0072B2"), ("postprocess", "#E69F00"))


def distribution(records: Sequence[Record], samples: Samples) -> Figure | None:
    """Return the share of calls by their total latency, with the percentiles that the sample bounds."""
    traces = []
    for record, thinned in _thinned(records, samples):
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": chart_name(record),
                "x": [round(ns / NS_PER_MS, 3) for ns, _ in thinned.distribution],
                "y": [round(share, 4) for _, share in thinned.distribution],
                "line": {"shape": "hv", "width": 2, "color": colour_of(record), "dash": DASHES[record.case.precision]},
            }
        )
        traces.append(_percentiles(record))
    layout = {
        "xaxis": {"title": {"text": "total latency, ms"}},
        "yaxis": {"title": {"text": "share of calls that took no longer"}, "tickformat": ".0%", "range": [0, 1.02]},
    }
    return {"data": traces, "layout": layout} if traces else None


def course(records: Sequence[Record], samples: Samples) -> Figure | None:
    """Return total latency call by call, one case shown at a time."""
    traces: list[Figure] = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": chart_name(record),
            "visible": number == 0,
            "x": [call for call, _ in thinned.series],
            "y": [round(ns / NS_PER_MS, 3) for _, ns in thinned.series],
            "line": {"width": 1.5, "color": colour_of(record)},
        }
        for number, (record, thinned) in enumerate(_thinned(records, samples))
    ]
    layout = {
        "showlegend": False,
        "xaxis": {"title": {"text": "call"}},
        "yaxis": {"title": {"text": "total latency, ms"}, "rangemode": "tozero"},
    }
    return {"data": traces, "layout": layout} if traces else None


def course_names(records: Sequence[Record], samples: Samples) -> tuple[str, ...]:
    """Return the names of the cases that `course` draws, in the order of its traces."""
    return tuple(name_of(record) for record, _ in _thinned(records, samples))


def phases(records: Sequence[Record]) -> Figure | None:
    """Return the median of each phase as stacked bars, the fastest case on top."""
    timed = [(record, record.metrics.latency) for record in reversed(records)]
    rows = [(record, latency) for record, latency in timed if not isinstance(latency, Absent)]
    if not rows:
        return None
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": phase,
            "x": [round(getattr(latency, f"{phase}_ns").p50 / NS_PER_MS, 3) for _, latency in rows],
            "y": [chart_name(record) for record, _ in rows],
            "marker": {"color": colour},
        }
        for phase, colour in _PHASES
    ]
    return {"data": traces, "layout": {"barmode": "stack", "xaxis": {"title": {"text": "median, ms"}}, "yaxis": {}}}


def _percentiles(record: Record) -> dict[str, Any]:
    latency = record.metrics.latency
    assert not isinstance(latency, Absent)
    total = latency.total_ns
    known = [(0.5, total.p50), (0.9, total.p90), (0.95, total.p95), (0.99, total.p99)]
    marks = [(share, ns) for share, ns in known if not isinstance(ns, Absent)]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": chart_name(record),
        "showlegend": False,
        "x": [round(ns / NS_PER_MS, 3) for _, ns in marks],
        "y": [share for share, _ in marks],
        "text": [f"p{share * 100:g}" for share, _ in marks],
        "hovertemplate": f"{chart_name(record)}<br>%{{text}} %{{x}} ms<extra></extra>",
        "marker": {"color": colour_of(record), "size": 7, "symbol": "line-ns-open"},
    }


def _thinned(records: Sequence[Record], samples: Samples) -> list[tuple[Record, Thinned]]:
    found = ((record, samples.get(record.case.id)) for record in records)
    return [(record, thinned) for record, thinned in found if isinstance(thinned, Thinned)]
