"""What launches tell of rows against each other; every figure was computed by hand or by SciPy's own functions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from benchsuite.measure.ranking import BETWEEN_SESSIONS, Ranking, level_interval, levels

SLOWER = math.log(1.25)
# Half of the width that they have at 95 %.
OF_SESSIONS = stats.norm.ppf(0.975) * BETWEEN_SESSIONS


def test_two_rows_have_student_s_interval_over_launches() -> None:
    """The ratio is the mean of the launches' differences; a paired t test's interval, and what sessions add to it."""
    one, other = np.array([0.00, 0.02, 0.01, -0.01]), np.array([0.20, 0.25, 0.19, 0.21])
    found = Ranking({"one": one, "other": other}).ratio("other", to="one")
    tested = stats.ttest_rel(other, one).confidence_interval(0.95)
    mean, half = np.mean(other - one), math.hypot((tested.high - tested.low) / 2, OF_SESSIONS)
    assert found.times == pytest.approx(math.exp(mean))
    assert (found.low, found.high) == pytest.approx((math.exp(mean - half), math.exp(mean + half)))


def test_launches_that_all_agree_leave_what_differs_between_sessions() -> None:
    """However steady an hour is, two rows that lie within two per cent of each other are not told apart."""
    rows = {"one": [0.0] * 12, "near": [0.02] * 12, "far": [0.1] * 12}
    ranking = Ranking(rows)
    found = ranking.ratio("near", to="one")
    assert (found.low, found.high) == pytest.approx((math.exp(0.02 - OF_SESSIONS), math.exp(0.02 + OF_SESSIONS)))
    assert not ranking.proved_faster("one", "near")
    assert ranking.proved_faster("one", "far")


def test_a_row_s_ratio_to_itself_is_one() -> None:
    """Nothing is uncertain about it."""
    found = Ranking({"one": [0.0, 0.3], "other": [1.0, 1.1]}).ratio("one", to="one")
    assert (found.times, found.low, found.high) == (1.0, 1.0, 1.0)


def test_four_rows_tell_how_much_launches_scatter() -> None:
    """A pair that happens to agree in every launch is as uncertain as the median pair, with four times the launches."""
    rng = np.random.default_rng(3)
    rows = {name: rng.normal(0, 0.02, 5) for name in "abc"} | {"d": np.zeros(5)}
    rows["e"] = rows["d"] + 0.001
    pairs = [(one, other) for one in rows for other in rows if one < other]
    usual = np.median([np.var(rows[one] - rows[other], ddof=1) for one, other in pairs])
    half = math.hypot(stats.t.ppf(0.975, 4 * 4) * math.sqrt(usual / 5), OF_SESSIONS)
    found = Ranking(rows).ratio("e", to="d")
    assert (math.log(found.low), math.log(found.high)) == pytest.approx((0.001 - half, 0.001 + half))


def test_places_are_those_that_are_proved() -> None:
    """Rows that launches do not tell apart share places; one that they do is before or behind them."""
    scatter = [0.004, -0.004, 0.001, -0.001, 0.003, -0.003]
    rows = {
        "fast": scatter,
        "same": [0.001 - away for away in scatter],
        "slow": [SLOWER + away / 2 for away in scatter],
    }
    ranking = Ranking(rows)
    assert ranking.places(["fast", "same", "slow"]) == {"fast": (1, 2), "same": (1, 2), "slow": (3, 3)}
    assert ranking.places(["same", "slow"]) == {"same": (1, 1), "slow": (2, 2)}
    assert ranking.by_time(["slow", "fast"]) == ["fast", "slow"]
    assert ranking.proved_faster("fast", "slow")
    assert not ranking.proved_faster("slow", "fast")
    assert not ranking.proved_faster("fast", "same")


def test_all_pairs_together_are_held_to_one_in_a_hundred() -> None:
    """The more rows there are, the larger a difference must be: Bonferroni over all pairs."""
    one, other = [0.0] * 5, [0.055] * 5
    p_value = 2 * stats.norm.sf(0.055 / BETWEEN_SESSIONS)
    assert 0.01 / 3 < p_value < 0.01
    assert Ranking({"one": one, "other": other}).proved_faster("one", "other")
    assert not Ranking({"one": one, "other": other, "third": [1.0, 1.1, 0.9, 1.0, 1.0]}).proved_faster("one", "other")


def test_what_a_round_does_to_all_is_taken_out() -> None:
    """A machine that slows down in some rounds moves no row against another, be a reading missing or not."""
    rounds = np.array([0.0, 0.5, 0.1, 0.0])
    readings = np.array([[0.0], [0.2], [0.7]]) + rounds
    readings[1, 1] = np.nan
    found = levels(readings)
    assert found - found[0] == pytest.approx([0.0, 0.2, 0.7])
    assert found[0] == pytest.approx(np.median(rounds))


def test_a_burst_moves_no_row() -> None:
    """One reading of four that is ten times as long does not count."""
    readings = np.zeros((3, 4)) + np.array([[0.0], [0.2], [0.7]])
    readings[0, 2] += 2.3
    found = levels(readings)
    assert found - found[0] == pytest.approx([0.0, 0.2, 0.7])


def test_a_row_without_readings_has_no_level() -> None:
    """What was never read is unknown, and the others are told without it."""
    found = levels(np.array([[1.0, 1.1], [np.nan, np.nan], [2.0, 2.1]]))
    assert np.isnan(found[1])
    assert found[2] - found[0] == pytest.approx(1.0)


def test_interval_of_a_time_is_over_launches() -> None:
    """It is Student's over the logarithms of the launches' medians."""
    medians = [10.0, 11.0, 10.5]
    low, high = level_interval(medians)
    expected = stats.t.interval(0.95, 2, np.mean(np.log(medians)), stats.sem(np.log(medians)))
    assert (math.log(low), math.log(high)) == pytest.approx(expected)
