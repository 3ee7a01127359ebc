"""Who else computed is told by name, whoever has come, gone or been renamed."""

from __future__ import annotations

import pytest

from benchsuite.machine import watch
from benchsuite.machine.strangers import Processes, busiest, taken
from benchsuite.machine.watch import Watch


def test_what_programs_took_is_the_difference_of_two_looks() -> None:
    """A kernel thread that is called otherwise now took nothing by that, and a number may be another program's."""
    before: Processes = {1: ("kworker/0:1", 90.0), 2: ("python", 5.0), 3: ("make", 50.0), 4: ("gone", 9.0)}
    after: Processes = {1: ("kworker/0:1-ext4", 90.1), 2: ("python", 8.0), 3: ("cc1", 2.0), 5: ("python", 1.0)}
    found = taken(before, after)
    assert dict(found) == {"kworker/0:1-ext4": pytest.approx(0.1), "python": 4.0, "cc1": 2.0}
    assert busiest(found, 10.0) == ("python", "cc1")


def test_a_program_that_is_gone_by_the_end_was_seen_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ran for some rounds, and is named all the same."""
    looks: list[Processes] = [{}, {7: ("backup", 20.0)}, {}]
    monkeypatch.setattr(watch, "cpu_seconds", lambda: looks.pop(0))
    monkeypatch.setattr(watch.time, "monotonic", iter((0.0, 60.0)).__next__)
    seen = Watch()
    seen.look()
    assert seen.strangers() == ("backup",)


def test_what_a_program_took_adds_up_over_all_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A little in each round is much in the end: two seconds and two are more than a twentieth of a minute."""
    looks: list[Processes] = [{}, {7: ("backup", 2.0)}, {7: ("backup", 4.0)}]
    monkeypatch.setattr(watch, "cpu_seconds", lambda: looks.pop(0))
    monkeypatch.setattr(watch.time, "monotonic", iter((0.0, 60.0)).__next__)
    seen = Watch()
    seen.look()
    assert seen.strangers() == ("backup",)
