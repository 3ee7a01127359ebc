"""A value that is not there, with the reason why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from benchsuite.terms.said import Sentence

T = TypeVar("T")
U = TypeVar("U")
# What a table shows in place of a value.
DASH = "–"


@dataclass(frozen=True)
class Absent:
    """Stand where a value would, and say in one sentence why there is none."""

    reason: Sentence


NOT_SELECTED = Absent("not selected")


def part_of(value: T | Absent, read: Callable[[T], U | Absent]) -> U | Absent:
    """Return what is read from a value; of an absent one nothing is read, and its reason stays."""
    return value if isinstance(value, Absent) else read(value)


def shown(value: T | Absent, show: Callable[[T], str]) -> str:
    """Return a value's text, or a dash where it is absent."""
    return DASH if isinstance(value, Absent) else show(value)
