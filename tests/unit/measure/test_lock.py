"""The machine's measuring lock."""

from __future__ import annotations

import fcntl
import os
import stat
import threading
from pathlib import Path

import pytest

from benchsuite.measure import lock
from benchsuite.measure.lock import lock_path, measuring_lock
from benchsuite.terms.errors import UsageError


def test_second_run_waits_and_says_for_whom(tmp_path: Path) -> None:
    """A run that finds the lock taken names the holder, and goes on when it is free."""
    path, said, order = tmp_path / "lock", [], []
    waiting = threading.Event()

    def say(line: str) -> None:
        said.append(line)
        waiting.set()

    def second() -> None:
        with measuring_lock(say, path):
            order.append("second")

    with measuring_lock(lambda line: None, path):
        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(5)
        order.append("first")
    thread.join(5)
    assert order == ["first", "second"]
    assert "process" in said[0]


def test_lock_is_the_machine_s_whatever_tmpdir_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It lies in the first folder that is every user's; $BENCHSUITE_LOCK names another file."""
    monkeypatch.delenv("BENCHSUITE_LOCK", raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    own, everybodys = tmp_path / "own", tmp_path / "everybodys"
    own.mkdir(mode=0o755)
    everybodys.mkdir()
    everybodys.chmod(0o1777)
    monkeypatch.setattr(lock, "_FOLDERS", (tmp_path / "missing", own, everybodys))
    assert lock_path() == everybodys / "benchsuite-measuring.lock"
    monkeypatch.setenv("BENCHSUITE_LOCK", str(tmp_path / "mine"))
    assert lock_path() == tmp_path / "mine"


def test_everybody_can_lock_the_file(tmp_path: Path) -> None:
    """Its mode lets every user open it, whatever this one's mask is, and when nobody holds it, it names nobody."""
    path = tmp_path / "lock"
    before = os.umask(0o077)
    try:
        with measuring_lock(print, path):
            assert f"process {os.getpid()} (" in path.read_text()
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666
    assert path.read_text() == ""


def test_what_the_file_says_is_shown_tamely(tmp_path: Path) -> None:
    """Of whatever another user wrote there, at most 300 characters are shown, and none that a terminal obeys."""
    path, told = tmp_path / "lock", []
    path.write_text("\x1b[2Jprocess 7\n" + "x" * 100_000)

    def say(line: str) -> None:
        told.append(line)
        raise KeyboardInterrupt

    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(KeyboardInterrupt), measuring_lock(say, path):
            pytest.fail("the lock was taken")
    (line,) = told
    assert line.startswith("waiting for another benchsuite run to finish: ?[2Jprocess 7?xxx")
    assert line.isprintable()
    assert len(line) < 350


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_what_is_no_file_is_refused_in_a_sentence(tmp_path: Path, kind: str) -> None:
    """A link is not followed, a pipe not waited for; the sentence names the file and the way out."""
    path = tmp_path / "lock"
    if kind == "link":
        (tmp_path / "target").write_text("precious")
        path.symlink_to(tmp_path / "target")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    sentence = rf"^cannot take the measuring lock {path}: .*; let \$BENCHSUITE_LOCK name a file that can be\.$"
    with pytest.raises(UsageError, match=sentence), measuring_lock(print, path):
        pytest.fail("the lock was taken")
    if kind == "link":
        assert (tmp_path / "target").read_text() == "precious"


def test_file_that_is_removed_while_one_waits_is_made_anew(tmp_path: Path) -> None:
    """Two runs exclude each other by the file that is there, not by one that a cleaner has taken away."""
    path = tmp_path / "lock"
    waiting, holds, go_on = threading.Event(), threading.Event(), threading.Event()

    def second() -> None:
        with measuring_lock(lambda _: waiting.set(), path):
            holds.set()
            go_on.wait(5)

    thread = threading.Thread(target=second)
    with measuring_lock(print, path):
        thread.start()
        assert waiting.wait(5)
        path.unlink()
    assert holds.wait(5)
    told: list[str] = []
    third = threading.Thread(target=lambda: _take(path, told))
    third.start()
    third.join(0.5)
    assert third.is_alive()
    go_on.set()
    third.join(5)
    thread.join(5)
    assert len(told) == 1


def _take(path: Path, told: list[str]) -> None:
    with measuring_lock(told.append, path):
        pass
