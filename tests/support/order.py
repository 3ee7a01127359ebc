"""Whether what must be there is there, whatever else is."""

from __future__ import annotations

from collections.abc import Iterable


def in_order(wanted: Iterable[object], found: Iterable[object]) -> bool:
    """Say whether all that is wanted occurs in this order among what was found."""
    rest = iter(found)
    return all(item in rest for item in wanted)
