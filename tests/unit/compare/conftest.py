"""Runs of one machine, and where their promotion files what was accepted."""

from __future__ import annotations

from pathlib import Path

from benchsuite.compare.baselines import Baseline, load
from benchsuite.runs.folder import Run
from benchsuite.runs.records import Record
from benchsuite.testing import make_case, make_machine, make_run

ONNX = make_case()
INT8 = make_case(precision="int8")
KEY = "yolo26n-onnx-fp32-cpu-640-b1 one2many t2"
CALLED = "yolo26n-onnx-fp32-cpu-640-b1 (2 threads)"


def run_of(made: list[Record], number: int = 1, **changes: object) -> Run:
    """Build a run; those of another number have another folder."""
    return make_run(made, folder=Path(f"reports/20260131-1200{number:02}"), **changes)


def folder_at(root: Path) -> Path:
    """Return the folder of the machine's baselines."""
    return root / make_machine().slug


def accepted_at(root: Path) -> Baseline:
    """Read what was accepted on the machine."""
    return load(folder_at(root))
