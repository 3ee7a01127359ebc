"""A loss is told from what was kept of two evaluations and from the labels of their images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchsuite.data.images import read_image
from benchsuite.data.truth import read_truth
from benchsuite.detect.detections import NOTHING_FOUND, Detections, save_detections
from benchsuite.measure.accuracy import Evaluation, EvaluationData, evaluation_data
from benchsuite.measure.accuracy_loss import Losses
from benchsuite.measure.measurement import AccuracyLoss
from benchsuite.terms.absence import Absent
from benchsuite.testing import draw_small_data, make_accuracy


@pytest.fixture
def data(tmp_path: Path) -> EvaluationData:
    """Give four small pictures."""
    return evaluation_data(draw_small_data(tmp_path), None)


def evaluation(data: EvaluationData, path: Path, blind_to: int = 0) -> Evaluation:
    """Keep an evaluation that finds exactly what is labelled, and nothing in so many of the pictures."""
    found = []
    for image in data.images[blind_to:]:
        height, width = read_image(image).shape[:2]
        labels = read_truth(image, data.names).labels.scaled(width, height)
        found.append(Detections(labels.boxes, np.full(len(labels.classes), 0.9, np.float32), labels.classes))
    save_detections(path, [*[NOTHING_FOUND] * blind_to, *found])
    return Evaluation((), make_accuracy(), path)


def test_loss_is_that_of_the_same_images(data: EvaluationData, tmp_path: Path) -> None:
    """Blindness to one picture of four costs points, sight of all costs none, and four leave either open."""
    losses, reference = Losses(data), evaluation(data, tmp_path / "reference.npz")
    same = losses.of(evaluation(data, tmp_path / "same.npz"), reference, "torch fp32")
    assert isinstance(same, AccuracyLoss)
    assert (same.points, same.images, same.reference) == (0.0, 4, "torch fp32")
    assert same.ci95[0] < -5 < 5 < same.ci95[1]
    itself = losses.of(reference, reference, "torch fp32")
    assert isinstance(itself, AccuracyLoss)
    assert itself.ci95 == (0.0, 0.0)
    blind = losses.of(evaluation(data, tmp_path / "blind.npz", blind_to=1), reference, "torch fp32", calibrated_on=3)
    assert isinstance(blind, AccuracyLoss)
    assert blind.ci95[0] < blind.points < blind.ci95[1]
    assert blind.points > 5
    assert blind.calibrated_on == 3


def test_loss_of_what_was_not_scored_has_its_reason(data: EvaluationData, tmp_path: Path) -> None:
    """Without an accuracy on either side there is nothing to lose."""
    kept = evaluation(data, tmp_path / "kept.npz")
    unscored = replace(kept, accuracy=Absent("the classes differ"))
    assert Losses(data).of(unscored, kept, "torch fp32") == Absent("the classes differ")
    assert Losses(data).of(kept, unscored, "torch fp32") == Absent("torch fp32 has no accuracy: the classes differ")
