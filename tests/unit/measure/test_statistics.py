"""Figures are what the sample carries, and no more."""

from __future__ import annotations

import numpy as np
import pytest

from benchsuite.measure.statistics import describe, samples_needed
from benchsuite.terms.absence import Absent


@pytest.mark.parametrize(("quantile", "needed"), [(0.9, 36), (0.95, 72), (0.99, 368)])
def test_percentile_needs_a_sample_that_can_bound_it(quantile: float, needed: int) -> None:
    """A percentile is quoted from the size on at which the largest sample bounds it with 97.5 % confidence."""
    assert samples_needed(quantile) == needed
    assert 1 - quantile**needed >= 0.975 > 1 - quantile ** (needed - 1)


def test_percentiles_that_the_sample_cannot_carry_are_absent_with_the_reason() -> None:
    """With 71 samples there is a p90, and p95 says how many it lacks."""
    summary = describe(np.arange(1, 72))
    assert summary.p90 == 64.0
    assert summary.p95 == Absent("p95 needs 72 samples, found 71")


def test_hand_computed_summary() -> None:
    """Mean, spread, extremes and median are those of the sample, outliers included."""
    summary = describe(np.array([10, 20, 30, 40, 1000]))
    assert (summary.n, summary.min, summary.max, summary.p50, summary.mean) == (5, 10, 1000, 30.0, 220.0)
    assert summary.std == pytest.approx(436.176, abs=0.001)


def test_calls_alone_tell_no_interval_of_their_median() -> None:
    """Calls of one process are alike: without launches there is no interval, however many calls there are."""
    assert isinstance(describe(np.arange(1, 100_000)).p50_ci95, Absent)
    assert describe(np.arange(1, 10), (4.0, 6.0)).p50_ci95 == (4.0, 6.0)


def test_no_samples_is_an_error() -> None:
    """An empty sample has no summary."""
    with pytest.raises(ValueError, match="nothing was measured"):
        describe(np.array([], np.int64))
