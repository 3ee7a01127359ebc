"""An artifact is evaluated once, and again where anything that decides its accuracy has changed or was damaged."""

from __future__ import annotations

import errno
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
from benchsuite.machine.nvml import Gpu
from benchsuite.measure import accuracy as evaluations
from benchsuite.measure.accuracy import Evaluation, EvaluationData, class_mismatch, evaluate_once, kept_evaluations
from benchsuite.measure.launch import Launch
from benchsuite.terms.absence import NOT_SELECTED, Absent
from benchsuite.terms.errors import SessionError
from benchsuite.testing import make_accuracy, make_case, make_machine, make_recipe

GPU = Gpu("A", "GPU-1", 24 << 30)
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
    evaluate(tmp_path, worker, ("ring", "disc"), data=replace(DATA, names=("ring", "disc")))
    assert worker.asked == [True, True]


def test_unusable_labels_cost_accuracy_alone(tmp_path: Path, worker: FakeWorker) -> None:
    """Detections are there for parity, accuracy is absent with the reason; nothing is asked for twice."""
    for _ in range(2):
        found = evaluate(tmp_path, worker, data=replace(DATA, unusable="labels 'a.txt', line 3: …"))
        assert found.accuracy == Absent("labels 'a.txt', line 3: …")
        assert len(found.detections) == 1
    assert worker.asked == [False]


def test_kept_accuracy_of_names_that_disagree_is_not_shown(tmp_path: Path, worker: FakeWorker) -> None:
    """The same artifact under a model with other names is not scored, and scored where they agree again."""
    assert evaluate(tmp_path, worker).accuracy == make_accuracy()
    other = evaluate(tmp_path, worker, ("star", "disc")).accuracy
    assert isinstance(other, Absent)
    assert "another order" in other.reason
    assert worker.asked == [True]


@pytest.mark.parametrize(
    ("model", "data", "sentence"),
    [
        ("cat,dog,car", "cat,car,dog", "class 1 is dog to the model and car in the data, which names the same cl"),
        ("person,car,cat", "person,bus,cat", "class 1 is car to the model and bus in the data: name the data"),
        ("cat,dog", "Katze,Hund", "class 0 is cat to the model and Katze in the data, and no other name agrees either"),
        ("person", "person,car", "the model knows 1 classes and the data has 2"),
        ("Dining Table,tv-monitor", "dining_table,TV monitor", ""),
        ("person,car", "0,1", ""),
        ("0,1", "person,car", ""),
        ("class_0,class_1", "person,car", ""),
    ],
)  # fmt: skip
def test_class_names_are_held_against_each_other(model: str, data: str, sentence: str) -> None:
    """The first class that differs is named; how names are written does not matter, and numbers say nothing."""
    why = class_mismatch(tuple(model.split(",")), tuple(data.split(",")))
    assert (why or "").startswith(sentence)
    assert (why is None) == (sentence == "")


def test_what_decides_detections_decides_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a GPU they are its, its driver's and cuDNN's; settings of postprocessing count by their values everywhere."""
    artifact = Artifact(make_recipe(), "files", "cd" * 32, 1)

    def key(device: str = "cuda:0", **machine: object) -> str:
        here = make_machine(**{"gpus": (GPU,), "gpu_driver": "570.1", **machine})
        return evaluations.evaluation_key(make_case(device=device), artifact, DATA, here)

    cudnn = {**make_machine().packages, "nvidia-cudnn-cu12": "9.9"}
    others = [key(gpus=(replace(GPU, name="B"),)), key(gpu_driver="580.2"), key(packages=cudnn)]
    assert len({key(), *others}) == 4
    assert key("cpu") == key("cpu", gpu_driver="580.2")
    before = key("cpu")
    monkeypatch.setattr(evaluations, "EVAL", replace(evaluations.EVAL, iou=0.65))
    assert key("cpu") != before


def test_accuracy_that_was_altered_by_hand_is_made_again(tmp_path: Path, worker: FakeWorker) -> None:
    """A better figure in a kept file does not pass: its digest is another's."""
    evaluate(tmp_path, worker)
    path = only_file(tmp_path, ".json")
    assert '"map50_95": 0.65' in path.read_text()
    path.write_text(path.read_text().replace('"map50_95": 0.65', '"map50_95": 0.999'))
    found = evaluate(tmp_path, worker)
    assert found.accuracy == make_accuracy()
    assert "its content was altered since it was kept; it is made again" in found.notes[0]


def test_detections_of_another_evaluation_are_made_again(tmp_path: Path, worker: FakeWorker) -> None:
    """A whole file of detections counts only where it is the one that was kept."""
    evaluate(tmp_path, worker)
    save_detections(only_file(tmp_path, ".npz"), [])
    (note,) = evaluate(tmp_path, worker).notes
    assert "its content is not what was recorded" in note
    assert worker.asked == [True, True]


def test_disk_that_reads_nothing_just_now_loses_no_evaluation(
    tmp_path: Path, worker: FakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that may pass is told, and the kept files stay as they are."""
    evaluate(tmp_path, worker)

    def refuse(_: int) -> os.stat_result:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("os.fstat", refuse)
        with pytest.raises(SessionError, match="Input/output error"):
            evaluate(tmp_path, worker)
    assert evaluate(tmp_path, worker).notes == ()
    assert worker.asked == [True]


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
