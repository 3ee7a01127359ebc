"""How a change of a figure is told."""

from __future__ import annotations

import pytest

from benchsuite.terms.units import FRACTION, MEGABYTES, MILLISECONDS, PERCENT, Unit


@pytest.mark.parametrize(
    ("unit", "old", "new", "text"),
    [
        (MILLISECONDS, 40.0, 44.0, "+10.0 %"),
        (MEGABYTES, 10.0, 9.0, "−10.0 %"),
        (MEGABYTES, 0.0, 9.0, "–"),
        (MEGABYTES, 1.0, 51.0, "+5,000.0 %"),
        (FRACTION, 0.65, 0.638, "−1.20 points"),
        (FRACTION, 0.0, 0.65, "+65.00 points"),
        (FRACTION, 0.65, 0.65, "0.00 points"),
        (PERCENT, 99.5, 98.0, "−1.50 points"),
    ],
)
def test_fractions_change_by_points_and_all_else_by_per_cent(unit: Unit, old: float, new: float, text: str) -> None:
    """A tenth of an mAP of 0.65 is 6.5 points and no per cent of anything."""
    assert unit.change(old, new) == text
