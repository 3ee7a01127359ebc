"""The sign test holds its level at every stopping time and is the integral that it says it is."""

from __future__ import annotations

import math
import random

import pytest
from scipy.integrate import quad
from scipy.stats import beta

from benchsuite.gate.evidence import blocks_needed, excluded_above, fewest_heads, interval, log_evidence


@pytest.mark.parametrize(("n", "k"), [(1, 1), (12, 12), (15, 14), (40, 25), (60, 20)])
def test_evidence_is_the_integral_over_probabilities_above_one_half(n: int, k: int) -> None:
    """The closed form equals the likelihood ratio integrated numerically, and scipy.stats' tail."""
    integral, _ = quad(lambda p: 2 * (2 * p) ** k * (2 * (1 - p)) ** (n - k), 0.5, 1)
    closed = math.log(2) + math.lgamma(k + 1) + math.lgamma(n - k + 1) - math.lgamma(n + 2)
    closed += float(beta.logsf(0.5, k + 1, n - k + 1)) + n * math.log(2)
    assert log_evidence(n, k) == pytest.approx(math.log(integral), abs=1e-6)
    assert log_evidence(n, k) == pytest.approx(closed, abs=1e-9)


@pytest.mark.parametrize("n", [0, 1, 5, 12, 33])
def test_evidence_is_a_martingale_under_a_fair_coin(n: int) -> None:
    """Whatever came before, the next toss of a fair coin leaves the expected evidence where it is."""
    for k in range(n + 1):
        after = (math.exp(log_evidence(n + 1, k)) + math.exp(log_evidence(n + 1, k + 1))) / 2
        assert after == pytest.approx(math.exp(log_evidence(n, k)))


def test_fewest_blocks_to_fire() -> None:
    """With 24 tests at one percent together, fifteen blocks of one sign fire and fourteen do not."""
    fire_at = math.log(24 / 0.01)
    assert log_evidence(14, 14) < fire_at <= log_evidence(15, 15)


def test_peeking_at_every_block_keeps_the_level() -> None:
    """Of 2,000 streams of fair signs looked at 200 times each, no more than five percent ever reach 1/0.05."""
    coins = random.Random(1)
    at_least, alarms = math.log(20), 0
    for _ in range(2000):
        heads = 0
        for n in range(1, 201):
            heads += coins.random() < 0.5
            if log_evidence(n, heads) >= at_least:
                alarms += 1
                break
    assert alarms <= 0.05 * 2000


def test_fewest_heads_is_the_boundary() -> None:
    """One head fewer is not enough; where no number is enough there is none."""
    at_least = math.log(100)
    heads = fewest_heads(20, at_least)
    assert heads is not None
    assert log_evidence(20, heads - 1) < at_least <= log_evidence(20, heads)
    assert fewest_heads(3, at_least) is None


def test_interval_covers_the_median_at_any_stopping_time() -> None:
    """Of 400 streams, the interval misses the true median at some block in no more than five percent."""
    draws = random.Random(2)
    missed = 0
    for _ in range(400):
        ds: list[float] = []
        for _ in range(60):
            ds.append(draws.gauss(0.03, 0.02))
            low, high = interval(ds, 0.05)
            if not low <= 0.03 <= high:
                missed += 1
                break
    assert missed <= 20


def test_no_slowdown_is_excluded_that_there_is() -> None:
    """Of 4,000 streams, the bound comes to lie below the true median at some block in no more than one percent."""
    draws = random.Random(4)
    wrong = sum(excluded_above([draws.gauss(0.03, 0.02) for _ in range(60)], 0.01) < 0.03 for _ in range(4000))
    assert wrong <= 40


def test_bounds_are_order_statistics() -> None:
    """Nine blocks exclude what lies above their largest, and three exclude nothing; later ones take nothing back."""
    ds = [0.001 * number for number in range(12)]
    assert excluded_above(ds[:9], 0.01) == ds[8]
    assert excluded_above(ds, 0.01) == ds[8]
    assert excluded_above(ds[:3], 0.01) == math.inf
    assert interval(ds[:3], 0.05) == (-math.inf, math.inf)


def test_blocks_needed_counts_on_and_gives_up() -> None:
    """A steady majority needs some more blocks; an even split never gets there."""
    more = blocks_needed(11, 12, math.log(2400))
    assert more is not None
    assert 3 <= more <= 15
    assert blocks_needed(6, 12, math.log(2400)) is None
