"""Charts are data until one script draws them, and stand beside the same in words and in figures."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import benchsuite
from benchsuite.report.chart import Axis, Chart, ChartSeries, ReferenceLine
from benchsuite.report.detail import DetailTable
from benchsuite.report.detail_charts import course, distribution, phases
from benchsuite.report.drawing import drawn
from benchsuite.report.gate_charts import path_chart, ratio_chart
from benchsuite.report.gate_view import gate_view
from benchsuite.report.history import make_history
from benchsuite.report.history_page import history_page
from benchsuite.report.page import render
from benchsuite.report.samples import thin
from benchsuite.report.views import PageView, page_view
from benchsuite.terms.absence import Absent
from benchsuite.terms.language import language
from benchsuite.testing import make_case, make_record, make_run
from tests.support.gates import write_gate

# What only a page's drawing library calls so.
LIBRARY_WORDS = re.compile(r"plotly|\b[xy]axis\b|hovertemplate|showlegend|barmode|zeroline", re.IGNORECASE)
HOUSE = Path(benchsuite.__file__).parent
SEAM = {HOUSE / "report" / "drawing.py", HOUSE / "report" / "templates" / "drawing.js"}


def test_one_module_and_its_script_know_the_library() -> None:
    """Neither another module nor a template nor another script names the library or speaks its language."""
    files = [*HOUSE.rglob("*.py"), *(HOUSE / "report" / "templates").iterdir()]
    # It only looks whether the package is there.
    files.remove(HOUSE / "terms" / "installation.py")
    assert {file for file in files if LIBRARY_WORDS.search(file.read_text(encoding="utf-8"))} == SEAM


def test_texts_of_a_chart_are_said_and_its_points_are_kept() -> None:
    """Titles, units, names, notes and what stands at lines are said; the table stays in the page."""
    chart = Chart(
        "xy", "", "", Absent("none"), (ChartSeries("level", ((1, 2.5),), notes=("run\nonnx <int8>",)),),
        Axis("saturated", "images/s"), Axis("run"), references=(ReferenceLine(1.0, "dot", "proof of a pass"),),
    )  # fmt: skip
    data = json.loads(json.dumps(drawn(language("zh"), chart)))
    assert (data["x"]["title"], data["y"]["title"]) == ("饱和，图/秒", "运行")
    (series,) = data["series"]
    assert (series["name"], series["points"], series["notes"]) == ("水平", [[1, 2.5]], ["运行\nonnx <int8>"])
    assert data["references"][0]["note"] == "通过得证"
    assert "table" not in data


@pytest.fixture
def view(tmp_path: Path) -> PageView:
    """Arrange a run that has every chart of a run's page."""
    write_gate(tmp_path)
    made = [make_record(make_case(backend=name, batch=batch)) for name in ("torch", "onnx") for batch in (1, 4)]
    samples = {record.case.id: thin([40_000_000] * 9) for record in made}
    return page_view(make_run(made), (), 1.0, gate_view(tmp_path, ()), samples=samples)


def test_every_chart_is_said_in_words_and_in_a_table(view: PageView) -> None:
    """Whoever sees no drawing is told what it shows, and finds a table in the same section."""
    names = []
    for page in (render(view), history_page(make_history([view.run]))):
        for section in page.split("<section")[1:]:
            charts = re.findall(r'<div class="chart" id="([a-z-]+)', section)
            assert len(re.findall(r'role="img" aria-label="[A-Z][^"]{40,}"', section)) == len(charts)
            assert not charts or "<table" in section
            names += charts
    assert set(names) == {
        "gate-ratios", "gate-paths", "map-", "distribution-", "course-", "phases-chart-", "batches-", "course",
    }  # fmt: skip


def test_tables_of_charts_stand_in_the_page(view: PageView) -> None:
    """Each figure of the table that a chart brings is read in the page."""
    page = render(view)
    assert view.gate is not None
    assert view.gate.evidence is not None
    records = view.groups[0].records
    charts = [
        distribution(records, view.samples), course(records, view.samples), phases(records),
        ratio_chart(view.gate.evidence), path_chart(view.gate.evidence), view.batches[0].chart,
    ]  # fmt: skip
    for chart in charts:
        assert chart is not None
        assert isinstance(chart.table, DetailTable)
        assert chart.table.rows
        for cell in (cell for row in chart.table.rows for cell in row):
            assert f">{cell}</t" in page
