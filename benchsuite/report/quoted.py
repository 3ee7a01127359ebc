"""Ratios of times with their intervals, as people read them."""

from __future__ import annotations

from benchsuite.measure.ranking import Ratio
from benchsuite.terms.said import Sentence, said


def faster(ratio: Ratio) -> Sentence:
    """Return a ratio with its interval: `1.42 (1.37 to 1.48)`."""
    return said("{1} ({2} to {3})", *(f"{value:.2f}" for value in (ratio.times, ratio.low, ratio.high)))


def brief(ratio: Ratio) -> str:
    """Return a ratio with its interval for a narrow column: `1.42 (1.37–1.48)`; a thing's ratio to itself has none."""
    if ratio.low == ratio.high == 1:
        return "1.00"
    return f"{ratio.times:.2f} ({ratio.low:.2f}–{ratio.high:.2f})"


def place(first_and_last: tuple[int, int]) -> str:
    """Return a place, or the places that a row may have: `1`, `2–3`."""
    first, last = first_and_last
    return str(first) if first == last else f"{first}–{last}"
