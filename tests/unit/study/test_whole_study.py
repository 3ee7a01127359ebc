"""Whole studies from options to tables, on runtimes that take no time."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from benchsuite.commands.studies import run_study
from benchsuite.study.rows import read_studies
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case
from benchsuite.testing import FakeBackend, draw_small_data, fake_runtimes

OPTIONS = {"backend": "onnx", "imgsz": "64", "effort": "quick", "threads": "2"}


def faster(case: Case) -> float:
    """Let INT8 take 0.6 of FP32's time, and its second scheme 0.7."""
    return 20.0 * {"int8": 0.7 if case.scheme == "other" else 0.6}.get(case.precision, 1.0)


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BENCHSUITE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return {**OPTIONS, "data": str(draw_small_data(tmp_path / "data"))}


def test_precisions_are_held_against_fp32(given: dict[str, str], tmp_path: Path) -> None:
    """Each precision has its ratio to FP32 of the same runtime, timed turn by turn; one that dies says why."""
    dies = ("bf16", "read")
    onnx = FakeBackend("onnx", faster, fails=lambda case, asked: "killed" if (case.precision, asked) == dies else None)
    said: list[str] = []
    with fake_runtimes(FakeBackend("torch"), onnx):
        assert run_study("precision", {**given, "precision": "fp32,bf16,int8"}, said.append) == 0
    ((study,), notes) = read_studies(tmp_path / "reports")
    assert notes == ()
    timed = {row.case.precision: row.timed for row in study.rows}
    assert not isinstance(timed["int8"], Absent)
    assert timed["int8"].ratio == pytest.approx(0.6, rel=0.03)
    assert isinstance(timed["bf16"], Absent)
    assert timed["bf16"].reason.endswith("killed")
    assert any("onnx int8" in line and "1.6" in line for line in said)


def test_schemes_are_rows_of_their_own(given: dict[str, str], tmp_path: Path) -> None:
    """Every scheme that the runtime offers is built, scored and timed."""
    onnx = FakeBackend("onnx", faster, schemes=("one", "other"), methods=("minmax",))
    with fake_runtimes(FakeBackend("torch"), onnx):
        assert run_study("schemes", given, lambda _: None) == 0
    ((study,), _) = read_studies(tmp_path / "reports")
    assert [row.case.variant for row in study.rows] == ["one", "other"]
