"""Throughput by batch is shown where a case was timed at several."""

from __future__ import annotations

from dataclasses import replace

from benchsuite.report.batches import batch_views
from benchsuite.terms.absence import Absent
from benchsuite.testing import make_case, make_record

ONE = make_record(make_case(batch=1), total_ms=40)
FOUR = make_record(make_case(batch=4), total_ms=100)


def test_images_a_second_of_one_stream_and_saturated() -> None:
    """One stream gives batch over latency, and its gain over the smallest batch; saturated is what was measured."""
    (view,) = batch_views([FOUR, ONE, make_record(make_case(backend="torch"))])
    assert view.title == "yolo26n · 640 px · cpu · 2 threads · one-to-many head with NMS"
    assert view.table.rows == (
        ("onnx fp32", "1", "25.0", "1.00", "30.0", "2 × 1"),
        ("onnx fp32", "4", "40.0", "1.60", "12.0", "2 × 1"),
    )
    assert view.chart is not None
    assert view.chart.series[0].points == ((1, 30.0), (4, 12.0))
    assert view.chart.x.ticks == (1, 4)


def test_without_saturated_figures_there_is_a_table_only() -> None:
    """What was not selected leaves dashes, and no chart."""
    gone = Absent("not selected")
    bare = [replace(it, metrics=replace(it.metrics, throughput=gone)) for it in (ONE, FOUR)]
    (view,) = batch_views(bare)
    assert view.chart is None
    assert view.table.rows[0][4:] == ("–", "–")


def test_one_batch_is_no_comparison() -> None:
    """Cases of one batch only have no such view."""
    assert batch_views([ONE, make_record(make_case(backend="torch", batch=4))]) == ()


def test_a_case_that_failed_is_neither_shown_nor_a_base() -> None:
    """A row whose proof contradicts its name has figures of something else."""
    failed = replace(ONE, outcome="failed", reason="it ran bf16")
    assert batch_views([failed, FOUR]) == ()
    (view,) = batch_views([failed, FOUR, make_record(make_case(batch=8), total_ms=160)])
    assert [row[1:4] for row in view.table.rows] == [("4", "40.0", "1.00"), ("8", "50.0", "1.25")]
