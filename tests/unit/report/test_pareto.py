"""The chart shows each case once, at its figures, with the front that nothing beats."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from benchsuite.report.chart import Chart
from benchsuite.report.pareto import latency_against_map, pareto_front
from benchsuite.report.views import page_view
from benchsuite.runs.records import Record
from benchsuite.terms.absence import Absent
from benchsuite.testing import make_case, make_loss, make_record, make_run

values = st.integers(0, 6)


def _chart(made: list[Record], drop: float = 1.0) -> Chart | None:
    return latency_against_map(page_view(make_run(made), (), drop).groups[0], drop)


@given(st.lists(st.tuples(values, values), max_size=12))
def test_front_is_what_no_other_point_beats(points: list[tuple[int, int]]) -> None:
    """A point is on the front if none is at least as good in both and better in one; of equal points one stands."""
    front = {points[index] for index in pareto_front(points)}
    beaten = {
        point
        for point in points
        if any(other != point and other[0] <= point[0] and other[1] >= point[1] for other in points)
    }
    assert front == set(points) - beaten


def test_each_case_is_a_point_at_its_figures() -> None:
    """Median in ms against mAP50-95, with the interval of the median as error bar, the chosen one named."""
    chart = _chart([make_record(make_case(backend="torch"), total_ms=50), make_record(total_ms=40, map50_95=0.645)])
    assert chart is not None
    front, first, second = chart.series
    assert (first.points, first.name) == (((40.0, 0.645),), "onnx fp32")
    assert (second.points, second.name) == (((50.0, 0.65),), "torch fp32")
    assert (first.labelled, second.labelled) == (True, False)
    assert first.x_intervals == ((39.6, 40.4),)
    assert first.notes == ("onnx fp32\n40.0 ms\nmAP50-95 0.645",)
    assert front.points == ((40.0, 0.645), (50.0, 0.65))


def test_floor_lies_at_the_drop_under_the_reference() -> None:
    """The line of the accuracy that may be lost is drawn under torch fp32."""
    chart = _chart([make_record(make_case(backend="torch"))], drop=2.5)
    assert chart is not None
    (floor,) = chart.references
    assert (floor.value, floor.note) == (0.65 - 0.025, "2.5 points under torch fp32")


def test_case_without_accuracy_is_no_point() -> None:
    """A case that lacks one of the two figures is not drawn, and without any there is no chart."""
    lost = make_record(make_case(backend="ncnn"))
    lost = replace(lost, metrics=replace(lost.metrics, accuracy=Absent("crashed")))
    chart = _chart([make_record(), lost])
    assert chart is not None
    assert len(chart.series) == 2
    assert _chart([lost]) is None


def test_a_reference_that_is_void_draws_no_floor() -> None:
    """Where an export finds far more than torch, both are hollow and nothing is a point under either."""
    torch, export = make_record(make_case(backend="torch"), map50_95=0.05), make_record(total_ms=20, map50_95=0.45)
    export = replace(export, metrics=replace(export.metrics, loss=make_loss(-40.0, ci95=(-42.0, -38.0))))
    chart = _chart([torch, export])
    assert chart is not None
    assert chart.references == ()
    assert [series.hollow for series in chart.series[1:]] == [True, True]
    sound = _chart([make_record(make_case(backend="torch"))])
    assert sound is not None
    assert len(sound.references) == 1
