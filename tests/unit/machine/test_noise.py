"""What the system tells of itself may be less than expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchsuite.machine.noise import steal_and_total


@pytest.mark.parametrize("content", ["", "\n", "cpu", "cpu 1 2 3", "cpu a b c d e f g h"])
def test_times_of_the_cpus_that_are_not_told_are_none(monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    """A container may show an empty or shortened /proc/stat."""
    monkeypatch.setattr(Path, "read_text", lambda _: content)
    assert steal_and_total() == {}
