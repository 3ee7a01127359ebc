"""Each kind of chart in a real browser: its figures are drawn to scale, and names stay texts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import benchsuite.report
from benchsuite.report.chart import Axis, Chart, ChartKind, ChartSeries
from benchsuite.report.drawing import drawn, library
from benchsuite.terms.absence import Absent
from benchsuite.terms.language import language

pytestmark = pytest.mark.slow
SCRIPT = (Path(benchsuite.report.__file__).parent / "templates" / "drawing.js").read_text()
EVIL = "<b>a</b> & <img src=x onerror=\"document.title='caught'\">"
BOXES = "paths => paths.map(it => it.getBoundingClientRect()).map(it => [it.left, it.top, it.right, it.bottom])"
TEXTS = "texts => texts.map(it => it.textContent)"


@pytest.fixture
def draw(open_page: Any, tmp_path: Path) -> Any:
    """Draw a chart on a page of its own, which has no complaint."""

    def draw_one(kind: ChartKind, *series: ChartSeries, **changes: Any) -> Any:
        chart = Chart(kind, "", "", Absent("none"), series, **changes)
        source = json.dumps(drawn(language("en"), chart)).replace("<", "\\u003c")
        path = tmp_path / "chart.html"
        path.write_text(
            "<!doctype html><html><body style='--line: #ccc; --ink: #000; --muted: #666'>"
            "<div class='chart' id='it' data-height='400px'></div>"
            f"<script>{library()}</script><script>{SCRIPT} Drawing.show('it', {source})</script></body></html>"
        )
        opened = open_page(path, viewport={"width": 900, "height": 600})
        assert opened.page.title() == ""
        assert opened.troubles == []
        return opened.page

    return draw_one


def test_points_have_whiskers_and_names(draw: Any) -> None:
    """A point's interval is drawn in both directions, and its name is read as it is in legend, label and note."""
    page = draw(
        "xy",
        ChartSeries(
            EVIL, ((1, 2), (3, 4)), "#0072B2", mark="circle", labelled=True, hover="notes", notes=(EVIL, f"{EVIL}\n4"),
            x_intervals=((0.5, 2), (2, 3.5)), y_intervals=((1, 3), (3, 5)),
        ),
        ChartSeries(EVIL, ((1, 1), (2, 3)), join="steps"),
    )  # fmt: skip
    assert page.locator(".xerror").count() == page.locator(".yerror").count() == 2
    assert page.eval_on_selector_all(".legendtext", TEXTS) == [EVIL, EVIL]
    assert page.eval_on_selector_all(".textpoint text", TEXTS) == [EVIL, EVIL]
    left, top, right, bottom = page.eval_on_selector_all("path.point", BOXES)[1]
    page.mouse.move((left + right) / 2, (top + bottom) / 2)
    page.locator(".hoverlayer .hovertext").wait_for()
    assert page.eval_on_selector_all(".hovertext text tspan.line", TEXTS) == [EVIL, "4"]


def test_bars_of_several_series_are_stacked(draw: Any) -> None:
    """Bars lie one behind the other, as long as their values, the first name at the foot, with their whiskers."""
    first = ChartSeries("first", (("lower", 10.0), (EVIL, 20.0)), "#0072B2", x_intervals=((8, 12), (19, 21)))
    second = ChartSeries("second", (("lower", 30.0), (EVIL, 5.0)), "#E69F00")
    page = draw("bars", first, second, x=Axis("median", "ms"), y=Axis(scale="names"))
    low, high, low_on, high_on = page.eval_on_selector_all(".barlayer .point path", BOXES)
    assert (low_on[0], high_on[0]) == pytest.approx((low[2], high[2]), abs=1)
    assert [right - left for left, _, right, _ in (high, low_on, high_on)] == pytest.approx(
        [(low[2] - low[0]) * times for times in (2, 3, 0.5)], abs=1
    )
    assert low[1] > high[1]
    assert page.locator(".barlayer .xerror").count() == 2
    assert page.eval_on_selector_all(".ytick text", TEXTS) == ["lower", EVIL]


def test_waterfall_leads_from_its_start_to_its_end(draw: Any) -> None:
    """Each change starts where the one before it ended, and what remains stands on the ground as the start does."""
    steps = (("before", 40.0), (EVIL, -10.0), ("more boxes", 4.0), ("after", 34.0))
    page = draw("waterfall", ChartSeries("latency", steps), x=Axis(scale="names"), y=Axis("latency", "ms"))
    boxes = page.eval_on_selector_all(".waterfalllayer .point path", BOXES)
    heights = [bottom - top for _, top, _, bottom in boxes]
    assert heights == pytest.approx([heights[0] / 40 * abs(value) for _, value in steps], abs=2)
    start, fall, rise, end = boxes
    assert fall[1] == pytest.approx(start[1], abs=2)
    assert rise[3] == pytest.approx(fall[3], abs=2)
    assert (end[1], end[3]) == pytest.approx((rise[1], start[3]), abs=2)
    assert page.eval_on_selector_all(".xtick text", TEXTS) == [name for name, _ in steps]


def test_icicle_gives_each_part_its_size_within_its_whole(draw: Any) -> None:
    """A part is as wide as its own size and all that is within it; parts of one name are told apart."""
    parts = ((EVIL, 0.0), ("Conv", 6.0), ("Conv", 1.0), ("Add", 1.0))
    page = draw("icicle", ChartSeries("layers", parts, parents=(-1, 0, 0, 2)), z=Axis("time", "ms", format=".1f"))
    boxes = page.eval_on_selector_all(".iciclelayer path.surface", BOXES)
    lengths = sorted(
        round(max(bottom - top for _, top, _, bottom in boxes) / (bottom - top)) for _, top, _, bottom in boxes
    )
    assert lengths == [1, 1, 4, 8]
    assert page.eval_on_selector_all(".iciclelayer text.slicetext", TEXTS)[0] == EVIL


def test_heat_map_shows_each_value_in_its_row_and_column(draw: Any) -> None:
    """The first row is on top, each value stands in its cell, and what a row lacks stays open."""
    rows = (ChartSeries("onnx", (("fp32", 1.0), (EVIL, 2.0))), ChartSeries("torch", ((EVIL, 0.25),)))
    page = draw("heat", *rows, x=Axis(scale="names"), y=Axis(scale="names"), z=Axis("speed-up", format=".2f"))
    labels = page.locator(".heatmap-label")
    places = {label.text_content(): label.bounding_box() for label in labels.all()}
    assert set(places) == {"1.00", "2.00", "0.25"}
    assert places["1.00"]["y"] == places["2.00"]["y"] < places["0.25"]["y"]
    assert places["1.00"]["x"] < places["2.00"]["x"] == pytest.approx(places["0.25"]["x"], abs=1)
    assert page.eval_on_selector_all(".xtick text", TEXTS) == ["fp32", EVIL]
    assert sorted(page.eval_on_selector_all(".ytick text", TEXTS)) == ["onnx", "torch"]
