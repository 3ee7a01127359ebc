"""The page of a run in a real browser: it draws, sorts, filters, fits a phone, and asks for nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchsuite.compare.findings import Finding
from benchsuite.report.gate_view import gate_view
from benchsuite.report.page import render
from benchsuite.report.samples import thin
from benchsuite.report.views import page_view
from benchsuite.runs.records import Record
from benchsuite.terms.absence import Absent
from benchsuite.testing import make_case, make_metrics, make_record, make_run
from tests.support.gates import write_waived_gate

pytestmark = pytest.mark.slow

EVIL = "<script>document.title='caught'</script><img src=x onerror=\"document.title='caught'\">"
PHONE, WIDE = {"width": 390, "height": 844}, {"width": 1400, "height": 900}


def record(backend: str, precision: str, total_ms: float, map50_95: float, **case: Any) -> Record:
    made = make_record(make_case(backend=backend, precision=precision, **case), total_ms=total_ms, map50_95=map50_95)
    if backend == "ncnn":
        return replace(made, metrics=make_metrics(total_ms, accuracy=Absent("its data has no labels")))
    return made


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a page with everything on it: two groups, void and missing figures, failures, warnings and markup."""
    measured = [
        record("torch", "fp32", 50, 0.650), record("torch", "bf16", 22, 0.648), record("onnx", "fp32", 40, 0.650),
        record("onnx", "fp16", 41, 0.650), record("onnx", "int8", 25, 0.641), record("openvino", "fp32", 35, 0.650),
        record("openvino", "bf16", 20, 0.649), record("openvino", "int8", 18, 0.640), record("ncnn", "fp32", 48, 0),
        record("onnx", "fp32", 12, 0.6, imgsz=320), record("torch", "fp32", 15, 0.6, imgsz=320, model=EVIL),
    ]  # fmt: skip
    measured[1] = replace(measured[1], validity=replace(measured[1].validity, warnings=(EVIL,)))
    others = [
        make_record(make_case(backend="trt", device="cuda:0"), "skipped", "no GPU was found"),
        make_record(make_case(backend="ncnn", precision="int8"), "failed", f"worker died {EVIL}\nsecond line"),
        make_record(
            make_case(backend="trt", precision="fp16", device="cuda:0"), "built", "built here, not run: no GPU"
        ),
    ]
    findings = (
        Finding(
            measured[2].case.id, "latency", "REGRESSED", "38 ms", "40 ms", "5 %", "Slower.", True, ("torch: 1 -> 2",),
            "pytest bench/", "benchsuite promote",
        ),
        Finding(measured[3].case.id, "map50_95", "INCONCLUSIVE", "0.6", "0.6", "", "Too few images."),
        Finding(measured[4].case.id, "gflops", "PASS", "5", "5", "", ""),
    )  # fmt: skip
    random = np.random.default_rng(1)
    samples: dict[str, Any] = {
        it.case.id: thin([int(ns) for ns in random.gamma(40, 1e6, 600)]) for it in measured if it.case.backend != "ncnn"
    }
    path = tmp_path_factory.mktemp("page") / "index.html"
    path.write_text(render(page_view(make_run([*measured, *others]), findings, 1.0, samples=samples)))
    return path


@pytest.fixture
def opened(open_page: Any, page_file: Path) -> Any:
    return open_page(page_file, viewport=WIDE)


def test_every_chart_draws_and_nothing_is_asked_for(opened: Any) -> None:
    """No error on the console, no request, a drawing for each chart, and markup in names stays text."""
    charts = opened.page.query_selector_all(".chart")
    assert len(charts) >= 6
    opened.page.evaluate("document.querySelectorAll('details.part').forEach(part => part.open = true)")
    opened.wait_for("[...document.querySelectorAll('.chart')].every(it => it.querySelector('svg'))")
    assert [chart.get_attribute("id") for chart in charts if not chart.query_selector(".cartesianlayer .trace")] == []
    assert opened.page.title() != "caught"
    assert opened.troubles == []


def test_names_sort_without_their_star(opened: Any) -> None:
    """The recommended case stands in the order of names, not of signs."""
    opened.page.locator("#group-1 table.main thead button").first.click()
    names = [name.removesuffix(" ★") for name in opened.column("#group-1 table.main", 0)]
    assert names == sorted(names)


def test_folded_part_opens_by_its_link_and_draws(opened: Any) -> None:
    """What stands behind a further group's table is folded; its link opens it, and its chart has the page's width."""
    assert opened.page.locator("#group-1 details.part:not([open])").count() == 0
    chart = opened.page.locator("#distribution-1")
    assert chart.locator("svg").count() == 0
    opened.page.click('a[href="#latency-1"]')
    chart.locator("svg.main-svg").first.wait_for()
    widths = opened.page.evaluate(
        "['map-0', 'distribution-1'].map(id => document.querySelector(`#${id} svg`).clientWidth)"
    )
    assert widths[0] == widths[1]
    # Folded by hand, the same link opens it again.
    opened.page.evaluate("document.querySelector('#latency-1').closest('details').open = false")
    opened.page.click('a[href="#latency-1"]')
    opened.wait_for("document.querySelector('#latency-1').closest('details').open")
    assert opened.troubles == []


def test_contents_lead_to_every_section_and_stay_in_sight(opened: Any) -> None:
    """Each link of the contents names a section that is there; scrolled to the end, they are still at the top."""
    for link in opened.page.locator("nav.contents a, .within a").all():
        assert opened.page.locator(str(link.get_attribute("href"))).count() == 1
    opened.page.evaluate("scrollTo(0, document.body.scrollHeight)")
    assert opened.page.locator("nav.contents").bounding_box()["y"] == 0


def test_page_in_chinese_draws_and_sorts(open_page: Any, tmp_path: Path) -> None:
    """Another language changes what is read, not what works: charts, sorting and accessibility are the same."""
    made = [record("torch", "fp32", 50, 0.65), record("onnx", "int8", 25, 0.641)]
    samples: dict[str, Any] = {it.case.id: thin([20_000_000 + call for call in range(40)]) for it in made}
    path = tmp_path / "index.html"
    path.write_text(render(page_view(make_run(made), (), 1.0, samples=samples), "zh"))
    opened = open_page(path, viewport=WIDE)
    assert opened.page.locator("html").get_attribute("lang") == "zh-Hans"
    assert opened.page.locator("h1").inner_text().endswith("已测量")
    opened.page.locator("table.main thead th button").first.click()
    assert opened.column("table.main", 0) == ["onnx int8 ★", "torch fp32"]
    assert opened.serious() == []
    assert opened.troubles == []


def test_table_sorts_by_the_heading_that_is_pressed(opened: Any) -> None:
    """Numbers sort as numbers, up and then down, absent figures last, and screen readers are told the order."""
    heading = opened.page.locator("#group-1 table.sortable thead tr:nth-child(2) th").filter(has_text="mAP50-95").first
    place = 14

    def scores() -> list[str]:
        shown = opened.column("#group-1 table.sortable", place)
        assert [text.startswith("–") for text in shown] == [False] * 8 + [True]
        return shown[:-1]

    heading.locator("button").click()
    assert heading.get_attribute("aria-sort") == "ascending"
    rising = scores()
    assert rising == sorted(rising, key=float)
    assert rising[0] == "0.640"
    heading.locator("button").click()
    assert heading.get_attribute("aria-sort") == "descending"
    assert scores() == rising[::-1]


def test_overview_sorts_with_groups_that_have_no_figures(open_page: Any, tmp_path: Path) -> None:
    """A group without a recommendation says why in one cell, and comes last however the table is sorted."""
    only_built = make_record(make_case(backend="trt", model="yolo11n"), "built", "built here, not run: no GPU")
    path = tmp_path / "index.html"
    made = [only_built, record("onnx", "fp32", 40, 0.65), record("onnx", "fp32", 12, 0.65, imgsz=320)]
    path.write_text(render(page_view(make_run(made), (), 1.0)))
    opened = open_page(path, viewport=WIDE)
    table = "section[aria-labelledby=overview] table"
    heading = opened.page.locator(f"{table} thead th", has_text="p50 total").locator("button")
    for expected in (["12.0", "40.0"], ["40.0", "12.0"]):
        heading.click()
        shown = [row.split("\t") for row in opened.page.locator(f"{table} tbody tr").all_inner_texts()]
        assert [row[2] for row in shown[:2]] == expected
        assert "No recommendation" in shown[2][1]
    assert opened.troubles == []


def test_filter_keeps_the_rows_that_hold_every_word(opened: Any) -> None:
    """What is typed hides all other rows, and emptying it brings them back."""
    box = opened.page.locator("#group-1 .filter input").first
    box.fill("openvino int8")
    assert opened.column("#group-1 table.sortable", 0) == ["openvino int8"]
    box.fill("")
    assert len(opened.column("#group-1 table.sortable", 0)) == 9


def test_course_shows_the_case_that_is_picked(opened: Any) -> None:
    """Picking another case draws that one alone."""
    pick = opened.page.locator("select[data-picks]").first
    pick.select_option("2")
    shown = opened.page.evaluate("document.getElementById('course-0').data.map(trace => trace.visible)")
    assert [number for number, visible in enumerate(shown) if visible is True] == [2]


def test_lines_of_a_gate_follow_the_test_that_is_picked(open_page: Any, tmp_path: Path) -> None:
    """A waived case is drawn against its ceiling, and the others against the gate's own limits."""
    write_waived_gate(tmp_path)
    page = tmp_path / "index.html"
    page.write_text(render(page_view(make_run([make_record()]), (), 1.0, gate_view(tmp_path, ()))))
    opened = open_page(page, viewport=WIDE)
    lines = "document.getElementById('gate-ratios').layout.shapes.map(line => line.y0.toFixed(3))"
    assert opened.page.evaluate(lines) == ["1.000", "1.010", "1.050"]
    opened.page.locator("#pick-gate").select_option("1")
    assert opened.page.evaluate(lines) == ["1.000", "1.039", "1.080"]
    assert not opened.troubles


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, WIDE], ids=["phone", "wide"])
def test_page_fits_and_is_accessible(open_page: Any, page_file: Path, scheme: str, viewport: Any) -> None:
    """No sideways scrolling, the theme that was asked for, and no serious finding of axe."""
    opened = open_page(page_file, viewport=viewport, color_scheme=scheme)
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    background = opened.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, background[4:-1].split(","))) < 200) == (scheme == "dark")
    # What failed, and why, is read without scrolling sideways.
    box = opened.page.locator(".verdict td.why").first.bounding_box()
    assert box["x"] + box["width"] <= viewport["width"]
    assert opened.serious() == []
    assert opened.troubles == []


def test_keyboard_reaches_what_can_be_pressed(opened: Any) -> None:
    """A heading sorts by the keyboard alone, and a table that scrolls takes the focus."""
    button = opened.page.locator("#group-1 table.sortable thead th button").first
    button.focus()
    opened.page.keyboard.press("Enter")
    assert opened.page.locator("#group-1 table.sortable thead th").first.get_attribute("aria-sort") == "ascending"
    assert opened.page.locator("#group-1 .scroll").first.get_attribute("tabindex") == "0"
