"""Ratios of times that were taken turn by turn."""

from __future__ import annotations

import numpy as np

from benchsuite.study.interleaved import against


def test_ratio_is_of_the_same_round() -> None:
    """A machine that doubles its times in some rounds moves both and leaves the ratio alone."""
    rng = np.random.default_rng(1)
    speed = rng.choice([1.0, 2.0], size=(6, 12))
    reference = 20e6 * speed
    timed = against(reference, reference * 0.7)
    assert abs(timed.ratio - 0.7) < 1e-9
    # The ratio is the same in every round, so nothing is uncertain.
    assert timed.ratio_ci95 == (timed.ratio, timed.ratio)


def test_interval_covers_launches_that_differ() -> None:
    """Where launches differ more than rounds, the interval is as wide as they say."""
    rng = np.random.default_rng(2)
    launches = np.exp(rng.normal(0, 0.05, (6, 1)))
    reference = np.full((6, 12), 20e6)
    low, high = against(reference, reference * launches).ratio_ci95
    assert high - low > 0.04
