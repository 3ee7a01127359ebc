"""The page needs nothing but itself, says the verdict first, and shows names as text whatever they hold."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from benchsuite.compare.findings import Finding
from benchsuite.report.page import render, write_report
from benchsuite.report.summary import summary
from benchsuite.report.views import page_view
from benchsuite.runs.folder import Run
from benchsuite.runs.records import Record
from benchsuite.terms.absence import Absent
from benchsuite.terms.errors import UsageError
from benchsuite.testing import make_accuracy, make_case, make_record, make_run, write_run
from tests.support.page_reader import PageReader

EVIL = "<script>alert('x')</script><img src=x onerror=alert(1)>&\"{{7*7}}"
TORCH = make_record(make_case(backend="torch"), total_ms=50)
ONNX = make_record(total_ms=40)


def _page(run: Run, findings: tuple[Finding, ...] = ()) -> PageReader:
    return PageReader(render(page_view(run, findings, 1.0)))


def _with_markup(record: Record) -> Record:
    """Put markup wherever a record holds text that people or runtimes wrote."""
    case = replace(record.case, model=EVIL, scheme=EVIL)
    validity = replace(record.validity, warnings=(EVIL,), label=EVIL, policy={EVIL: EVIL})
    accuracy = Absent(EVIL) if record.case.backend == "ncnn" else record.metrics.accuracy
    return replace(record, case=case, validity=validity, metrics=replace(record.metrics, accuracy=accuracy))


def test_row_of_the_page_holds_the_figures_of_the_record() -> None:
    """The row of a record computed by hand shows each figure under its heading."""
    row = _page(make_run([TORCH, ONNX])).table("Case", "Ran").row("onnx fp32 ★ recommended", "fp32")
    assert (
        row.items()
        >= {
            "Case": "onnx fp32 ★ recommended",
            "Ran": "fp32",
            "Total latency per call: p50 ms": "40.0 39.6–40.4",
            "Total latency per call: p95 ms": "46.0",
            "Total latency per call: p99 ms": "52.0",
            "Inference: p50 ms": "36.0 35.6–36.4",
            "Turn by turn: speed × fastest": "1.00",
            "Turn by turn: place": "1",
            "Turn by turn: speed-up × as fast as torch fp32": "1.25 1.20–1.30",
            "Saturated: throughput img/s": "30.0 2 × 1",
            "Memory: peak MB": "189",
            "Network: artifact MB": "9.80",
            "Network: params M": "2.40",
            "Network: GFLOPs": "5.48",
            "Accuracy: mAP50-95": "0.650 0.00 to 0.00 points",
            "Accuracy: mAP50": "0.850",
            "Accuracy: small mAP50-95": "0.450",
            "Parity: with torch fp32 %": "99.5",
        }.items()
    )


def test_speeds_are_held_against_the_row_that_accuracy_is() -> None:
    """Where torch fp32 was not selected, the row that stands in for it has its name in the heading and × 1 itself."""
    int8 = make_record(make_case(precision="int8"), total_ms=20)
    table = _page(make_run([ONNX, int8])).table("Case", "Ran")
    heading = "Turn by turn: speed-up × as fast as onnx fp32"
    assert [table.row(name)[heading] for name in ("onnx int8 ★ recommended", "onnx fp32")] == ["2.00 1.92–2.08", "1.00"]


def test_speeds_without_any_accuracy_are_held_against_torch() -> None:
    """A run that only times has its speed-ups too, void as they are."""
    timed = [replace(it, metrics=replace(it.metrics, accuracy=Absent("not selected"))) for it in (TORCH, ONNX)]
    table = _page(make_run(timed)).table("Case", "Ran")
    heading = "Turn by turn: speed-up × as fast as torch fp32"
    assert [table.row(name)[heading][:4] for name in ("torch fp32", "onnx fp32")] == ["1.00", "1.25"]


def test_what_accuracy_was_taken_on_is_said() -> None:
    """Images that are not scored stand in the remarks, once for all cases, and behind the figure."""
    note = "2 of 8 images are not scored"
    noted = [
        replace(it, metrics=replace(it.metrics, accuracy=make_accuracy(notes=(note,)))) for it in (TORCH, make_record())
    ]
    view = page_view(make_run(noted), (), 1.0)
    assert [(it.sentence, len(it.cases)) for it in view.warnings] == [(note, 2)]
    assert all(row.cells["map50_95"].title.endswith(f"; {note}") for row in view.groups[0].rows)
    assert note in summary(view)


def test_verdict_comes_first_then_the_recommendation() -> None:
    """What failed stands before the recommendation, and that before the table."""
    finding = Finding(
        ONNX.case.id, "artifact_bytes", "REGRESSED", "9.8 MB", "12 MB", "at most 1 % more", "Because.", fails=True
    )
    text = " ".join(_page(make_run([TORCH, ONNX]), (finding,)).text.split())
    parts = (
        "FAILED",
        "What failed",
        "12 MB",
        "Deploy torch fp32",
        "The machine while it timed: quiet",
        "Sorted by the time",
    )
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert "onnx fp32, 1.25 (1.20 to 1.30) times as fast: it fails on artifact size" in text


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
    page = PageReader(text)
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
    for outcome, reason, cases in (
        ("– skipped", why, f"2 cases {skipped.case.id}{alike.case.id}"),
        ("✗ failed", failed.reason, f"1 case {failed.case.id}"),
        ("✗ not reached", "The run ended before this case.", f"1 case {ids[4]}"),
    ):
        row = page.table("Outcome").row(outcome)
        assert row == {"Outcome": outcome, "Why": reason, "Cases": cases}
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


def test_study_that_cannot_be_read_is_named_on_the_page(tmp_path: Path) -> None:
    """A damaged study beside the run is no study, and one sentence says which and what to do."""
    folder = write_run(tmp_path, make_run([ONNX]))
    damaged = tmp_path / "study-schemes-20260131-120000" / "study.json"
    damaged.parent.mkdir()
    damaged.write_text('{"schema": 1, "kind"')
    page, _ = write_report(folder, (), 1.0)
    assert f"cannot read {damaged}: it is not JSON" in page.read_text()
    assert "run the study again" in page.read_text()
    page, _ = write_report(folder, (), 1.0, "zh")
    assert "请重新进行该研究" in page.read_text()


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
