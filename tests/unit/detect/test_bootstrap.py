"""A loss of mAP is quoted with what the same images, drawn again and again, say of it."""

from __future__ import annotations

import numpy as np
import pytest

from benchsuite.data.labels import Labels
from benchsuite.detect.accuracy import Matches, map50_95, outcomes
from benchsuite.detect.bootstrap import MapReference
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


def test_the_same_detections_lose_nothing() -> None:
    """A network against itself loses exactly nothing on every resample."""
    same = matched([True, False] * 10)
    loss = MapReference(same).loss(same)
    assert loss.points == 0
    assert loss.ci95 == (0, 0)


def test_a_loss_has_an_interval_around_it() -> None:
    """Missing one box in ten costs about ten points, and so few images leave it open how many."""
    reference, candidate = matched([True] * 20), matched([True] * 18 + [False] * 2)
    loss = MapReference(reference).loss(candidate)
    assert loss.points == pytest.approx(10)
    low, high = loss.ci95
    assert 0 <= low < loss.points < high < 60


def test_score_counts_images_as_often_as_they_stand_there() -> None:
    """A resample that holds a missed image twice scores as two missed images would."""
    one = matched([True, False])
    assert map50_95([one[0], one[1], one[1]]) == map50_95(matched([True, False, False]))
