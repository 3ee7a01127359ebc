"""A value that is not there, with the reason why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Absent:
    """Stand where a value would, and say in one sentence why there is none."""

    reason: str


NOT_SELECTED = Absent("not selected")


def present(value: T | Absent) -> T | None:
    """Return the value, or None where it is absent: for code that only needs to know whether it is there."""
    return None if isinstance(value, Absent) else value
