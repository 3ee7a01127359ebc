"""The pages of a guide to pruning and of a search in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchsuite.report.lightening import guide_view
from benchsuite.report.lightest import lightest_view
from benchsuite.report.page import study_page
from benchsuite.testing import make_machine
from tests.support.lighter import make_guide, make_lightest

pytestmark = pytest.mark.slow
PHONE, WIDE = {"width": 390, "height": 844}, {"width": 1400, "height": 900}
PAGES = {
    "guide": lambda: guide_view(make_guide(0.2, 0.6, 3.0)),
    "lightest": lambda: lightest_view(make_lightest(), ("pytest bench/ --model best_p20.pt",)),
}


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", PAGES)
def test_both_charts_draw_and_nothing_is_asked_for(open_page: Any, tmp_path: Path, name: str, lang: str) -> None:
    """Each has its heading, and the browser complains of nothing."""
    path = tmp_path / "index.html"
    path.write_text(study_page(PAGES[name](), make_machine(), lang))
    opened = open_page(path, viewport=WIDE)
    assert opened.page.locator(".chart .scatterlayer .trace").count() >= 2
    if name == "lightest":
        assert opened.page.locator(".waterfalllayer .point path").count() == 5
        assert (opened.page.locator(".xtick text", has_text="剪枝").count() == 1) == (lang == "zh")
    assert opened.troubles == []


@pytest.mark.parametrize("viewport", [PHONE, WIDE])
@pytest.mark.parametrize("name", PAGES)
def test_they_fit_and_are_accessible(open_page: Any, tmp_path: Path, name: str, viewport: Any) -> None:
    """No part is wider than the screen, and axe finds nothing."""
    path = tmp_path / "index.html"
    path.write_text(study_page(PAGES[name](), make_machine()))
    opened = open_page(path, viewport=viewport)
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    assert opened.serious() == []
