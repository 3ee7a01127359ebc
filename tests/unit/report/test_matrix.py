"""Runs side by side: what may be compared shares a row or a group, and nothing else is ranked together."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from benchsuite.backends.interface import RunPolicy
from benchsuite.compare.findings import Finding
from benchsuite.report.matrix import Matrix, make_matrix, read_costs
from benchsuite.report.matrix_page import matrix_page
from benchsuite.report.series import Costs
from benchsuite.runs.folder import Run
from benchsuite.runs.records import Record
from benchsuite.terms.absence import Absent
from benchsuite.terms.errors import UsageError
from benchsuite.testing import (
    make_accuracy,
    make_artifact,
    make_case,
    make_latency,
    make_loss,
    make_machine,
    make_metrics,
    make_record,
    make_run,
    make_together,
)

EVIL = "</script><script>alert(1)</script>"


def run(*made: Record, cpu: str = "CPU A", threads: int = 2) -> Run:
    return make_run(made, machine=make_machine(cpu=cpu), policy=RunPolicy(threads))


def both(one: list[Record], other: list[Record], **choices: Any) -> Matrix:
    return make_matrix([run(*one), run(*other, cpu="CPU B", threads=1)], **choices)


FAST, SLOW = make_record(total_ms=20), make_record(total_ms=40)


def test_a_case_is_a_row_and_a_run_a_column() -> None:
    """The figures of a case stand in the order of the runs, in ms, MB and images a second."""
    matrix = both([FAST], [SLOW])
    (row,) = matrix.rows
    assert (row.name, row.case_id, row.recipe) == ("onnx fp32", FAST.case.id, "")
    assert row.values["latency"] == (20.0, 40.0)
    assert row.values["throughput"] == (60.0, 30.0)
    assert row.values["artifact_bytes"] == (9.8, 9.8)
    assert row.values["map50_95"] == (0.65, 0.65)
    assert row.places == ("", "")
    assert [(it.machine, it.threads) for it in matrix.columns] == [("CPU A", 2), ("CPU B", 1)]
    assert matrix.columns[1].changes == ("cpu: CPU A -> CPU B",)
    assert matrix.groups == (
        "yolo26n · 640 px · batch 1 · cpu · one-to-many head with NMS · data dadadada (200 images)",
    )


def test_rows_of_a_group_stand_together_with_those_of_unknown_accuracy() -> None:
    """A row without accuracy joins the one group of its setting, and a group's rows follow each other."""
    cuda = make_record(make_case(backend="trt", device="cuda:0"))
    unknown = make_record(make_case(backend="ncnn"))
    unknown = replace(unknown, metrics=replace(unknown.metrics, accuracy=Absent("no labels")))
    rows = both([FAST, cuda, unknown], [SLOW]).rows
    assert [(row.group, row.name) for row in rows] == [(0, "onnx fp32"), (0, "ncnn fp32"), (1, "trt fp32")]
    assert rows[1].places == ("", "")
    assert rows[1].voids == ("void: its accuracy is not known (no labels)", "")


def test_what_a_failed_case_left_is_no_figure() -> None:
    """A case whose proof contradicts its name keeps its reason and loses its figures, however fast it was."""
    failed = replace(FAST, outcome="failed", reason="onnx fp32 is named fp32, and onnx ran bf16")
    beside = make_record(make_case(backend="ncnn"), total_ms=90)
    row, _ = both([failed, beside], [SLOW, beside]).rows
    assert row.values["latency"] == (None, 40.0)
    assert row.places == ("", "1")
    assert row.reasons[0] == failed.reason


def test_speed_of_a_case_whose_accuracy_failed_is_void() -> None:
    """As on the run's own page: not ranked, and the reason says what failed."""
    finding = Finding(FAST.case.id, "map50_95", "REGRESSED", "0.650", "0.400", "", "Lost.", fails=True)
    beside = make_record(make_case(backend="ncnn"), total_ms=90)
    matrix = make_matrix([run(FAST, beside), run(SLOW, beside)], findings=[(finding,), ()])
    row, other = matrix.rows
    assert (row.places, other.places) == (("", "1"), ("1", "2"))
    assert row.voids == ("void: mAP50-95 failed (REGRESSED, 0.400)", "")
    assert "void: mAP50-95 failed" in matrix_page(matrix)


def test_cases_that_no_run_measured_keep_their_reasons() -> None:
    """A row without figures says for each run why."""
    gone = make_record(make_case(backend="trt", device="cuda:0"), "skipped", "no GPU was found")
    (row,) = both([gone], [gone]).rows
    assert (row.name, row.reasons) == ("trt fp32", ("no GPU was found",) * 2)


def test_recipes_that_differ_are_rows_of_their_own() -> None:
    """The same case made in two ways is two rows, each with its recipe, and each run has one of them."""
    other = replace(SLOW, artifact=make_artifact(SLOW.case, recipe_digest="feedfeedfeedfeed"))
    first, second = both([FAST], [other]).rows
    assert {first.recipe, second.recipe} == {FAST.artifact.recipe_digest, "feedfeedfeedfeed"}  # type: ignore[union-attr]
    assert (first.values["latency"], second.values["latency"]) == ((20.0, None), (None, 40.0))
    assert first.reasons == ("", "not among this run's cases, or made in another way, or scored on other data")


@pytest.mark.parametrize(
    "changes", [{"imgsz": 320}, {"batch": 8}, {"head": "end2end", "variant": "end2end"}, {"model": "yolo11n"},
                {"device": "cuda:0"}],
)  # fmt: skip
def test_what_cannot_be_compared_is_not_ranked_together(changes: dict[str, Any]) -> None:
    """Another size, batch, head, model or device is a group of its own, in which there is nothing to rank it with."""
    matrix = both([FAST, make_record(make_case(**changes), total_ms=90)], [SLOW])
    assert len(matrix.groups) == 2
    assert [row.places[0] for row in matrix.rows] == ["", ""]


def test_other_data_is_another_group() -> None:
    """Accuracies on other data are not ranked together; a row without one joins the data that there is."""
    elsewhere = replace(SLOW, metrics=make_metrics(40, accuracy=make_accuracy(data_sha256="ee" * 32)))
    assert len(both([FAST], [elsewhere]).groups) == 2
    unknown = replace(SLOW, metrics=make_metrics(40, accuracy=Absent("not selected")))
    (row,) = both([FAST], [unknown]).rows
    assert row.values["latency"] == (20.0, 40.0)


def test_places_are_those_within_a_run() -> None:
    """Rows that launches do not tell apart share places, and what was timed in another timing has none."""
    others = [make_record(make_case(backend=name), total_ms=ms) for name, ms in (("torch", 50), ("openvino", 20))]
    alone = make_latency(5, together=make_together(5, timing="turns-2"))
    resumed = make_record(make_case(backend="ncnn"), metrics=make_metrics(latency=alone))
    rows = both([FAST, *others, resumed], [SLOW]).rows
    assert [(row.name, row.places) for row in rows] == [
        ("onnx fp32", ("1–2", "")), ("torch fp32", ("3", "")), ("openvino fp32", ("1–2", "")), ("ncnn fp32", ("", "")),
    ]  # fmt: skip


def test_what_a_run_skipped_says_why() -> None:
    """A case that one machine cannot run stands in the row that another measured, with the reason."""
    skipped = make_record(outcome="skipped", reason="no bf16 here")
    (row,) = both([skipped], [SLOW]).rows
    assert row.values["latency"] == (None, 40.0)
    assert row.reasons == ("no bf16 here", "")


def test_power_and_price_turn_rates_into_costs() -> None:
    """Images a joule and a dollar come from the throughput; a run without a price has none."""
    costs = read_costs("60,-", "3.6,1.8", 2)
    assert costs == (Costs(60.0, 3.6), Costs(None, 1.8))
    (row,) = both([FAST], [SLOW], costs=costs).rows
    assert row.values["per_joule"] == (1.0, None)
    assert row.values["per_usd"] == (60_000.0, 60_000.0)
    assert row.values["map_per_watt"][0] == pytest.approx(65 / 60)
    assert "per_joule" not in [figure.key for figure in both([FAST], [SLOW]).figures]


@pytest.mark.parametrize("text", ["60", "60,much", "0,5", "1,2,3", "nan,1", "inf,1"])
def test_costs_that_fit_no_run_are_refused(text: str) -> None:
    """One number above 0 a run, or a dash."""
    with pytest.raises(UsageError, match=f"--watts {text}: give a number from 0.0001 to 10000000 for each"):
        read_costs(text, "", 2)


def test_reference_must_be_a_run() -> None:
    """There is no third of two runs."""
    with pytest.raises(UsageError, match="--reference 3: give the number of one of the 2 runs"):
        both([FAST], [SLOW], reference=2)


def test_page_holds_the_matrix_as_data_and_names_as_text() -> None:
    """Figures keep their digits until they are shown, reasons are written once, and markup stays text."""
    evil = make_record(make_case(model=EVIL), total_ms=12.3456789)
    page = matrix_page(make_matrix([run(evil, cpu=EVIL), run(FAST)]))
    assert EVIL not in page
    data = json.loads(re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[0])
    assert data["rows"][0]["figures"]["latency"] == [12.3456789, None]
    assert data["reasons"] == ["", "not among this run's cases, or made in another way, or scored on other data"]
    assert data["groups"][0].startswith(EVIL)


def test_a_speed_is_void_as_on_the_runs_own_page() -> None:
    """An older record without a loss of its own is held against the row of its run, and so is one that outdoes it."""
    nothing = replace(make_metrics(40, 0.0), accuracy=make_accuracy(0.0, map50=0.0), loss=Absent("an older release"))
    torch = replace(make_record(make_case(backend="torch")), metrics=nothing)
    older = make_record(total_ms=5)
    older = replace(older, metrics=replace(older.metrics, loss=Absent("an older release")))
    matrix = both([torch, older], [make_record(make_case(backend="torch")), older])
    by_name = {row.name: row for row in matrix.rows}
    assert by_name["onnx fp32"].places == ("", "1")
    assert "torch fp32, which it is held against, finds next to nothing" in by_name["onnx fp32"].voids[0]
    less, more = make_record(make_case(backend="torch"), map50_95=0.05), make_record(total_ms=5)
    more = replace(more, metrics=replace(more.metrics, loss=make_loss(-40, ci95=(-42, -38))))
    assert [row.places for row in make_matrix([run(less, more)]).rows] == [("",), ("",)]
