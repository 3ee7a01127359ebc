"""A browser for all tests of pages, and what a page complained of or asked for."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Start Chromium, or skip where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    names = ("chromium", "chromium-browser", "google-chrome")
    chromium = next((path for name in names if (path := shutil.which(name))), None)
    if chromium is None:
        pytest.skip("no Chromium is installed")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield started
        started.close()


class Opened:
    """A page in a context of its own, and its troubles: errors, warnings and requests."""

    def __init__(self, browser: Any, path: Path, **context: Any) -> None:
        self.context = browser.new_context(**context)
        self.page = self.context.new_page()
        self.troubles: list[str] = []
        self.page.on("console", lambda it: self.troubles.append(it.text) if it.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("request", lambda it: None if it.url == path.as_uri() else self.troubles.append(it.url))
        self.page.goto(path.as_uri())
        # What is folded is drawn when it is opened.
        unfolded = "[...document.querySelectorAll('.chart')].filter(it => !it.closest('details:not([open])'))"
        self.wait_for(f"{unfolded}.every(it => it.querySelector('svg'))")

    def wait_for(self, expression: str, seconds: float = 10.0) -> Any:
        """Ask again and again, until what the page answers is true; return that.

        Playwright's own wait_for_function asks within the page, whose policy lets no text be run.
        """
        until = time.monotonic() + seconds
        while not (answer := self.page.evaluate(expression)):
            assert time.monotonic() < until, f"waited {seconds} s in vain for {expression}"
            time.sleep(0.02)
        return answer

    def column(self, table: str, place: int) -> list[str]:
        """Return the first texts of a column's visible cells."""
        script = """([table, place]) => [...document.querySelector(table).tBodies[0].rows]
            .filter(row => !row.hidden && row.cells.length > place)
            .map(row => row.cells[place].innerText.split("\\n")[0].trim())"""
        found: list[str] = self.page.evaluate(script, [table, place])
        return found

    def serious(self) -> list[tuple[str, list[str]]]:
        """Return axe's serious and critical findings, with the first elements of each."""
        axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is missing")
        return [
            (it["id"], [node["html"][:120] for node in it["nodes"]][:3])
            for it in axe.Axe().run(self.page).response["violations"]
            if it["impact"] in ("serious", "critical")
        ]


@pytest.fixture
def open_page(browser: Any) -> Iterator[Any]:
    """Open pages, and close them after the test."""
    opened: list[Opened] = []

    def open_one(path: Path, **context: Any) -> Opened:
        opened.append(Opened(browser, path, **context))
        return opened[-1]

    yield open_one
    for page in opened:
        page.context.close()
