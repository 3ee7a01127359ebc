"""Findings are kept beside their run, each with the command that measures its case again."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from benchsuite.compare.findings import Finding, read_findings, rerun_line, write_findings
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
    assert words[:4] == ["pytest", "bench/", "-k", "my_model-onnx-fp32-cpu-640-b1-end2end"]
    settings = dict(zip(words[4::2], words[5::2], strict=True))
    assert settings == {
        "--model": "weights/My-Model.pt",
        "--backend": "onnx",
        "--precision": "fp32",
        "--device": "cpu",
        "--imgsz": "640",
        "--batch": "1",
        "--threads": "2",
        "--effort": "quick",
        "--head": "end2end",
        "--data": "it's data.yaml",
        "--calib-size": "32",
    }


@pytest.mark.parametrize("named", [make_case(model="模型"), make_case(precision="int8", scheme="dynamic-u8u8")])
def test_rerun_line_names_a_case_by_its_id_where_k_cannot(named: Case) -> None:
    """pytest escapes ids that are not ASCII, and only the id says the scheme: what the id decides is not said twice."""
    options = {"model": "模型.pt", "head": "both", "variant": "plain", "quant_scheme": "dynamic-u8u8", "data": "d.yaml"}
    words = shlex.split(rerun_line(named, "quick", options))
    given = dict(zip(words[2::2], words[3::2], strict=True))
    assert given.pop("--case") == named.id
    assert {"--model", "--threads", "--effort", "--data"} <= set(given)
    assert not {"-k", "--head", "--variant", "--backend"} & set(given)
    assert ("--quant-scheme" in given) == (not named.scheme)


def test_rerun_line_runs_the_case_s_own_way_and_no_other() -> None:
    """Of the ways, heads and builds that a run had, only the case's are asked for again."""
    options = {"variant": "plain,compile", "head": "both", "rebuilds": "3"}

    def asked(**case: str) -> dict[str, str]:
        words = shlex.split(rerun_line(make_case(**case), "quick", options))
        return dict(zip(words[4::2], words[5::2], strict=True))

    plain = asked()
    assert (plain["--variant"], plain["--head"], "--rebuilds" in plain) == ("plain", "auto", False)
    other = asked(variant="end2end+compile", head="end2end")
    assert (other["--variant"], other["--head"]) == ("compile", "end2end")
    assert asked(backend="trt", variant="rebuild2")["--rebuilds"] == "3"
