"""Charts as Plotly figures: plain data, drawn in the page with the colours of its theme."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from benchsuite.report.palette import SYMBOLS, Figure, chart_name, colour_of
from benchsuite.report.recommendation import reference_of
from benchsuite.report.views import GroupView
from benchsuite.runs.records import Record
from benchsuite.terms.absence import Absent
from benchsuite.terms.quantities import NS_PER_MS, milliseconds
from benchsuite.terms.said import said


def latency_against_map(view: GroupView, max_map_drop: float) -> Figure | None:
    """Return median total latency against mAP50-95 with the Pareto front, or None where no row has both.

    Names in the figure are escaped: Plotly reads some markup in texts.
    """
    points = [record for record in view.records if _point(record) is not None]
    if not points:
        return None
    void = {row.case_id: row.void for row in view.rows}
    chosen = view.recommended.case_id if view.recommended else None
    valid = [record for record in points if not void[record.case.id]]
    front = [valid[index] for index in pareto_front([_placed(record) for record in valid])]
    best = {record.case.id for record in front}
    traces = [_front(front)]
    traces += [
        _trace(record, void[record.case.id], record.case.id == chosen, record.case.id in best) for record in points
    ]
    reference = reference_of(view.records)
    layout: Figure = {
        "xaxis": {"title": {"text": "p50 of total latency, ms"}, "rangemode": "tozero"},
        "yaxis": {"title": {"text": "mAP50-95", "standoff": 14}, "tickformat": ".3f"},
        "shapes": [],
        "annotations": [],
    }
    if reference is not None and (point := _point(reference)) is not None:
        floor = point[1] - max_map_drop / 100
        line = {
            "type": "line",
            "xref": "paper",
            "x0": 0,
            "x1": 1,
            "y0": floor,
            "y1": floor,
            "line": {"dash": "dot", "width": 1},
        }
        under = "{1} point under {2}" if max_map_drop == 1 else "{1} points under {2}"
        text = said(under, f"{max_map_drop:g}", chart_name(reference))
        note = {
            "xref": "paper",
            "x": 1,
            "y": floor,
            "text": text,
            "showarrow": False,
            "xanchor": "right",
            "yanchor": "top",
        }
        layout |= {"shapes": [line], "annotations": [note]}
    return {"data": traces, "layout": layout}


def pareto_front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Return the indices of points that no other point beats in both: smaller first value, larger second value."""
    front: list[int] = []
    best = float("-inf")
    for index in sorted(range(len(points)), key=lambda number: (points[number][0], -points[number][1])):
        if points[index][1] > best:
            front.append(index)
            best = points[index][1]
    return front


def _point(record: Record) -> tuple[float, float] | None:
    latency, accuracy = record.metrics.latency, record.metrics.accuracy
    if isinstance(latency, Absent) or isinstance(accuracy, Absent):
        return None
    return latency.total_ns.p50 / NS_PER_MS, accuracy.map50_95


def _placed(record: Record) -> tuple[float, float]:
    point = _point(record)
    assert point is not None
    return point


def _front(records: Sequence[Record]) -> Figure:
    points = [_placed(record) for record in records]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "Pareto front",
        "x": [x for x, _ in points],
        "y": [y for _, y in points],
        "line": {"shape": "hv", "width": 1.5, "dash": "dash"},
        "hoverinfo": "skip",
    }


def _trace(record: Record, void: str, recommended: bool, on_front: bool) -> Figure:
    case, latency, accuracy = record.case, record.metrics.latency, record.metrics.accuracy
    assert not isinstance(latency, Absent)
    assert not isinstance(accuracy, Absent)
    name = chart_name(record)
    total = latency.total_ns
    hover = f"<b>{name}</b><br>{milliseconds(total.p50)} ms<br>mAP50-95 {accuracy.map50_95:.3f}"
    if void:
        hover += f"<br>{escape(void, quote=False)}"
    trace: Figure = {
        "type": "scatter",
        "mode": "markers+text" if recommended else "markers",
        "name": said("{1} (void)", name) if void else name,
        "x": [total.p50 / NS_PER_MS],
        "y": [accuracy.map50_95],
        "marker": {
            "color": colour_of(record),
            "symbol": SYMBOLS[case.precision] + ("-open" if void else ""),
            "size": 15 if recommended else 10,
            "opacity": 1.0 if on_front or recommended else 0.4,
        },
        "hovertemplate": hover + "<extra></extra>",
    }
    if recommended:
        trace |= {"text": [name], "textposition": "bottom center", "cliponaxis": False}
    if not isinstance(total.p50_ci95, Absent):
        low, high = total.p50_ci95
        trace["error_x"] = {
            "type": "data",
            "symmetric": False,
            "array": [(high - total.p50) / NS_PER_MS],
            "arrayminus": [(total.p50 - low) / NS_PER_MS],
            "thickness": 1,
            "width": 2,
        }
    return trace
