"""Figures for other tools are those of the records."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchsuite.measure.measurement import ALONE
from benchsuite.report.exports import FORMATS, export, flat_rows
from benchsuite.report.step_summary import MOST_BYTES, append_step_summary
from benchsuite.terms.absence import Absent
from benchsuite.terms.errors import UsageError
from benchsuite.testing import make_case, make_latency, make_metrics, make_record, make_run

MEASURED = make_record(total_ms=40)
SKIPPED = make_record(make_case(backend="trt"), "skipped", "no GPU, none")
RUN = make_run([MEASURED, SKIPPED])


def test_a_row_holds_the_figures_of_its_record() -> None:
    """Units stand in the names, and what is absent is empty with the reason beside it."""
    row, skipped = flat_rows([RUN])
    assert (row["case"], row["outcome"], row["total_p50_ns"], row["images_per_s"]) == (
        MEASURED.case.id, "measured", 40e6, 30.0,
    )  # fmt: skip
    assert (row["map50_95"], row["peak_rss_bytes"], row["artifact_bytes"]) == (0.65, 180 << 20, 9_800_000)
    assert (skipped["reason"], skipped["total_p50_ns"], skipped["map50_95"]) == ("no GPU, none", None, None)
    assert list(row) == list(skipped)


def test_csv_reads_back(tmp_path: Path) -> None:
    """Commas in reasons stay inside their cell; two runs make one table."""
    export([RUN, RUN], "csv", tmp_path / "x.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "x.csv").read_text())))
    assert len(rows) == 4
    assert rows[1]["reason"] == "no GPU, none"
    assert float(rows[0]["total_p50_ns"]) == 40e6
    export([], "csv", tmp_path / "empty.csv")
    assert (tmp_path / "empty.csv").read_text() == ",".join(rows[0]) + "\n"


def test_runs_of_one_name_and_start_are_told_apart() -> None:
    """Two machines may start a run in the same second; a copy is the same run, wherever it lies."""
    other = make_run([replace(MEASURED, metrics=make_metrics(map50_95=0.6))])
    copy = make_run([MEASURED], folder=Path("elsewhere/latest"))
    digests = [row["run_digest"] for row in flat_rows([make_run([MEASURED]), other, copy])]
    assert digests[0] == digests[2] != digests[1]


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)", "\n=1"])
def test_no_cell_is_a_formula_or_an_escape_code(tmp_path: Path, formula: str) -> None:
    """A reason that a spreadsheet would compute stays a text, and so do codes for a terminal; numbers are numbers."""
    path = tmp_path / "figures.csv"
    export([make_run([make_record(reason=formula), make_record(reason="a\x1b[2J\ud800")])], "csv", path)
    first, second = csv.DictReader(io.StringIO(path.read_text()))
    assert first["reason"] == f"'{formula}"
    assert second["reason"] == "a\\x1b[2J\\ud800"
    assert first["total_p50_ns"] == "40000000.0"


def test_formats_without_a_run_take_one_run(tmp_path: Path) -> None:
    """Two runs would overwrite or mix their cases, which go by the same names."""
    for form in ("bencher", "github-smaller", "github-bigger"):
        with pytest.raises(UsageError, match=f"--format {form}: it tells cases by name only, and 2 runs were given"):
            export([RUN, RUN], form, tmp_path / "x.json")
    assert not (tmp_path / "x.json").exists()


def test_parquet_keeps_types_where_a_column_is_empty(tmp_path: Path) -> None:
    """A column has one type in every file, so that files of many runs go together."""
    pyarrow = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    export([make_run([SKIPPED])], "parquet", tmp_path / "skipped.parquet")
    export([RUN], "parquet", tmp_path / "x.parquet")
    table = pyarrow.read_table(tmp_path / "x.parquet")
    assert table.schema == pyarrow.read_table(tmp_path / "skipped.parquet").schema
    assert table.column("total_p50_ns").to_pylist() == [40e6, None]
    assert str(table.schema.field("int8_mac_share").type) == "double"


def test_github_action_benchmark_gets_a_file_a_direction() -> None:
    """Times and sizes are better smaller, throughput and mAP larger; only what was measured is there."""
    smaller = json.loads(FORMATS["github-smaller"]([RUN]))
    assert smaller[0] == {"name": f"{MEASURED.case.id} p50", "unit": "ms", "value": 40.0, "range": "± 0.4"}
    assert [it["name"].rsplit(" ", 1)[1] for it in smaller] == ["p50", "p95", "memory", "artifact"]
    bigger = json.loads(FORMATS["github-bigger"]([RUN]))
    assert [(it["unit"], it["value"]) for it in bigger] == [("img/s", 30.0), ("", 0.65)]


def test_bencher_gets_values_with_their_bounds() -> None:
    """Benchmark, measure, value, and the interval of the median."""
    found = json.loads(FORMATS["bencher"]([RUN]))
    assert list(found) == [MEASURED.case.id]
    measures = found[MEASURED.case.id]
    assert measures["latency"] == {"value": 40e6, "lower_value": 39.6e6, "upper_value": 40.4e6}
    assert (measures["throughput"], measures["map50-95"]) == ({"value": 30.0}, {"value": 0.65})
    void = replace(MEASURED, metrics=make_metrics(latency=Absent("none"), throughput=Absent("none")))
    assert "latency" not in json.loads(FORMATS["bencher"]([make_run([void])]))[MEASURED.case.id]


def test_step_summary_is_appended_and_kept_under_its_limit(tmp_path: Path) -> None:
    """What other steps wrote stays; too long a summary ends after a whole line and says so."""
    target, summary = tmp_path / "step.md", tmp_path / "summary.md"
    target.write_text("earlier\n")
    summary.write_text("# Verdict\n")
    append_step_summary(target, summary)
    assert target.read_text() == "earlier\n# Verdict\n"
    summary.write_text("# First é\n" + "a line of text é\n" * 100_000)
    append_step_summary(target, summary)
    text = target.read_text()
    assert target.stat().st_size <= MOST_BYTES
    assert text.startswith("earlier\n# Verdict\n# First é\n")
    assert text.endswith("a line of text é\n\n\n*The summary was cut here: the whole one lies beside the records.*\n")
    append_step_summary(target, summary)
    assert "cut here" in target.read_text()[-80:]


def test_a_table_says_how_rows_lie_to_each_other() -> None:
    """Rows that took turns have their speed against the fastest and a place; one that was timed alone has neither."""
    alone = make_record(make_case(backend="ncnn"), metrics=make_metrics(latency=make_latency(5, together=ALONE)))
    torch = make_record(make_case(backend="torch"), total_ms=50)
    for options in ({}, {"max_map_drop": "nonsense"}):
        rows = flat_rows([make_run([torch, make_record(total_ms=40), alone], options=options)])
        told = [
            (row["backend"], row["timing"], row["place_first"], row["place_last"], row["contention"]) for row in rows
        ]
        assert told == [("torch", "turns-1", 2, 2, 0), ("onnx", "turns-1", 1, 1, 0), ("ncnn", None, None, None, None)]
        assert [row["speed_to_fastest"] for row in rows] == [pytest.approx(0.8), 1.0, None]
