"""A failing comparison is printed so that one can act on it."""

from __future__ import annotations

import shlex
from dataclasses import replace

from benchsuite.compare.findings import Finding
from benchsuite.report.failures import render

FINDING = Finding(
    case_id="yolo26n-onnx-int8-cpu-640-b1",
    metric="map50_95",
    verdict="REGRESSED",
    baseline="0.6500",
    current="0.6400 (−1.00 points)",
    allowed="at most 0.5 points less",
    sentence="Rounding in other kernels moves mAP50-95 by tenths of a point; half a point is a loss that one sees.",
    fails=True,
    environment=(
        "onnxruntime: 1.32.0 -> 1.33.0",
        "isa: ('avx2', 'fma') -> ('avx2', 'fma', 'avx512f', 'avx512_vnni')",
    ),
    rerun="pytest bench/ -k yolo26n-onnx-int8-cpu-640-b1 --model 'my models/yolo26n.pt' --backend onnx "
    "--precision int8 --device cpu --imgsz 640 --batch 1 --threads 2 --effort standard",
    accept="benchsuite promote reports/20260131-120000",
)


def test_everything_about_a_failure_is_printed_in_80_columns() -> None:
    """Case, metric, both values, allowed change, environment, and the lines to rerun and to accept it."""
    text = render([FINDING])
    assert max(len(line) for line in text.splitlines()) <= 80
    for part in (
        FINDING.case_id,
        "REGRESSED  mAP50-95",
        "0.6500",
        "0.6400",
        "at most 0.5",
        "1.32.0 -> 1.33.0",
        "promote",
    ):
        assert part in text


def test_printed_command_can_be_pasted() -> None:
    """The broken command line, its backslashes joined, is the command again."""
    lines = render([FINDING]).splitlines()
    start = next(number for number, line in enumerate(lines) if line.strip().startswith("pytest"))
    command = []
    for line in lines[start:]:
        command.append(line.removesuffix("\\"))
        if not line.endswith("\\"):
            break
    assert len(command) > 1
    assert shlex.split(" ".join(command)) == shlex.split(FINDING.rerun)


def test_only_failures_are_printed_each_case_once() -> None:
    """What passed is not printed, and a case with two failures is one block."""
    passed = Finding("passing-case", "gflops", "PASS", "5", "5", "", "counted")
    second = Finding(FINDING.case_id, "kernels", "REGRESSED", "Conv 64", "Conv 63", "none", "same kernels", fails=True)
    text = render([FINDING, passed, second])
    assert "passing-case" not in text
    assert text.count(FINDING.case_id + "\n") == 1
    assert "kernel counts" in text
    assert render([passed]) == ""


def test_unchanged_environment_is_said() -> None:
    """No change since the baseline is said to be none, not left out."""
    unchanged = replace(FINDING, environment=())
    assert "since the baseline:\n    nothing that is recorded" in render([unchanged])


def test_broken_limit_knows_no_baseline() -> None:
    """A service goal names neither a baseline nor a way to accept, unless the case also fails its baseline."""
    limit = Finding(
        FINDING.case_id, "latency", "OVER_LIMIT", "", "60 ms", "50 ms", "why", fails=True, rerun="pytest bench/"
    )
    alone, both = render([limit]), render([limit, FINDING])
    assert "baseline" not in alone
    assert "measure it again" in alone
    assert "accept it as the new baseline" in both
