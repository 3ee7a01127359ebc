"""Whole studies from options to tables, on runtimes that take no time."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest

from benchsuite.commands.studies import run_calibration_study, run_study
from benchsuite.study.calibration import CalibrationPlan
from benchsuite.study.rows import Kind, read_studies
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import UsageError
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
    dies = ("bf16", "turn")
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


@pytest.mark.parametrize(
    ("kind", "options", "sentence"),
    [
        ("schemes", {"quant_scheme": "qdq-u8s8"}, "--quant-scheme qdq-u8s8: study schemes compares every scheme"),
        ("schemes", {"precision": "fp16"}, "--precision fp16: this study compares INT8 alone"),
        ("precision", {"quant_scheme": "auto"}, "--quant-scheme auto: a study searches for no scheme; name one"),
        ("precision", {"quant_scheme": "typo"}, "give one of default, qdq-u8s8, "),
        ("precision", {"quant_scheme": "typo"}, ", or let `pytest bench/` search for it by auto."),
        ("precision", {"max_memory": "1MB"}, "--max-memory 1MB: a study holds each way against FP32"),
        ("precision", {"against": "store:x"}, "--against store:x: a study holds each way against FP32"),
        ("precision", {"search_budget": "1min"}, "--search-budget 1min: a study holds each way against FP32"),
    ],
)
def test_options_that_a_study_has_no_use_for_are_refused(kind: Kind, options: dict[str, str], sentence: str) -> None:
    """Nothing that was asked for is passed over in silence."""
    with pytest.raises(UsageError, match=re.escape(sentence)):
        run_study(kind, options, lambda _: None)


def test_a_calibration_study_names_its_own_options() -> None:
    """What a run has one of and this study several is refused, all at once, with the option that takes them."""
    given = {"calib_method": "minmax", "calib_size": "10", "quant_scheme": "qop-u8s8"}
    with pytest.raises(UsageError) as refused:
        run_calibration_study(given, CalibrationPlan((50,), ("minmax",), 1, 50), lambda _: None)
    assert str(refused.value).splitlines() == [
        "--calib-method minmax: study calibration compares several; name it with --methods.",
        "--calib-size 10: study calibration compares several; name it with --sizes.",
        "--quant-scheme qop-u8s8: study calibration quantises by the default scheme of a runtime; leave it out.",
    ]
