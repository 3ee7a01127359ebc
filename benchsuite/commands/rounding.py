"""`benchsuite optimize qat`: weights that learned under rounding, beside INT8 of the weights as given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchsuite.commands.recipes import (
    TrainingAsked,
    follow_recipe,
    missing_extra,
    open_ground,
    output_problems,
    recipe_of,
    training_of,
)
from benchsuite.optimize.following import recipe_folder
from benchsuite.optimize.rounded import ROUNDED_FOLDER
from benchsuite.optimize.scoring import WeightsBench
from benchsuite.report.lightening import scores_table
from benchsuite.terms.errors import raise_all
from benchsuite.terms.said import said

_EXPECT = (
    "Expect little of small networks: over INT8 without training, others measured 0.01 points of mAP50-95 for n, 2.98 "
    "for s and 4.41 for m in TensorRT."
)
_PLAIN, _ROUNDED, _OWN = "given", "qat", "qat-own"


def run_qat(model: str, asked: TrainingAsked, output: Path, say: Callable[[str], None]) -> int:
    """Train under rounding, print INT8 of both weights on ONNX Runtime, and return the exit code."""
    problems = [
        *missing_extra("modelopt", "nvidia-modelopt", "qat"),
        *missing_extra("huggingface_hub", "huggingface_hub", "qat"),
    ]
    problems += [*asked.problems(), *output_problems(output)]
    if not asked.epochs:
        problems.append("--epochs 0: nothing is learned without training; give 1 or more.")
    raise_all(problems)
    say(_EXPECT)
    ground = open_ground(model, asked, output)
    follow_recipe(
        recipe_of(ground, asked.imgsz, training=training_of(asked, ground, quantised=True)), ground, output, say
    )
    weights = {_PLAIN: ground.weights, _ROUNDED: output, _OWN: output}
    own = {_OWN: recipe_folder(output) / ROUNDED_FOLDER}
    bench = WeightsBench(weights, ground.options(asked.imgsz), recipe_folder(output), say)
    say(said("INT8 on ONNX Runtime, calibrated but for {1}, which has the ranges that were learned with:", _OWN))
    for line in scores_table(bench.score("onnx", "int8", own)):
        say(line)
    say(said("Recipe: {1}", recipe_folder(output)))
    return 0
