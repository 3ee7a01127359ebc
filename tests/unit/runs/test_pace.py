"""How long a run will take, by what earlier ones took here."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchsuite.measure.effort import EFFORTS
from benchsuite.options.estimate import estimate_s
from benchsuite.runs.folder import finish_run
from benchsuite.runs.pace import pace
from benchsuite.testing import make_case, make_machine, make_record, make_run, write_run


def test_earlier_runs_on_this_machine_tell_the_pace(tmp_path: Path) -> None:
    """The median of how far they were off the guess; other machines and damaged runs say nothing."""
    here = make_machine().fingerprint
    assert pace(tmp_path, here) is None
    guess = estimate_s([make_case()], EFFORTS["standard"])
    for factor in (2.0, 0.5, 3.0):
        finish_run(write_run(tmp_path, make_run([make_record()])), "finished", factor * guess)
    write_run(tmp_path, make_run([make_record()]))
    (tmp_path / "20260101-000009").mkdir()
    (tmp_path / "20260101-000009" / "run.json").write_text("{")
    assert pace(tmp_path, here) == pytest.approx(2.0, rel=0.05)
    assert pace(tmp_path, "elsewhere") is None


def test_less_effort_is_guessed_to_take_less() -> None:
    """Quick takes less than standard, and full more."""
    cases = [make_case(), make_case(backend="torch")]
    quick, standard, full = (estimate_s(cases, EFFORTS[name]) for name in ("quick", "standard", "full"))
    assert quick < standard < full
