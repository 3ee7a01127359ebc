"""Quantities are shown with the digits that they deserve."""

from __future__ import annotations

import pytest

from benchsuite.terms.quantities import megabytes, milliseconds, signed, significant
from tests.support.rounded import ROUNDED


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (0.0412, "0.0412"), (0.412, "0.412"), (4.12, "4.12"), (41.2, "41.2"), (99.94, "99.9"), (99.96, "100"),
        (9.996, "10.0"), (412.4, "412"), (1234.4, "1,234"), (-4.12, "−4.12"), *ROUNDED,
    ],
)  # fmt: skip
def test_three_digits_are_kept(value: float, text: str) -> None:
    """Three significant digits are shown, whole numbers whole, and a carry adds no digit."""
    assert significant(value) == text


def test_units_are_milliseconds_and_megabytes() -> None:
    """Nanoseconds become ms, bytes become MB of a million."""
    assert milliseconds(41_234_567) == "41.2"
    assert megabytes(9_800_000) == "9.80"


@pytest.mark.parametrize(("value", "text"), [(1.26, "+1.3"), (-0.34, "−0.3"), (0.04, "0.0"), (-0.04, "0.0")])
def test_change_carries_its_sign(value: float, text: str) -> None:
    """A change shows its sign unless it rounds to nothing."""
    assert signed(value) == text
