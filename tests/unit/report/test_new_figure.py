"""A figure that is added to the list is shown, exported, compared and told everywhere, and breaks no older file."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchsuite.compare.baselines import load
from benchsuite.compare.comparison import compare, compare_runs
from benchsuite.compare.findings import Finding, answered_by
from benchsuite.compare.promotion import promote
from benchsuite.compare.tolerances import TOLERANCES_FILE, read_tolerances
from benchsuite.machine.nvml import GpuState
from benchsuite.measure.measurement import Complexity, GpuUse
from benchsuite.plugin.fixtures import BenchRun, ReplayTimer
from benchsuite.report.console import table_lines
from benchsuite.report.exports import FORMATS
from benchsuite.report.history import make_history
from benchsuite.report.history_page import history_page
from benchsuite.report.matrix import make_matrix
from benchsuite.report.matrix_page import matrix_page
from benchsuite.report.page import render
from benchsuite.report.views import page_view
from benchsuite.runs import figures
from benchsuite.runs.figures import Figure, Names, Tolerance
from benchsuite.runs.records import Record
from benchsuite.terms.absence import Absent, part_of
from benchsuite.terms.codec import from_builtins, to_builtins
from benchsuite.terms.units import JOULES, NUMBER
from benchsuite.testing import make_metrics, make_record, make_run
from tests.support.page_reader import PageReader

SCATTERS = Figure(
    "energy_per_image", "energy per image", "throughput", JOULES,
    lambda record: part_of(
        record.metrics.gpu, lambda gpu: part_of(gpu.energy_j_per_call, lambda joules: joules / record.case.batch)
    ),
    Names(
        "Energy", "an image", terminal="J/img", series="energy per image", csv="energy_j_per_image",
        junit="energy_j_per_image", github="energy per image", bencher="energy-per-image",
    ),
    better="less",
)  # fmt: skip
EXACT = Figure(
    "intensity", "work of a parameter", "complexity", NUMBER,
    lambda record: part_of(record.metrics.complexity, lambda it: round(it.gflops * 1e9 / it.params)),
    Names(
        "Work", "a parameter", terminal="op/par", series="work of a parameter", csv="ops_per_param",
        junit="ops_per_param", github="work of a parameter", bencher="intensity",
    ),
    better="less", whole=True, tolerance=Tolerance(2.0, "percent", "made up"),
)  # fmt: skip
IDLE = GpuState(1980, 5001, 60, 71.5, 1_000, (), ())


def _record(joules: float = 0.25, gflops: float = 5.48) -> Record:
    complexity = Complexity(2_400_000, gflops)
    return make_record(
        metrics=make_metrics(complexity=complexity, gpu=GpuUse(IDLE, IDLE, joules, (), Absent("no events")))
    )


def _older() -> Record:
    """Return a record as it was written before anything of either figure was measured."""
    data = to_builtins(_record())
    del data["metrics"]["gpu"], data["metrics"]["complexity"]
    return from_builtins(data, Record)


@pytest.fixture(params=[SCATTERS, EXACT], ids=["scatters", "exact"])
def added(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Figure:
    """Add a figure in the one place where they are declared."""
    figure: Figure = request.param
    monkeypatch.setattr(figures, "FIGURES", (*figures.FIGURES, figure))
    return figure


def test_tables_show_it(added: Figure) -> None:
    """Terminal and page have its heading and its text, a dash with a reason for a record from before."""
    text = {"energy_per_image": "0.250", "intensity": "2,283"}[added.key]
    heading, row = table_lines([_record()], 1.0)[2:4]
    assert heading.split()[-1] == added.names.terminal
    assert row.split()[-1] == text
    assert max(map(len, table_lines([_record()], 1.0))) <= 80
    page = PageReader(render(page_view(make_run([_record()]), (), 1.0)))
    column = f"{added.names.group}: {added.names.heading} {added.unit.text}".rstrip()
    assert page.table("Case", "Ran").row("onnx fp32 ★ recommended")[column] == text
    view = page_view(make_run([_older()]), (), 1.0)
    cell = view.groups[0].rows[0].cells[added.key]
    assert (cell.text, cell.title, view.notes[cell.note - 1]) == ("–", "not selected", "not selected")


def test_files_for_other_tools_have_it(added: Figure) -> None:
    """CSV and Parquet end with its column, and what is absent is empty; the others have its name."""
    pyarrow = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    run = make_run([_record()])
    header, *rows = csv.reader(io.StringIO(str(FORMATS["csv"]([run, make_run([_older()])]))))
    value = str(added.read(_record()))
    assert (header[-1], [row[-1] for row in rows]) == (added.names.csv, [value, ""])
    content = FORMATS["parquet"]([make_run([_older()])])
    assert isinstance(content, bytes)
    field = pyarrow.read_table(io.BytesIO(content)).schema.field(added.names.csv)
    assert str(field.type) == ("int64" if added.whole else "double")
    assert added.names.github in str(FORMATS["github-smaller"]([run]))
    assert f'"{added.names.bencher}"' in str(FORMATS["bencher"]([run]))


def test_runs_side_by_side_and_over_time_show_it(added: Figure) -> None:
    """The matrix has its values, the history its changes of level."""
    matrix = make_matrix([make_run([_record()]), make_run([_older()])])
    (row,) = matrix.rows
    assert row.values[added.key] == (added.read(_record()), None)
    assert f'<option value="{added.key}">{added.names.series}' in matrix_page(matrix)
    made = [
        make_run([_record(0.25 + day // 4 / 4, 5 + day // 4)], started=f"2026-03-{day + 1:02}", folder=Path(str(day)))
        for day in range(8)
    ]
    history = make_history(made)
    (change,) = (change for change in history.changes if change.figure.key == added.key)
    assert (change.run, change.better) == (4, False)
    assert added.names.series in history_page(history)


def test_its_test_tells_it_and_answers_for_it(added: Figure) -> None:
    """It is a property in JUnit's file of the test that measures it, and a finding about it has its title."""

    class Recorded:
        def recorded(self, _: object) -> Record:
            return _record()

    told: list[tuple[str, object]] = []
    runner: Any = Recorded()
    getattr(BenchRun(runner, ReplayTimer(), told.append), added.metric)(_record().case)
    assert (added.names.junit, added.read(_record())) in told
    assert added.key in answered_by(added.metric)
    assert Finding("case", added.key, "PASS", "", "", "", "").title == added.title


def test_older_tolerances_take_its_own(added: Figure, tmp_path: Path) -> None:
    """A file that does not know it is no error: one that does not scatter has the tolerance that it comes with."""
    (tmp_path / TOLERANCES_FILE).write_text('[params]\nallowed_percent = 1\nreason = "ours"\n')
    assert read_tolerances(tmp_path).get(added.key) == added.tolerance


def test_baseline_holds_it_if_it_does_not_scatter(added: Figure, tmp_path: Path) -> None:
    """More of it than the promoted run had fails by its tolerance, and one that scatters is not compared so."""
    promote(make_run([_record()]), tmp_path, "here")
    worse = make_run([_record(joules=1, gflops=6)])
    found = compare(worse, load(tmp_path / "here"), read_tolerances(tmp_path))
    about = [(it.verdict, it.fails, it.title, it.current) for it in found if it.metric == added.key]
    assert about == ([("REGRESSED", True, added.title, "2,500 (+9.51 %)")] if added.tolerance else [])
    assert [it.metric for it in compare_runs(worse, worse)].count(added.key) == (1 if added.tolerance else 0)


def test_older_baseline_is_read_and_says_nothing_of_it(
    added: Figure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was promoted before it came stays good until the next promotion adds it."""
    with monkeypatch.context() as before:
        before.setattr(figures, "FIGURES", [it for it in figures.FIGURES if it != added])
        (path,) = promote(make_run([_record()]), tmp_path, "here")
    assert '"figures"' not in path.read_text()
    run = make_run([_record(joules=1, gflops=6)], folder=Path("reports/20260201-120000"))
    found = compare(run, load(tmp_path / "here"), read_tolerances(tmp_path))
    assert added.key not in [it.metric for it in found]
    promote(run, tmp_path, "here")
    (entry,) = load(tmp_path / "here").entries(_record().case.id)
    assert entry.figures == ({added.key: 2_500} if added.tolerance else {})
    # A run that was not asked for it leaves what was accepted.
    silent = replace(run, records=(_older(),), folder=Path("reports/20260202-120000"))
    promote(silent, tmp_path, "here")
    assert load(tmp_path / "here").entries(_record().case.id)[0].figures == entry.figures
