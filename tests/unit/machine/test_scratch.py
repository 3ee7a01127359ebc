"""What is made in a scratch folder is gone afterwards, and what killed processes left of theirs is swept."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from benchsuite.machine.locks import locked
from benchsuite.machine.scratch import scratch_folder, sweep, temporary_files_in

ROOT = Path(__file__).parents[3]
_MAKE = (
    "import sys, time; from pathlib import Path; from benchsuite.machine.scratch import scratch_folder\n"
    "with scratch_folder(Path(sys.argv[1])) as folder:\n"
    "    (folder / 'half').write_text('x'); print(folder, flush=True); time.sleep(60)"
)


def age(folder: Path) -> None:
    """Let two hours pass for everything under a folder."""
    past = time.time() - 7200
    for path in folder.rglob("*"):
        os.utime(path, (past, past))


def test_folder_goes_unless_it_is_renamed(tmp_path: Path) -> None:
    """It is readable by whom this user's new folders are, and one that was put in place stays."""
    with scratch_folder(tmp_path) as folder:
        assert stat.S_IMODE(folder.stat().st_mode) & 0o500 == 0o500
        (folder / "file").touch()
    assert list(tmp_path.iterdir()) == []
    before = os.umask(0o022)
    try:
        with scratch_folder(tmp_path) as folder:
            folder.replace(tmp_path / "kept")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "kept").stat().st_mode) == 0o755


def test_temporary_files_lie_in_it(tmp_path: Path) -> None:
    """Whatever asks for a temporary file meanwhile gets one there, and elsewhere afterwards."""
    with temporary_files_in(tmp_path), tempfile.NamedTemporaryFile() as file:
        assert tmp_path in Path(file.name).parents
    assert tmp_path not in Path(tempfile.gettempdir()).parents
    assert list(tmp_path.iterdir()) == []


def test_sweep_takes_what_the_dead_left_and_nothing_of_the_living(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A killed maker's folder goes, a living one's stays; partial files go when they are old, whole ones never."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    for name in ("tmp", "artifacts", "evaluations"):
        (tmp_path / name).mkdir()
    command = [sys.executable, "-c", _MAKE, str(tmp_path / "artifacts")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as dead:
        assert dead.stdout is not None
        left = Path(dead.stdout.readline().strip())
        dead.send_signal(signal.SIGKILL)
    key = "0123456789abcdef01234567"
    partial = [
        tmp_path / "evaluations" / name
        for name in (f".{key}.4711.npz", f".{key}.4711-scored.npz", f".{key}.json.{'ab' * 16}")
    ]
    whole = [tmp_path / "evaluations" / f"{key}.json", tmp_path / "evaluations" / ".gitignore"]
    for path in (*partial, *whole):
        path.touch()
    (tmp_path / "artifacts" / ".free.lock").touch()
    with scratch_folder(tmp_path / "artifacts") as living, locked(tmp_path / "artifacts" / ".held.lock"):
        assert sweep(tmp_path) == 0
        age(tmp_path)
        assert sweep(tmp_path) == 4
        assert (living.is_dir(), left.exists()) == (True, False)
        assert [path.name for path in (tmp_path / "artifacts").glob("*.lock")] == [".held.lock"]
    assert [path.exists() for path in partial] == [False] * 3
    assert [path.exists() for path in whole] == [True] * 2
