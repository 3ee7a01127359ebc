"""Ratios of times that were taken turn by turn, as a study's file keeps them."""

from __future__ import annotations

import pytest
from cattrs import BaseValidationError

from benchsuite.study.timed import Timed
from benchsuite.terms.codec import faults, from_builtins


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"ratio": 0.0}, "a number of at least"),
        ({"ratio_ci95": [0.0, 1.0]}, "a number of at least"),
        ({"p50_ns": -1.0}, "a number of at least"),
        ({"ratio_ci95": [0.9, 1.0, 1.1]}, "a list of 2 was expected"),
    ],
)
def test_times_that_cannot_be_are_no_times(changes: dict[str, object], told: str) -> None:
    """A speed-up is the ratio's inverse, so a file with none is refused and not divided by."""
    kept = {"p50_ns": 1.0, "ratio": 1.0, "ratio_ci95": [0.9, 1.1]}
    assert from_builtins(kept, Timed) == Timed(1.0, 1.0, (0.9, 1.1))
    with pytest.raises(BaseValidationError) as caught:
        from_builtins({**kept, **changes}, Timed)
    assert told in faults(caught.value)[0]
