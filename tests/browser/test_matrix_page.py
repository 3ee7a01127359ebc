"""Many runs side by side in a real browser: a page at a time, quick, fit for a phone, readable by all."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchsuite.backends import BACKENDS
from benchsuite.report.matrix import make_matrix
from benchsuite.report.matrix_page import matrix_page
from benchsuite.runs.folder import read_run
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import PRECISIONS
from benchsuite.terms.quantities import MINUS, signed, significant
from benchsuite.testing import make_case, make_machine, make_record, make_run, write_run
from tests.support.rounded import ROUNDED

pytestmark = pytest.mark.slow
RUNS, MODELS, SIZES = 50, ("yolo26n", "yolo11n", "yolov8n", "yolo26s", "<b>evil</b>"), (320, 640)
PHONE, WIDE = {"width": 390, "height": 844}, {"width": 1400, "height": 900}


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the page of 10,000 records from 50 machines as the command does, and hold it to its time and size."""
    root = tmp_path_factory.mktemp("many")
    with pytest.MonkeyPatch.context() as patch:
        # Ten thousand waits for the disk are no part of what is tested.
        patch.setattr("os.fsync", lambda _: None)
        for number in range(RUNS):
            made = [
                make_record(
                    make_case(model=model, backend=backend, precision=precision, imgsz=imgsz),
                    total_ms=20 + number + 3 * PRECISIONS.index(precision) + tuple(BACKENDS).index(backend),
                )
                for model in MODELS
                for imgsz in SIZES
                for backend in BACKENDS
                for precision in PRECISIONS
            ]
            write_run(root / str(number), make_run(made, machine=make_machine(cpu=f"Example CPU {number:02}")))
    taken_s = []
    # The work of this process, and the best of three: what else runs on the machine halves its pace at times.
    while len(taken_s) < 3 and min(taken_s, default=9) > 5:
        started = time.process_time()
        runs = [read_run(next((root / str(number)).glob("2*"))) for number in range(RUNS)]
        page = matrix_page(make_matrix(runs))
        taken_s.append(time.process_time() - started)
    assert sum(len(run.records) for run in runs) == 10_000
    assert min(taken_s) <= 5
    assert len(page.encode()) <= 15_000_000
    path = root / "matrix.html"
    path.write_text(page)
    return path


def test_first_page_paints_soon_and_picks_are_quick(open_page: Any, page_file: Path) -> None:
    """First paint within two seconds, and each choice redrawn within one; the next page goes on where this ends."""
    opened = open_page(page_file, viewport=WIDE)
    # The entry follows the paint.
    paint_ms = opened.wait_for("performance.getEntriesByName('first-contentful-paint')[0]?.startTime")
    assert paint_ms <= 2000
    place = opened.page.locator("#place")
    assert place.inner_text() == "cases 1 to 50 of 200"
    for pick, value in (("#metric", "throughput"), ("#form", "ratio"), ("#reference", "49")):
        started = time.perf_counter()
        opened.page.select_option(pick, value)
        assert time.perf_counter() - started <= 1
    opened.page.click("#on")
    assert place.inner_text() == "cases 51 to 100 of 200"
    assert opened.troubles == []


def test_ratios_follow_the_reference_and_the_best_is_marked(open_page: Any, page_file: Path) -> None:
    """A cell shows its figure, its ratio to the chosen run and its place; the best run of a row carries a star."""
    opened = open_page(page_file, viewport=WIDE)
    first = opened.page.locator("#cells tbody tr").nth(1).locator("td")
    # Times of two runs were not taken side by side.
    assert first.nth(0).text_content().startswith("20.01.00 ×")
    assert first.nth(1).text_content().startswith("21.00.95 ×")
    opened.page.select_option("#reference", "1")
    assert first.nth(0).text_content().startswith("20.01.05 ×")
    opened.page.select_option("#metric", "throughput")
    assert "best" not in first.nth(0).text_content()


def test_scripts_round_as_python_does(open_page: Any, tmp_path: Path) -> None:
    """Three digits, decimals and changes of a table of values and of 3,000 drawn ones are Python's to the digit."""
    path = tmp_path / "matrix.html"
    path.write_text(matrix_page(make_matrix([make_run([make_record()])] * 2)))
    opened = open_page(path, viewport=WIDE)
    rng = random.Random(0)
    values = [value for value, _ in ROUNDED] + [
        rng.choice((1, 5)) * round(2 ** rng.uniform(-20, 40)) / 2**20 for _ in range(3000)
    ]
    texts = opened.page.evaluate(
        "values => values.map(value => [digits(value), fixed(value, 2), signed(value, 1)])", values
    )
    assert [text for text, *_ in texts[: len(ROUNDED)]] == [text for _, text in ROUNDED]
    assert texts == [[significant(it), f"{it:,.2f}".replace("-", MINUS), signed(it)] for it in values]


def test_differences_are_told_by_what_is_shown(open_page: Any, tmp_path: Path) -> None:
    """A speed is so many times as fast, whether less or more is better; mAP moves by points, memory by per cent."""
    path = tmp_path / "matrix.html"
    fast, slow = make_record(total_ms=20, map50_95=0.652), make_record(total_ms=40, map50_95=0.64)
    metrics = replace(slow.metrics, memory=replace(slow.metrics.memory, peak_rss_bytes=90 << 20))
    path.write_text(matrix_page(make_matrix([make_run([fast]), make_run([replace(slow, metrics=metrics)])])))
    opened = open_page(path, viewport=WIDE)
    other = opened.page.locator("#cells tbody tr").nth(1).locator("td").nth(1)
    opened.page.select_option("#form", "ratio")
    shown = {}
    for figure in ("latency", "throughput", "map50_95", "memory"):
        opened.page.select_option("#metric", figure)
        shown[figure] = other.inner_text().split("\n")[0].partition(" ★")[0]
    assert shown == {"latency": "0.50 ×", "throughput": "0.50 ×", "map50_95": "−1.20 points", "memory": "−50.0 %"}


def test_filter_finds_cases_and_their_groups(open_page: Any, page_file: Path) -> None:
    """Words may stand in the case's name or in its group's; none found says so; markup stays text."""
    opened = open_page(page_file, viewport=WIDE)
    opened.page.fill("#words", "onnx int8 640")
    assert opened.page.locator("#place").inner_text() == "cases 1 to 5 of 5"
    opened.page.fill("#words", "<b>evil</b> 320 ncnn")
    assert opened.column("#cells", 0)[0].startswith("<b>evil</b> · 320 px")
    opened.page.fill("#words", "nothing like it")
    assert opened.page.locator("#place").inner_text() == "no case has all these words"
    assert opened.page.locator("#on").is_disabled()


def test_paper_has_every_row(open_page: Any, page_file: Path) -> None:
    """A printed matrix says which figure it shows, and holds all pages in one."""
    opened = open_page(page_file, viewport=WIDE)
    opened.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert opened.page.locator("#place").inner_text() == "cases 1 to 200 of 200"
    opened.page.emulate_media(media="print")
    assert opened.page.locator("#metric").is_visible()
    assert not opened.page.locator("#words").is_visible()
    opened.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert opened.page.locator("#place").inner_text() == "cases 1 to 50 of 200"


def test_void_speed_is_struck_and_no_speed_is_best(open_page: Any, tmp_path: Path) -> None:
    """A case whose accuracy is unknown is shown with its reason; of what is counted the best run has a star."""
    case = make_case()
    runs = [make_run([make_record(case, total_ms=total_ms)]) for total_ms in (10, 40, 40, 50)]
    for place in (0, 1):
        record = runs[place].records[0]
        metrics = replace(record.metrics, accuracy=Absent("its data has no labels"))
        runs[place] = replace(runs[place], records=(replace(record, metrics=metrics),))
    path = tmp_path / "matrix.html"
    path.write_text(matrix_page(make_matrix(runs)))
    opened = open_page(path, viewport=WIDE)
    cells = opened.page.locator("#cells tbody tr").nth(1).locator("td")
    why = "void: its accuracy is not known (its data has no labels)"
    assert cells.nth(0).locator("s").get_attribute("title") == why
    assert not any("★" in text for text in cells.all_inner_texts())
    opened.page.select_option("#metric", "memory")
    assert cells.nth(0).locator("s").count() == 0
    assert all("★" in text for text in cells.all_inner_texts())
    assert opened.troubles == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, WIDE], ids=["phone", "wide"])
def test_matrix_fits_and_is_accessible(open_page: Any, page_file: Path, scheme: str, viewport: Any) -> None:
    """No sideways scrolling of the page itself, and no serious finding of axe."""
    opened = open_page(page_file, viewport=viewport, color_scheme=scheme)
    opened.page.fill("#words", "yolo26n 640")
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    assert opened.serious() == []
    assert opened.troubles == []
