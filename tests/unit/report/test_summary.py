"""The summary is Markdown that a pull request shows as meant, whatever names and reasons hold."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from benchsuite.compare.findings import Finding
from benchsuite.report.markdown import escape
from benchsuite.report.summary import summary
from benchsuite.report.views import page_view
from benchsuite.runs.records import Record
from benchsuite.terms.absence import Absent
from benchsuite.testing import make_case, make_record, make_run

TORCH = make_record(make_case(backend="torch"), total_ms=50)
ONNX = make_record(total_ms=40)


def _summary(*made: Record, findings: tuple[Finding, ...] = ()) -> str:
    return summary(page_view(make_run(made), findings, 1.0))


def _tables(text: str) -> list[list[list[str]]]:
    """Return the texts of all tables' cells as a renderer of GitHub's Markdown reads them."""
    tables: list[list[list[str]]] = []
    for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text):
        if token.type == "table_open":
            tables.append([])
        elif token.type == "tr_open":
            tables[-1].append([])
        elif token.type == "inline" and token.level == 4 and tables and tables[-1]:
            tables[-1][-1].append(_text(token))
    return tables


def _text(token: Token) -> str:
    return "".join(child.content for child in token.children or ())


def test_table_holds_the_figures_of_the_records() -> None:
    """Fastest first, with the recommended case, its figures and its speed-up over torch fp32."""
    (table,) = _tables(_summary(TORCH, ONNX))
    assert table[0] == [
        "case", "ran", "p50 ms", "p95 ms", "img/s", "peak MB", "file MB", "mAP50-95", "parity %", "× fastest", "place",
        "× as fast as torch fp32",
    ]  # fmt: skip
    figures = ["40.0", "46.0", "30.0", "189", "9.80", "0.650", "99.5", "1.00", "1", "1.25"]
    assert table[1] == ["onnx fp32", "fp32", *figures]
    assert table[2][0] == "torch fp32"


def test_what_the_machine_was_like_follows_the_recommendation() -> None:
    """How far single milliseconds hold is said before they are listed."""
    text = _summary(TORCH, ONNX)
    told = "The machine while it timed: quiet: turns of one case spread by 1.2 %."
    assert text.index("Recommended") < text.index(told) < text.index("× fastest")


def test_verdict_comes_first() -> None:
    """The first line is the verdict, then what failed, then the recommendation."""
    finding = Finding(
        ONNX.case.id, "kernels", "REGRESSED", "Conv 64", "Conv 63", "0 more or fewer", "Because.", fails=True
    )
    text = _summary(TORCH, ONNX, findings=(finding,))
    assert text.startswith("## ❌ FAILED\n")
    assert text.index("### What failed") < text.index("**Recommended: torch fp32.**") < text.index("| case | ran |")
    assert _tables(text)[0][1] == [
        ONNX.case.id, "kernel counts", "REGRESSED", "Conv 64", "Conv 63", "0 more or fewer", "Because.",
    ]  # fmt: skip


def test_void_speed_is_struck_and_explained() -> None:
    """A speed without accuracy is struck, called void, and its reason stands under the table."""
    lost = replace(ONNX, metrics=replace(ONNX.metrics, accuracy=Absent("the evaluation crashed")))
    text = _summary(TORCH, lost)
    assert "~~40.0~~ void" in text
    assert "- void: its accuracy is not known (the evaluation crashed)" in text


def test_skipped_cases_are_listed_and_long_lists_end() -> None:
    """Every case without figures has a line, up to a number that a pull request can bear."""
    skipped = [make_record(make_case(backend="trt", imgsz=32 * number), "skipped", "no GPU") for number in range(1, 31)]
    text = _summary(ONNX, *skipped)
    assert text.count("skipped: no GPU") == 20
    assert "and 10 more, in the report" in text


@pytest.mark.parametrize(
    "text",
    ["a|b", "a_b_c *d*", "`code`", "<script>alert(1)</script>", "[text](https://example.com)", "a\nb", "\\|", "&lt;",
     "~~x~~", "@everyone", "#12", "![x](y)", "a\\", "$x$"],
)  # fmt: skip
def test_markup_is_shown_as_text(text: str) -> None:
    """Whatever stands in a name is one cell's text."""
    assert _tables(f"| a | b |\n|---|---|\n| {escape(text)} | end |\n")[0][1] == [" ".join(text.split()), "end"]
    assert "@" not in escape(text)
    assert "<" not in escape(text)


@given(st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=30))
def test_any_text_stays_one_cell(text: str) -> None:
    """No text breaks a row of the table apart."""
    rows = _tables(f"| a | b |\n|---|---|\n| {escape(text)} | end |\n")[0]
    assert len(rows) == 2
    assert rows[1][-1] == "end"
    assert len(rows[1]) == 2


def test_markup_in_records_makes_no_markup() -> None:
    """Names and reasons of a record cannot open tags, links or columns."""
    evil = "<b>|[x](y)`@all"
    record = replace(ONNX, case=replace(ONNX.case, scheme=evil))
    text = _summary(TORCH, record, make_record(make_case(backend="trt"), "failed", evil))
    assert "<b>" not in text
    assert "@" not in text
    assert all(len(row) == 12 for row in _tables(text)[0])
