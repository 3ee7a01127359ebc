"""The page needs nothing but itself, says the verdict first, and shows names as text whatever they hold."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from benchsuite.compare.findings import Finding
from benchsuite.report.page import render, write_report
from benchsuite.report.views import page_view
from benchsuite.runs.folder import Run
from benchsuite.runs.records import Record
from benchsuite.terms.absence import Absent
from benchsuite.terms.errors import UsageError
from benchsuite.testing import make_case, make_record, make_run, write_run

EVIL = "<script>alert('x')</script><img src=x onerror=alert(1)>&\"{{7*7}}"
TORCH = make_record(make_case(backend="torch"), total_ms=50)
ONNX = make_record(total_ms=40)


class _Page(HTMLParser):
    """Collect the tags, ids and table rows of a page; a void figure counts as text, a script does not."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.text = ""
        self._raw = self._in_cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._raw = tag in ("script", "style")
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self._in_cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._raw = False
        if tag in ("td", "th"):
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        if self._raw:
            return
        self.text += data
        if self._in_cell:
            self.rows[-1][-1] += data

    def row(self, *start: str) -> list[str]:
        """Return the texts of the first row that starts with these cells."""
        rows = [[" ".join(cell.split()) for cell in row] for row in self.rows]
        return next(row for row in rows if tuple(row[: len(start)]) == start)


def _page(run: Run, findings: tuple[Finding, ...] = ()) -> _Page:
    return _Page(render(page_view(run, findings, 1.0)))


def _with_markup(record: Record) -> Record:
    """Put markup wherever a record holds text that people or runtimes wrote."""
    case = replace(record.case, model=EVIL, variant=EVIL)
    validity = replace(record.validity, warnings=(EVIL,), label=EVIL, policy={EVIL: EVIL})
    accuracy = Absent(EVIL) if record.case.backend == "ncnn" else record.metrics.accuracy
    return replace(record, case=case, validity=validity, metrics=replace(record.metrics, accuracy=accuracy))


def test_row_of_the_page_holds_the_figures_of_the_record() -> None:
    """The row of a record computed by hand shows its figures in the order of the headings."""
    row = _page(make_run([TORCH, ONNX])).row("onnx fp32 ★ recommended", "fp32")
    assert row[2:16] == [
        "40.039.6–40.4", "46.0", "52.0", "36.035.6–36.4", "1.25", "30.02 × 1", "189", "9.80", "2.40", "5.48", "0.650",
        "0.850", "0.450", "99.5",
    ]  # fmt: skip


def test_verdict_comes_first_then_the_recommendation() -> None:
    """What failed stands before the recommendation, and that before the table."""
    finding = Finding(
        ONNX.case.id, "artifact_bytes", "REGRESSED", "9.8 MB", "12 MB", "at most 1 % more", "Because.", fails=True
    )
    text = " ".join(_page(make_run([TORCH, ONNX]), (finding,)).text.split())
    parts = ("FAILED", "What failed", "12 MB", "Deploy torch fp32", "Sorted by p50")
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert "onnx fp32, 40.0 ms: it fails on artifact size" in text


def test_page_asks_for_nothing_from_anywhere() -> None:
    """No tag refers to another file or host, and the page forbids its browser to try."""
    page = _page(make_run([TORCH, ONNX]))
    for _, attributes in page.tags:
        assert "src" not in attributes
        assert (attributes.get("href") or "#").startswith("#")
    policy = next(dict(it)["content"] for tag, it in page.tags if it.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert not [tag for tag, _ in page.tags if tag in ("link", "iframe", "object", "embed", "base", "form")]


def test_names_with_markup_are_shown_as_text() -> None:
    """Markup in names, reasons, warnings, paths and options never becomes a tag, in charts neither."""
    failed = replace(make_record(outcome="failed", reason=EVIL), case=make_case(model=EVIL + "2"))
    records = [*map(_with_markup, (TORCH, ONNX, make_record(make_case(backend="ncnn")))), failed]
    findings = (
        Finding(records[1].case.id, EVIL, "REGRESSED", EVIL, EVIL, EVIL, EVIL, True, (EVIL,), EVIL, EVIL),
        Finding(records[1].case.id, EVIL, "INCONCLUSIVE", EVIL, EVIL, EVIL, EVIL),
    )
    clean = _page(make_run([TORCH, ONNX, make_record(make_case(backend="ncnn"))]))
    run = make_run(records, command=EVIL, notes=(EVIL,), effort=EVIL, folder=Path(f"reports/{EVIL}"))
    text = render(page_view(run, findings, 1.0))
    page = _Page(text)
    assert Counter(tag for tag, _ in page.tags)["script"] == Counter(tag for tag, _ in clean.tags)["script"]
    assert not [tag for tag, attributes in page.tags if tag == "img" or "onerror" in attributes]
    assert page.text.count("alert('x')") >= 20
    assert "{{7*7}}" in page.text
    assert text.count("<script>alert") == 0


def test_chart_data_stays_inside_its_script() -> None:
    """The chart's JSON holds no angle bracket, and reads back with the names as they are."""
    text = render(page_view(make_run([_with_markup(TORCH), _with_markup(ONNX)]), (), 1.0))
    (source,) = re.findall(r'<script type="application/json" data-chart="map-0">(.*?)</script>', text, re.DOTALL)
    assert "<" not in source
    assert any(EVIL in series["name"] for series in json.loads(source)["series"])


def test_absent_value_leads_to_its_reason() -> None:
    """A dash carries its reason as a title and links to a footnote that exists."""
    lost = replace(ONNX, metrics=replace(ONNX.metrics, memory=Absent("the worker hid its memory")))
    page = _page(make_run([lost]))
    assert any(attributes.get("title") == "the worker hid its memory" for _, attributes in page.tags)
    ids = {attributes.get("id") for _, attributes in page.tags}
    links = {attributes["href"] for tag, attributes in page.tags if tag == "a" and "href" in attributes}
    assert links
    assert all(link is not None and link.removeprefix("#") in ids for link in links)
    assert "the worker hid its memory" in page.text


def test_headings_of_tables_say_what_they_head() -> None:
    """Every heading of a table has a scope, and every id is used once."""
    page = _page(make_run([TORCH, ONNX, make_record(make_case(backend="trt"), "skipped")]))
    headings = [attributes for tag, attributes in page.tags if tag == "th"]
    assert headings
    assert {attributes.get("scope") for attributes in headings} == {"col", "colgroup", "row"}
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_cases_without_figures_keep_their_reason() -> None:
    """Skipped, failed and never reached cases are listed by outcome and why, those of one reason together."""
    why = "tensorrt needs an NVIDIA GPU: none found"
    skipped = make_record(make_case(backend="trt"), "skipped", why)
    alike = make_record(make_case(backend="trt", precision="fp16"), "skipped", why)
    failed = make_record(make_case(backend="ncnn"), "failed", "worker died by signal 11")
    ids = (ONNX.case.id, skipped.case.id, alike.case.id, failed.case.id, "yolo26n-torch-fp32-cpu-640-b1")
    page = _page(make_run([ONNX, skipped, alike, failed], selected_ids=ids, state="interrupted"))
    assert page.row("– skipped") == ["– skipped", why, f"2 cases {skipped.case.id}{alike.case.id}"]
    assert page.row("✗ failed") == ["✗ failed", failed.reason, f"1 case {failed.case.id}"]
    assert page.row("✗ not reached")[1:] == ["The run ended before this case.", f"1 case {ids[4]}"]
    assert "2 cases were not measured, and why" in page.text


def test_environment_says_what_differs_from_the_baseline() -> None:
    """Each difference stands once; that there is none, and that nothing was compared, are told apart."""
    before, same, none = "torch: 1 -> 2", "Nothing that is recorded differs", "No case of this run was compared"
    finding = Finding(ONNX.case.id, "gflops", "PASS", "5", "5", "", "", environment=(before,))
    assert _page(make_run([ONNX]), (finding, finding)).text.count(before) == 1
    assert same in _page(make_run([ONNX]), (replace(finding, environment=()),)).text
    limit = Finding(ONNX.case.id, "map50_95", "OVER_LIMIT", "", "0.6", "0.7", "", fails=True)
    assert none in _page(make_run([ONNX]), (limit,)).text


def test_groups_have_a_recommendation_each() -> None:
    """Rows of another size stand in a table of their own with their own recommendation, after the larger group."""
    page = _page(make_run([make_record(make_case(imgsz=320), total_ms=10), TORCH, ONNX]))
    text = " ".join(page.text.split())
    assert text.count("Deploy onnx fp32") == 2
    assert text.index("yolo26n · 640 px") < text.index("Further groups") < text.index("yolo26n · 320 px")


def test_report_is_written_beside_the_records(tmp_path: Path) -> None:
    """Page and summary lie in the run's folder, and nothing is left beside them."""
    folder = write_run(tmp_path, make_run([TORCH, ONNX]))
    page, summary = write_report(folder, (), 1.0)
    assert page.read_text().startswith("<!doctype html>")
    assert summary.read_text().startswith("## ")
    assert page.stat().st_size < 5_500_000
    assert {path.name for path in folder.iterdir()} == {
        "environment.json", "index.html", "records.jsonl", "run.json", "summary.md",
    }  # fmt: skip


def test_run_without_figures_has_a_small_page(tmp_path: Path) -> None:
    """A run in which nothing was measured still has its page, without the chart library."""
    folder = write_run(tmp_path, make_run([make_record(outcome="skipped", reason="no runtime at all")]))
    page, _ = write_report(folder, (), 1.0)
    text = page.read_text()
    assert "no runtime at all" in text
    assert len(text) < 100_000


def test_report_that_cannot_be_written_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full when the report is due gives one sentence; the records are untouched."""
    folder = write_run(tmp_path, make_run([ONNX]))
    before = (folder / "records.jsonl").read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(UsageError, match="No space left on device"):
        write_report(folder, (), 1.0)
    assert (folder / "records.jsonl").read_bytes() == before
