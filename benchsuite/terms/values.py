"""Values as JSON has them, each taken for what it is and for nothing else."""

from __future__ import annotations

import math
from typing import Any, get_args

from benchsuite.terms.numbers import LARGEST
from benchsuite.terms.printable import excerpt
from benchsuite.terms.said import said


class MisfitError(ValueError):
    """A value in a file is not what stands in its place, as `expected` says."""

    def __init__(self, expected: str, found: object) -> None:
        super().__init__(said("{1} was expected, found {2}", expected, excerpt(found)))


def text_of(data: Any) -> str:
    """Return a text, as which nothing else is taken; raises MisfitError."""
    if not isinstance(data, str):
        raise MisfitError(said("a text"), data)
    return data


def whole_of(data: Any) -> int:
    """Return a whole number, as which nothing else is taken; raises MisfitError."""
    # JSON of other writers has 3.0 for 3.
    if isinstance(data, float) and data.is_integer():
        data = int(data)
    if not isinstance(data, int) or isinstance(data, bool) or abs(data) > LARGEST:
        raise MisfitError(said("a whole number"), data)
    return data


def number_of(data: Any) -> float:
    """Return a finite number, as which nothing else is taken; raises MisfitError."""
    whole = isinstance(data, int) and not isinstance(data, bool) and abs(data) <= LARGEST
    if not whole and not (isinstance(data, float) and math.isfinite(data)):
        raise MisfitError(said("a number"), data)
    return float(data)


def truth_of(data: Any) -> bool:
    """Return true or false, as which nothing else is taken; raises MisfitError."""
    if not isinstance(data, bool):
        raise MisfitError(said("true or false"), data)
    return data


def choice_of(data: Any, kind: Any) -> Any:
    """Return one of a Literal's choices, as which nothing else is taken; raises MisfitError."""
    # True equals 1.
    if not any(type(data) is type(choice) and data == choice for choice in get_args(kind)):
        raise MisfitError(said("one of {1}", ", ".join(map(str, get_args(kind)))), data)
    return data


def list_of(data: Any) -> list[Any]:
    """Return a list, as which nothing else is taken; raises MisfitError."""
    if not isinstance(data, (list, tuple)):
        raise MisfitError(said("a list"), data)
    return list(data)


def object_of(data: Any) -> dict[str, Any]:
    """Return an object, as which nothing else is taken; raises MisfitError."""
    if not isinstance(data, dict):
        raise MisfitError(said("an object"), data)
    return data
