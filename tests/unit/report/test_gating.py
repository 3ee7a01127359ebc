"""A gate on the terminal: one line a case within 80 columns, and counts by case."""

from __future__ import annotations

from dataclasses import replace

from benchsuite.compare.findings import Finding
from benchsuite.gate.session import GateResult
from benchsuite.report.gating import GateProgress, case_verdicts, result_lines, status_line
from benchsuite.testing import make_case
from tests.support.gates import make_status


def test_line_fits_and_names_another_metric_than_latency() -> None:
    """The longest verdict of a long case still fits, and says which metric it is about."""
    line = status_line(make_status("yolo26n_coco_approx-openvino-int8-cpu-1280-b16", [0.0] * 16, [0.1] * 16))
    assert line.endswith("REGRESSED memory")
    assert len(line) <= 79
    assert " 0.0 %    0.0 to 0.0 REGRESSED" in line


def test_change_is_told_in_per_cent_with_its_interval() -> None:
    """It reads as the sentence of its finding does: how much longer the candidate takes, and not a ratio."""
    line = status_line(make_status("n-onnx-fp32-cpu-320-b1", [0.1] * 16, [0.0] * 16))
    assert line.split() == ["n-onnx-fp32-cpu-320-b1", "16", "+10.5", "%", "+10.5", "to", "+10.5", "REGRESSED"]


def test_each_decided_case_is_told_once() -> None:
    """Without a terminal a case gets a line when it is decided, and no second one, below one heading for all."""
    said: list[str] = []
    progress = GateProgress(said.append, terminal=False)
    status = make_status(make_case().id, [0.0] * 12, [0.0] * 12)
    progress.show([replace(status, done=False)])
    assert said == []
    progress.show([status])
    progress.show([status, make_status(make_case(imgsz=320).id, [0.0] * 12, [0.0] * 12)])
    progress.close()
    heading, *lines = said
    assert heading.split() == ["case", "blk", "change", "95", "%", "interval", "verdict"]
    assert [line.split()[-1] for line in lines] == ["PASS", "PASS"]
    assert heading.index("verdict") == lines[0].index("PASS")


def finding(case_id: str, metric: str, verdict: str) -> Finding:
    """Build a finding with a sentence."""
    return Finding(case_id, metric, verdict, "a", "b", "", f"{metric} is {verdict}", fails=verdict == "REGRESSED")


def test_counts_are_by_case_and_remarks_do_not_count() -> None:
    """A case counts once, by its worst deciding verdict; kernels of another release do not make it doubtful."""
    findings = [
        finding("one", "latency", "PASS"),
        finding("one", "kernels", "NOT_COMPARABLE"),
        finding("two", "latency", "IMPROVED"),
        finding("two", "artifact_bytes", "PASS"),
        finding("three", "latency", "PASS"),
        finding("three", "memory", "REGRESSED"),
    ]
    assert case_verdicts(findings) == {"one": "PASS", "two": "IMPROVED", "three": "REGRESSED"}
    lines = result_lines(GateResult(tuple(findings), None, 1))
    assert lines[-1] == "gate: 3 cases: 1 REGRESSED, 1 IMPROVED, 1 PASS"
    assert any("kernels is NOT_COMPARABLE" in line for line in lines)
