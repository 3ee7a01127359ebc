"""The `benchsuite` command as a terminal starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Run the command in an empty folder, as a terminal of 80 columns would."""
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "BENCHSUITE_CACHE": str(tmp_path / "cache"), "COLUMNS": "80",
    }  # fmt: skip

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "benchsuite", *arguments]
        return subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True)

    return run
