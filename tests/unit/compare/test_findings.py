"""Findings are kept beside their run, each with the command that measures its case again."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from benchsuite.compare.findings import Finding, read_findings, rerun_line, write_findings
from benchsuite.options.settings import parse
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import RecordError
from benchsuite.testing import make_case

FINDING = Finding("one", "map50_95", "REGRESSED", "0.65", "0.64", "", "why", fails=True, environment=("isa: a -> b",))


def test_findings_survive_the_way_to_disk_and_back(tmp_path: Path) -> None:
    """What a run found is read back for its report; a run without the file found nothing."""
    assert read_findings(tmp_path) == ()
    write_findings(tmp_path, [FINDING])
    assert read_findings(tmp_path) == (FINDING,)
    (tmp_path / "findings.json").write_text("[1]")
    with pytest.raises(RecordError, match=r"cannot read .*findings\.json"):
        read_findings(tmp_path)


def test_rerun_line_of_a_gate_repeats_its_switches_without_a_value() -> None:
    """Another command takes pytest's place, and a flag that takes no value gets none."""
    options = {"against": "env:base/bin/python", "gate_strict": "yes"}
    words = shlex.split(rerun_line(make_case(), "quick", options, ("benchsuite", "gate")))
    assert words[:2] == ["benchsuite", "gate"]
    assert words[-3:] == ["--against", "env:base/bin/python", "--gate-strict"]


def test_rerun_line_names_the_case_and_what_decides_it() -> None:
    """Model path, case options and data are repeated; where results go and what is resumed is not."""
    case = make_case(model="my_model", head="end2end", variant="end2end")
    options = {
        "model": "yolo26n.pt, weights/My-Model.pt",
        "backend": "all",
        "head": "both",
        "data": "it's data.yaml",
        "calib_size": "32",
        "report": "elsewhere",
        "resume": "newest",
    }
    words = shlex.split(rerun_line(case, "quick", options))
    assert words[:2] == ["pytest", "bench/"]
    assert dict(zip(words[2::2], words[3::2], strict=True)) == {
        "--case": "my_model-onnx-fp32-cpu-640-b1-end2end",
        "--model": "weights/My-Model.pt",
        "--threads": "2",
        "--effort": "quick",
        "--data": "it's data.yaml",
        "--calib-size": "32",
    }


@pytest.mark.parametrize(
    "named",
    [
        make_case(model="模型"),
        make_case(precision="int8", scheme="dynamic-u8u8"),
        make_case(head="end2end", variant="end2end+compile"),
        make_case(backend="trt", device="cuda:0", variant="rebuild2"),
    ],
)
def test_rerun_line_says_nothing_twice_that_the_id_says(named: Case) -> None:
    """Of the heads, ways, builds and schemes that a run had only the case's is asked for, and the line can be read."""
    options = {"model": "模型.pt", "head": "both", "variant": "plain,compile", "rebuilds": "3", "backend": "all"}
    words = shlex.split(rerun_line(named, "quick", {**options, "quant_scheme": "dynamic-u8u8"}))
    given = {flag.strip("-").replace("-", "_"): text for flag, text in zip(words[2::2], words[3::2], strict=True)}
    assert set(given) - {"quant_scheme"} == {"case", "model", "threads", "effort"}
    assert ("quant_scheme" in given) == (not named.scheme)
    asked = parse(given)
    assert [Case.parse(text, asked.threads) for text in asked.case_ids] == [named]
