"""`benchsuite cases`: what a run would refuse is refused, and ids can be copied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchsuite.commands.cases import case_lines
from benchsuite.data.shapes import NAMES
from benchsuite.machine import processes
from benchsuite.options.settings import parse
from benchsuite.terms.errors import UsageError
from benchsuite.testing import FakeChild, fake_runtimes
from benchsuite.testing.fake_backend import FakeBackend

CARD: dict[str, Any] = {"names": list(NAMES), "params": 5, "gflops": 1.5, "heads": ["one2many"], "trained_px": 640}


@pytest.fixture
def cases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """List the cases of options; the builder that knows checkpoints is a double, and counts how often it is asked."""
    monkeypatch.setenv("BENCHSUITE_CACHE", str(tmp_path / "cache"))
    asked: list[str] = []

    def describe(request: dict[str, Any]) -> dict[str, Any]:
        asked.append(request["weights"])
        return CARD

    def listed(**given: str) -> tuple[tuple[str, ...], list[str], list[str]]:
        refusing = FakeBackend("ncnn", refuses=lambda case: "no " + "very " * 20 + "good reason")
        with fake_runtimes(FakeBackend("onnx"), refusing):
            processes.STAND_INS["benchsuite.artifacts.builder"] = lambda: FakeChild({"describe": describe})
            notes: list[str] = []
            options = parse({"precision": "fp32", "threads": "1", "report": str(tmp_path / "reports"), **given})
            return case_lines(options, notes.append), notes, asked

    return listed


def test_ids_stand_whole_and_reasons_beside_them(cases: Any) -> None:
    """An id is there to be copied, however long; a long reason goes on below, in its own column."""
    size = "672"
    lines, notes, _ = cases(backend="onnx,ncnn", imgsz=size, batch="16")
    indent = len("yolo26n_shapes-onnx-fp32-cpu-672-b16") + 2
    assert lines[1] == "yolo26n_shapes-onnx-fp32-cpu-672-b16  can run"
    assert lines[2].startswith("yolo26n_shapes-ncnn-fp32-cpu-672-b16  no very very")
    assert all(line.startswith(" " * indent) for line in lines[3:])
    assert max(map(len, lines)) <= 79
    assert notes == ["yolo26n_shapes was trained at 640 px: at 672 px its accuracy differs"]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"batch": "100000"}, "--batch 100000: the images of one call at 640 px take "),
        ({"head": "end2end"}, "--head end2end: yolo26n_shapes has no NMS-free head: use --head auto."),
        ({"data": "broken.yaml"}, "--data broken.yaml: 'broken.yaml' is no data.yaml: "),
    ],
)
def test_what_a_run_refuses_is_refused(
    cases: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], problem: str
) -> None:
    """No case is said to be able to run that `pytest bench/` stops at before it starts."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.yaml").write_text("names: [a\nval: x\n")
    with pytest.raises(UsageError) as refused:
        cases(backend="onnx", **given)
    assert problem in str(refused.value)


def test_nothing_is_downloaded(cases: Any) -> None:
    """Weights with an official name that are not on this disk are listed, and nobody is asked what they are."""
    lines, _, asked = cases(backend="onnx", model="yolo26n.pt")
    assert lines[1:] == ("yolo26n-onnx-fp32-cpu-640-b1  can run",)
    assert asked == []
