"""Work that is not timed is done in threads, and an interrupt ends it."""

from __future__ import annotations

import threading

import pytest

from benchsuite.runs.side_by_side import side_by_side
from benchsuite.terms.errors import BuildError


def test_what_came_of_each_job_is_returned_by_its_key() -> None:
    """One that fails keeps no other from its result, and all are counted as they end."""

    def fails() -> int:
        raise BuildError("it cannot be built")

    told: list[int] = []
    found = side_by_side({"one": lambda: 1, "bad": fails, "two": lambda: 2}, 1, lambda: None, told.append)
    assert {key: str(result) for key, result in found.items()} == {"one": "1", "bad": "it cannot be built", "two": "2"}
    assert told == [1, 2, 3]


def test_an_interrupt_ends_what_is_being_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever presses Ctrl-C does not wait for the jobs that run: they are told to stop."""
    monkeypatch.setattr("benchsuite.runs.side_by_side.usable_threads", lambda: 2)
    stopped, begun = threading.Event(), threading.Event()

    def long() -> bool:
        begun.set()
        return stopped.wait(20)

    def interrupted() -> bool:
        begun.wait(20)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        side_by_side({"long": long, "interrupted": interrupted}, 1, stopped.set, lambda _: None)
    assert stopped.is_set()
