"""`benchsuite optimize distill`: a student that learns from a teacher, beside the same student without one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchsuite.commands.recipes import (
    TrainingAsked,
    find_weights,
    follow_recipe,
    open_ground,
    output_problems,
    recipe_of,
    training_of,
)
from benchsuite.optimize.following import recipe_folder
from benchsuite.optimize.scoring import ScoredWeights, WeightsBench
from benchsuite.optimize.training import class_difference
from benchsuite.report.lightening import scores_table
from benchsuite.terms.absence import Absent
from benchsuite.terms.errors import ModelError, raise_all
from benchsuite.terms.quantities import signed
from benchsuite.terms.said import Sentence, said

_TEACHER, _STUDENT, _ALONE, _TAUGHT = "teacher", "student", "alone", "taught"


@dataclass(frozen=True)
class DistillAsked:
    """Who learns from whom; without `compare` the student is not trained alone, and no gain is told."""

    teacher: str
    student: str
    weight: float
    compare: bool

    def problems(self) -> Iterator[str]:
        """Say what is wrong with them, each in a sentence."""
        if not 0 < self.weight < 1000:
            yield f"--dis {self.weight:g}: give the weight of the teacher in the loss, above 0; Ultralytics has 6."


def run_distill(distill: DistillAsked, asked: TrainingAsked, output: Path, say: Callable[[str], None]) -> int:
    """Train the student with and without its teacher, print both beside each other, and return the exit code."""
    problems = [*distill.problems(), *asked.problems(), *output_problems(output)]
    if not asked.epochs:
        problems.append("--epochs 0: nothing is learned without training; give 1 or more.")
    raise_all(problems)
    ground = open_ground(distill.student, asked, output, "--student")
    teacher = find_weights(distill.teacher, ground, output, "--teacher")
    options = ground.options(asked.imgsz)
    check_teacher(
        WeightsBench({_TEACHER: teacher, _STUDENT: ground.weights}, options, recipe_folder(output), say), distill
    )
    files = {_ALONE: output.with_name(f"{output.stem}-alone.pt")} if distill.compare else {}
    files[_TAUGHT] = output
    for name, file in files.items():
        say(f"{name}: {file}")
        settings = {"dis": distill.weight} if name == _TAUGHT else {}
        training = training_of(asked, ground, teacher if name == _TAUGHT else None, settings)
        follow_recipe(recipe_of(ground, asked.imgsz, training=training), ground, file, say)
    first = {} if distill.compare else {_STUDENT: ground.weights}
    weights = {**first, **files, _TEACHER: teacher, _STUDENT: ground.weights}
    scores = WeightsBench(weights, options, recipe_folder(output), say).score()
    for line in scores_table(scores):
        say(line)
    if distill.compare:
        say(_gain(next(it for it in scores if it.name == _TAUGHT)))
    say(said("Recipe: {1}", recipe_folder(output)))
    return 0


def check_teacher(bench: WeightsBench, asked: DistillAsked) -> None:
    """Raise ModelError for a teacher of other classes, or one that finds no more than its student."""
    teacher, student = bench.score()
    problem = class_difference(student.classes, teacher.classes)
    if problem:
        raise ModelError(f"--teacher {asked.teacher}: its classes are not the student's: {problem}.")
    if isinstance(teacher.accuracy, Absent):
        raise ModelError(f"--teacher {asked.teacher}: it cannot be scored on the data: {teacher.accuracy.reason}.")
    if isinstance(student.accuracy, Absent):
        # One that never learned anything.
        return
    one, other = teacher.accuracy.map50_95, student.accuracy.map50_95
    if one <= other:
        raise ModelError(
            f"--teacher {asked.teacher}: it reaches mAP50-95 {one:.3f} on the data, and the student has {other:.3f} "
            "already; name a better one."
        )


def _gain(taught: ScoredWeights) -> Sentence:
    loss = taught.loss
    if isinstance(loss, Absent):
        return said("What the teacher gains is not known: {1}", loss.reason)
    low, high = (signed(-bound) for bound in reversed(loss.ci95))
    return said(
        "The teacher gains {1} points of mAP50-95 ({2} to {3}, 95 % over images) against the same training without it; "
        "another seed would add a scatter of its own.",
        signed(-loss.points),
        low,
        high,
    )
