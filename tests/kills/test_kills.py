"""What a killed run costs; `python tests/kills/run.py --kills 40` kills more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kills.run import kill_runs


@pytest.mark.slow
def test_killed_runs_lose_no_record_and_leave_nothing(tmp_path: Path) -> None:
    """Killed while a builder starts or anywhere else, a run loses no record that it told, and leaves nothing alive.

    What it left unfinished goes with `benchsuite cache clean`.
    """
    for cost in kill_runs(3, seed=1, folder=tmp_path / "runs", whole_run_s=20):
        assert (cost.lost, cost.torn, cost.orphans, cost.scratch) == ((), (), (), ())
