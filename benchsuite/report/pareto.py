"""The chart of latency against accuracy, with what no other case beats in both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchsuite.report.chart import Axis, Chart, ChartSeries, ReferenceLine
from benchsuite.report.palette import MARKS, colour_of
from benchsuite.report.recommendation import name_of
from benchsuite.report.views import GroupView
from benchsuite.runs.records import Record
from benchsuite.runs.worth import reference_of
from benchsuite.terms.absence import Absent
from benchsuite.terms.quantities import NS_PER_MS, milliseconds
from benchsuite.terms.said import said

_IN_DEPLOYMENT_TABLE = Absent("the deployment table above has its figures")


def latency_against_map(view: GroupView, max_map_drop: float) -> Chart | None:
    """Return median total latency against mAP50-95 with the Pareto front, or None where no row has both."""
    points = [record for record in view.records if _point(record) is not None]
    if not points:
        return None
    void = {row.case_id: row.void for row in view.rows}
    chosen = view.recommended.case_id if view.recommended else None
    valid = [record for record in points if not void[record.case.id]]
    # What was not timed together is drawn, and held against nothing.
    ranked = view.recommendation.ranked
    together = [] if isinstance(ranked, Absent) else [it for it in valid if it.case.id in ranked.rows]
    front = [together[index] for index in pareto_front([_placed(record) for record in together])]
    best = {record.case.id for record in front}
    return Chart(
        kind="xy",
        title="Latency against accuracy",
        alternative="Median total latency against mAP50-95 of the cases above; up and to the left is better",
        table=_IN_DEPLOYMENT_TABLE,
        series=(
            _front(front),
            *(
                _series(record, void[record.case.id], record.case.id == chosen, record.case.id in best)
                for record in points
            ),
        ),
        x=Axis("p50 of total latency", "ms", from_zero=True),
        y=Axis("mAP50-95", format=".3f"),
        references=_floor(reference_of(view.records), void, max_map_drop),
        about="Up and to the left is better. The dashed line is the Pareto front: no other case is both faster and "
        "more accurate. Faint marks are beaten in both, hollow ones are void.",
    )


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


def _front(records: Sequence[Record]) -> ChartSeries:
    points = tuple(map(_placed, records))
    return ChartSeries("Pareto front", points, join="steps", dash="dash", line_px=1.5, hover="nothing")


def _series(record: Record, void: str, recommended: bool, on_front: bool) -> ChartSeries:
    latency = record.metrics.latency
    assert not isinstance(latency, Absent)
    point, total, name = _placed(record), latency.total_ns, name_of(record)
    note = [name, f"{milliseconds(total.p50)} ms", f"mAP50-95 {point[1]:.3f}", *([void] if void else [])]
    interval = total.p50_ci95
    return ChartSeries(
        name=said("{1} (void)", name) if void else name,
        points=(point,),
        colour=colour_of(record),
        mark=MARKS[record.case.precision],
        mark_px=15 if recommended else 10,
        hollow=bool(void),
        faint=not (on_front or recommended),
        labelled=recommended,
        hover="notes",
        notes=("\n".join(note),),
        x_intervals=() if isinstance(interval, Absent) else ((interval[0] / NS_PER_MS, interval[1] / NS_PER_MS),),
    )


def _floor(reference: Record | None, void: Mapping[str, str], max_map_drop: float) -> tuple[ReferenceLine, ...]:
    point = None if reference is None else _point(reference)
    if reference is None or point is None or void[reference.case.id]:
        return ()
    under = "{1} point under {2}" if max_map_drop == 1 else "{1} points under {2}"
    text = said(under, f"{max_map_drop:g}", name_of(reference))
    return (ReferenceLine(point[1] - max_map_drop / 100, "dot", text, side="below"),)
