"""A loss of mAP is quoted with what the same images, drawn again and again, say of it."""

from __future__ import annotations

import numpy as np
import pytest

from benchsuite.data.labels import Labels
from benchsuite.detect.accuracy import Matches, map50_95, outcomes
from benchsuite.detect.bootstrap import MapReference, _by_class, _score, _widening, unseen_loss
from benchsuite.detect.detections import Detections


def image(found: bool, score: float = 0.9) -> tuple[Detections, Labels]:
    """Build one image with one label, which was found exactly or missed."""
    box = np.array([[10, 10, 50, 50]], np.float32)
    boxes = box if found else box + 200
    return Detections(boxes, np.array([score], np.float32), np.array([0])), Labels(np.array([0]), box)


def matched(found: list[bool]) -> tuple[Matches, ...]:
    """Match one image for each flag."""
    images = [image(flag) for flag in found]
    return outcomes([it[0] for it in images], [it[1] for it in images])


@pytest.mark.parametrize(("images", "most"), [(2, 84.19), (20, 16.84), (368, 1.0), (5000, 0.074)])
def test_equal_outcomes_leave_open_what_so_few_labels_cannot_show(images: int, most: float) -> None:
    """No difference on n labels is the exact 95 % interval of a share of which none was seen: 1 − 0.025^(1/n)."""
    same = matched([True] * images)
    loss = MapReference(same).loss(same)
    assert loss.points == 0
    assert loss.ci95 == (pytest.approx(-most, rel=5e-3), pytest.approx(most, rel=5e-3))


def test_a_crowd_on_two_images_is_not_many_images() -> None:
    """An image counts for its labels, ten at most; images without a label show nothing."""
    assert unseen_loss([300, 300]) == unseen_loss([10, 10]) == pytest.approx(16.84, abs=0.01)
    assert unseen_loss([4, 3, 0]) == pytest.approx(100 * (1 - 0.025 ** (1 / 7)))
    assert unseen_loss([0, 0]) == 100.0


def test_one_difference_is_not_less_open_than_none() -> None:
    """A loss of which resamples hardly scatter keeps at least the interval of outcomes that are equal."""
    reference, candidate = matched([True] * 40), matched([True] * 39 + [False])
    loss = MapReference(reference).loss(candidate)
    assert loss.points > 1
    assert loss.ci95[0] <= loss.points - unseen_loss([1] * 40)
    assert loss.ci95[1] >= loss.points + unseen_loss([1] * 40)


def test_a_loss_has_an_interval_around_it() -> None:
    """Missing one box in ten costs about ten points, and so few images leave it open how many."""
    reference, candidate = matched([True] * 20), matched([True] * 18 + [False] * 2)
    loss = MapReference(reference).loss(candidate)
    assert loss.points == pytest.approx(10)
    low, high = loss.ci95
    assert -10 < low < loss.points < high < 60


def test_few_images_widen_the_interval() -> None:
    """Student's t over the normal quantile, and the spread of n over n - 1: eight images cost 29 %."""
    assert _widening(8) == pytest.approx(2.3646 / 1.96 * (8 / 7) ** 0.5, rel=1e-3)
    assert _widening(5000) == pytest.approx(1, abs=1e-3)


def test_interval_is_widened_around_the_estimate() -> None:
    """The ends of the resamples stand further out by what few images make them too near."""
    reference, candidate = matched([True] * 8), matched([True] * 6 + [False] * 2)
    held = MapReference(reference)
    held._unseen = 0.0
    low, high = held.loss(candidate).ci95
    held._widening = 1.0
    plain_low, plain_high = held.loss(candidate).ci95
    assert low - 25 == pytest.approx((plain_low - 25) * _widening(8))
    assert high - 25 == pytest.approx((plain_high - 25) * _widening(8))


def test_one_image_says_nothing() -> None:
    """A loss on a single image may be any."""
    one = matched([True])
    assert MapReference(one).loss(one).ci95 == (-100.0, 100.0)


def test_resample_scores_as_its_images_would() -> None:
    """Counting an image twice gives exactly the score of a list in which it stands twice, ties of scores included."""
    rng = np.random.default_rng(3)
    images = [image(bool(rng.integers(2)), float(rng.choice([0.5, 0.7, 0.9]))) for _ in range(12)]
    outcome = outcomes([it[0] for it in images], [it[1] for it in images])
    for _ in range(20):
        draw = np.sort(rng.integers(12, size=12))
        counted = _score(_by_class(outcome), np.bincount(draw, minlength=12))
        assert counted == pytest.approx(map50_95([outcome[index] for index in draw]), abs=1e-12)


def test_score_counts_images_as_often_as_they_stand_there() -> None:
    """A resample that holds a missed image twice scores as two missed images would."""
    one = matched([True, False])
    assert map50_95([one[0], one[1], one[1]]) == map50_95(matched([True, False, False]))
