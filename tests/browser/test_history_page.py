"""A history in a real browser: its chart follows the picks, and it fits a phone and all readers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchsuite.report.history import make_history
from benchsuite.report.history_page import history_page
from benchsuite.testing import make_case, make_machine, make_record, make_run

pytestmark = pytest.mark.slow
PHONE, WIDE = {"width": 390, "height": 844}, {"width": 1400, "height": 900}
EVIL = "<script>document.title='caught'</script>"


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the page of 150 runs of twelve cases, one of which got slower at the seventy-fifth."""
    runs = []
    for number in range(150):
        made = [
            make_record(make_case(model=model, backend=backend), total_ms=40 + number % 3 * 0.1)
            for model in ("yolo26n", "yolo11n", EVIL)
            for backend in ("torch", "onnx", "openvino", "ncnn")
        ]
        if number >= 75:
            made[1] = make_record(made[1].case, total_ms=46 + number % 3 * 0.1)
        started = f"2026-{1 + number // 28:02}-{1 + number % 28:02}T12:00:00+00:00"
        run = make_run(made, started=started, folder=Path(f"reports/run-{number:03}"))
        runs.append(replace(run, machine=make_machine(kernel="6.2" if number >= 75 else "6.1")))
    path = tmp_path_factory.mktemp("history") / "history.html"
    path.write_text(history_page(make_history(runs)))
    return path


def test_change_leads_to_its_course(open_page: Any, page_file: Path) -> None:
    """Pressing the case of a change draws its figure over all runs, and the table below has the newest runs."""
    opened = open_page(page_file, viewport=WIDE)
    changes = opened.page.locator("section:first-of-type tbody tr")
    assert changes.count() == 3
    assert "kernel: 6.1 -> 6.2" in changes.first.inner_text()
    changes.first.locator("button.link").click()
    assert opened.page.locator("#series option:checked").inner_text().startswith("yolo26n-onnx")
    drawn = opened.page.evaluate("document.getElementById('course').data.map(trace => trace.y)")
    assert len(drawn[0]) == len(drawn[1]) == 150
    assert sorted(set(drawn[1])) == [40.1, 46.1]
    assert len(opened.column("#points", 0)) == 100
    assert opened.column("#points", 0)[0] == "run-149"
    assert opened.page.locator("#place").inner_text() == "the newest 100 of 150 runs"
    assert opened.page.locator("#points tbody tr", has_text="new level").locator("th").inner_text() == "run-075"
    assert opened.page.title() != "caught"
    assert opened.troubles == []


def test_runs_sort_by_their_names(open_page: Any, page_file: Path) -> None:
    """Names and dates begin with figures and sort as texts all the same."""
    opened = open_page(page_file, viewport=WIDE)
    table = "section[aria-labelledby=runs] table"
    for heading in ("Started", "Run"):
        opened.page.locator(f"{table} thead button", has_text=heading).first.click()
        assert opened.column(table, 0)[:2] == ["run-000", "run-001"]


def test_paper_says_what_is_drawn(open_page: Any, page_file: Path) -> None:
    """In print the choices of case and figure are still read, and what is typed or pressed is gone."""
    opened = open_page(page_file, viewport=WIDE)
    opened.page.emulate_media(media="print")
    assert opened.page.locator("#series").is_visible()
    assert not opened.page.locator("nav.contents").is_visible()
    assert not opened.page.locator(".filter").first.is_visible()


def test_another_figure_is_drawn(open_page: Any, page_file: Path) -> None:
    """Picking another figure draws it, and the contents lead to every section."""
    opened = open_page(page_file, viewport=WIDE)
    opened.page.select_option("#metric", "artifact_bytes")
    assert opened.page.evaluate("document.getElementById('course').layout.yaxis.title.text") == "artifact, MB"
    for link in opened.page.locator("nav.contents a").all():
        assert opened.page.locator(str(link.get_attribute("href"))).count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, WIDE], ids=["phone", "wide"])
def test_history_fits_and_is_accessible(open_page: Any, page_file: Path, scheme: str, viewport: Any) -> None:
    """No sideways scrolling of the page itself, and no serious finding of axe."""
    opened = open_page(page_file, viewport=viewport, color_scheme=scheme)
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    assert opened.serious() == []
    assert opened.troubles == []
