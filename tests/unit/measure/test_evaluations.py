"""An artifact is evaluated once, and again where anything that decides its accuracy has changed or was damaged."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from benchsuite.artifacts.recipe import Artifact
from benchsuite.detect.accuracy import Accuracy
from benchsuite.detect.detections import Detections, load_detections, save_detections
from benchsuite.measure.accuracy import Evaluation, EvaluationData, evaluate_once, kept_evaluations
from benchsuite.measure.launch import Launch
from benchsuite.terms.absence import NOT_SELECTED, Absent
from benchsuite.testing import make_accuracy, make_case, make_machine, make_recipe

DATA = EvaluationData(Path("data.yaml"), ("disc", "star"), (Path("a.jpg"),), "da" * 32)
FOUND = [Detections(np.array([[1, 2, 30, 40]], np.float32), np.array([0.9], np.float32), np.array([0]))]


class FakeWorker:
    """Detects the same in every image, scores what it is asked to score, and counts."""

    def __init__(self, accuracy: Accuracy | Absent) -> None:
        self.accuracy = accuracy
        self.asked: list[bool] = []

    def evaluate(
        self, images: Sequence[Path], data: Path, data_sha256: str, score: bool, path: Path, scored_path: Path
    ) -> Accuracy | Absent:
        """Write detections and answer the accuracy."""
        self.asked.append(score)
        save_detections(path, FOUND)
        save_detections(scored_path, FOUND * 2)
        return self.accuracy if score else NOT_SELECTED


@pytest.fixture
def worker() -> FakeWorker:
    """Give a worker that scores well."""
    return FakeWorker(make_accuracy())


def evaluate(
    root: Path, worker: FakeWorker, names: tuple[str, ...] = ("disc", "star"), data: EvaluationData = DATA
) -> Evaluation:
    """Evaluate one artifact whose model knows these classes."""
    artifact = Artifact(make_recipe(), "files", "cd" * 32, 1)
    return evaluate_once(make_case(), artifact, names, data, make_machine(), root, lambda: cast(Launch, worker))


def only_file(root: Path, ending: str) -> Path:
    """Return the one file of the cache that ends so."""
    (path,) = (path for path in (root / "evaluations").iterdir() if path.name[24:] == ending)
    return path


@pytest.mark.parametrize("accuracy", [make_accuracy(), Absent("none of the 1 evaluated images has a label")])
def test_second_evaluation_is_the_kept_one(tmp_path: Path, accuracy: Accuracy | Absent) -> None:
    """Accuracy or its absence, and the detections, come back as they were, without a worker; a used entry is young."""
    worker = FakeWorker(accuracy)
    first = evaluate(tmp_path, worker)
    os.utime(only_file(tmp_path, ".json"), (0, 0))
    os.utime(only_file(tmp_path, ".npz"), (0, 0))
    os.utime(only_file(tmp_path, "-scored.npz"), (0, 0))
    again = evaluate(tmp_path, worker)
    assert worker.asked == [True]
    assert (again.accuracy, again.notes) == (accuracy, ())
    assert first.accuracy == accuracy
    assert np.array_equal(again.detections[0].boxes, FOUND[0].boxes)
    assert len(load_detections(again.scored_file)) == 2
    (entry,) = kept_evaluations(tmp_path)
    assert entry.used_at > 0


def test_correcting_the_classes_of_the_data_scores_the_artifact(tmp_path: Path, worker: FakeWorker) -> None:
    """Data that names another number of classes cannot score; named right, the same images and labels can."""
    wrong = replace(DATA, names=("disc", "star", "ring"))
    for _ in range(2):
        unscored = evaluate(tmp_path, worker, data=wrong).accuracy
        assert isinstance(unscored, Absent)
        assert "the model knows 2 classes and the data has 3" in unscored.reason
    assert worker.asked == [False]
    assert evaluate(tmp_path, worker).accuracy == make_accuracy()
    assert worker.asked == [False, True]


def test_renamed_classes_are_scored_under_their_new_names(tmp_path: Path, worker: FakeWorker) -> None:
    """Accuracy by class carries names, so that it belongs to the names that it was made with."""
    evaluate(tmp_path, worker)
    evaluate(tmp_path, worker, data=replace(DATA, names=("star", "disc")))
    assert worker.asked == [True, True]


def test_other_columns_of_keypoints_are_scored_anew(tmp_path: Path, worker: FakeWorker) -> None:
    """What a line of a label file means hangs on them."""
    evaluate(tmp_path, worker)
    evaluate(tmp_path, worker, data=replace(DATA, keypoint_columns=51))
    assert worker.asked == [True, True]


@pytest.mark.parametrize("ending", [".json", ".npz", "-scored.npz"])
@pytest.mark.parametrize("content", [b"null", b"", b'{"images": 3}', b"PK\x03\x04"])
def test_damaged_evaluation_is_made_again_and_said(
    tmp_path: Path, worker: FakeWorker, ending: str, content: bytes
) -> None:
    """A kept file that holds something else costs one evaluation, and the note names it."""
    evaluate(tmp_path, worker)
    path = only_file(tmp_path, ending)
    path.write_bytes(content)
    found = evaluate(tmp_path, worker)
    assert found.accuracy == make_accuracy()
    (note,) = found.notes
    assert str(path) in note
    assert "made again" in note
    assert evaluate(tmp_path, worker).notes == ()
    assert worker.asked == [True, True]
