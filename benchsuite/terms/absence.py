"""A value that is not there, with the reason why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Absent:
    """Stand where a value would, and say in one sentence why there is none."""

    reason: str


NOT_SELECTED = Absent("not selected")
