"""The machine's measuring lock."""

from __future__ import annotations

import threading
from pathlib import Path

from benchsuite.measure.lock import measuring_lock


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
