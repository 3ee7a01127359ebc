"""A teacher that can teach nothing is refused before hours go into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from benchsuite.commands.distilling import DistillAsked, check_teacher, run_distill
from benchsuite.commands.recipes import TrainingAsked
from benchsuite.measure.measurement import Complexity
from benchsuite.optimize.scoring import ScoredWeights, WeightsBench
from benchsuite.terms.absence import Absent
from benchsuite.terms.errors import ModelError, UsageError
from benchsuite.testing import make_accuracy

ASKED = DistillAsked("big.pt", "small.pt", 6.0, True)
TEACHER = ScoredWeights(
    "teacher", "", 1, Complexity(1, 1.0), make_accuracy(0.7), Absent("not held against"), ("cat", "dog")
)
STUDENT = replace(TEACHER, name="student", accuracy=make_accuracy(0.6))


class FakeBench:
    """Has scored what it is given."""

    def __init__(self, *scores: ScoredWeights) -> None:
        self._scores = scores

    def score(self) -> Sequence[ScoredWeights]:
        return self._scores


def check(teacher: ScoredWeights, student: ScoredWeights) -> None:
    check_teacher(cast("WeightsBench", FakeBench(teacher, student)), ASKED)


@pytest.mark.parametrize(
    ("teacher", "student", "sentence"),
    [
        (replace(TEACHER, classes=("cat",)), STUDENT, "it knows 2 classes, and 1 are asked for"),
        (replace(TEACHER, classes=("dog", "cat")), STUDENT, "its class 0 is 'cat', where 'dog' is asked for"),
        (replace(TEACHER, accuracy=make_accuracy(0.6)), STUDENT, "reaches mAP50-95 0.600 on the data, and the student"),
        (replace(TEACHER, accuracy=Absent("no labels")), STUDENT, "it cannot be scored on the data: no labels"),
    ],
)
def test_a_teacher_that_can_teach_nothing_is_refused(
    teacher: ScoredWeights, student: ScoredWeights, sentence: str
) -> None:
    """Ultralytics would train on for hours with any of them."""
    with pytest.raises(ModelError, match=r"^--teacher big\.pt: ") as refused:
        check(teacher, student)
    assert sentence in str(refused.value)


def test_a_better_teacher_is_taken_and_so_is_a_student_that_never_learned() -> None:
    """Random weights have no accuracy to be worse than."""
    check(TEACHER, STUDENT)
    check(TEACHER, replace(STUDENT, accuracy=Absent("its weights are random")))


@pytest.mark.parametrize(
    ("distill", "epochs", "output", "sentence"),
    [
        (ASKED, 0, "out.pt", "--epochs 0: nothing is learned without training; give 1 or more"),
        (replace(ASKED, weight=0.0), 1, "out.pt", "--dis 0: give the weight of the teacher in the loss, above 0"),
        (ASKED, 1, "out", "-o out: give a file that ends in .pt"),
        (replace(ASKED, student="nothing.pt"), 1, "out.pt", "--student nothing.pt: there is no such file"),
    ],
)
def test_options_that_mean_nothing_are_refused(
    distill: DistillAsked, epochs: int, output: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is one sentence before any work."""
    monkeypatch.chdir(tmp_path)
    training = TrainingAsked(tmp_path / "data.yaml", epochs, 320, 8, 0.001, 0, ())
    with pytest.raises(UsageError) as refused:
        run_distill(distill, training, Path(output), lambda _: None)
    assert sentence in str(refused.value)
    assert list(tmp_path.iterdir()) == []
