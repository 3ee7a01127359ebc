"""Studies with all figures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from benchsuite.detect.bootstrap import MapLoss
from benchsuite.study.rows import Built, CalibrationPoint, Study, StudyRow
from benchsuite.study.timed import Timed
from benchsuite.testing import make_case, make_machine, make_parity, make_ran

CASE = make_case(backend="onnx", precision="int8", variant="qdq<u8>")


def make_row(**changes: Any) -> StudyRow:
    """Build a row with all figures."""
    row = StudyRow(
        case=CASE,
        scheme="qdq-u8s8",
        method="percentile",
        reference="fp32",
        built=Built("cd" * 32, 2_600_000, "ab" * 8, 64),
        ran=make_ran(CASE),
        map50_95=0.7261,
        loss=MapLoss(0.42, (-0.31, 1.2)),
        parity=make_parity(matched=950, dropped=50, added=30),
        timed=Timed(15.4e6, 0.712, (0.70, 0.731)),
    )
    return replace(row, **changes)


def make_study(*rows: StudyRow, points: tuple[CalibrationPoint, ...] = ()) -> Study:
    """Build a study of some rows."""
    return Study("schemes", "benchsuite study schemes", "2026-01-31 12:00", make_machine(), "quick",
                 "data.yaml", 64, rows, points)  # fmt: skip
