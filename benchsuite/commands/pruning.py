"""`benchsuite optimize prune`: cut channels, train, and say what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

from benchsuite.commands.recipes import (
    Ground,
    TrainingAsked,
    find_weights,
    follow_recipe,
    missing_extra,
    one_of,
    open_ground,
    output_problems,
    recipe_of,
    share,
    training_of,
)
from benchsuite.optimize.cutting import CutPlan, WidthKind
from benchsuite.optimize.following import CUT_FILE, recipe_folder
from benchsuite.optimize.pruning import IMPORTANCES, Importance
from benchsuite.optimize.recipe import NO_TRAINING
from benchsuite.optimize.scoring import WeightsBench
from benchsuite.optimize.training import Training
from benchsuite.optimize.widths import YAML_MULTIPLE
from benchsuite.optimize.zeros import ZeroPlan
from benchsuite.report.lightening import scores_table, times_lines
from benchsuite.terms.absence import Absent
from benchsuite.terms.errors import UsageError, raise_all
from benchsuite.terms.said import said

_WITH_AVX512, _WITHOUT = 16, 8
_MOST_ROUNDED = 64
# The module that cuts, and what it is installed by.
PRUNES = ("torch_pruning", "torch-pruning")


@dataclass(frozen=True)
class CutAsked:
    """The options of a cut, as they were given."""

    importance: str
    round_to: str
    widths: str

    def problems(self) -> Iterator[str]:
        """Say what is wrong with them, each in a sentence."""
        yield from one_of("--importance", self.importance, IMPORTANCES)
        yield from one_of("--widths", self.widths, get_args(WidthKind))
        if self.round_to == "auto":
            return
        multiple = int(self.round_to) if self.round_to.isdecimal() else 0
        if not 1 <= multiple <= _MOST_ROUNDED:
            yield f"--round {self.round_to}: give auto, or a number from 1 to {_MOST_ROUNDED}."
        elif self.widths == "yaml" and multiple % YAML_MULTIPLE:
            yield f"--round {self.round_to}: widths of a yaml are multiples of {YAML_MULTIPLE}; give one."

    def plan(self, ratio: float, isa: Sequence[str]) -> CutPlan:
        """Return the cut of a share of all channels for a CPU of these instructions."""
        multiple = _WITH_AVX512 if "avx512f" in isa else _WITHOUT
        if self.round_to != "auto":
            multiple = int(self.round_to)
        return CutPlan(ratio, multiple, cast("Importance", self.importance), cast("WidthKind", self.widths))


def run_prune(
    model: str,
    ratio: float,
    cut: CutAsked,
    asked: TrainingAsked,
    output: Path,
    timing: Mapping[str, str],
    say: Callable[[str], None],
    teacher: str = "",
) -> int:
    """Make the weights that were asked for, print what they are worth, and return the exit code.

    `timing` are the options of a run that say which runtimes are timed and how long.
    """
    raise_all(
        [
            *missing_extra(*PRUNES),
            *share("--ratio", ratio),
            *cut.problems(),
            *asked.problems(),
            *output_problems(output),
        ]
    )
    ground = open_ground(model, asked, output, trains=asked.epochs > 0)
    training: Training | Absent = Absent("no training was asked for: --epochs 0")
    if asked.epochs:
        training = training_of(asked, ground, find_weights(teacher, ground, output, "--teacher") if teacher else None)
    recipe = recipe_of(ground, asked.imgsz, cut=cut.plan(ratio, ground.machine.isa), training=training)
    progress = follow_recipe(recipe, ground, output, say)
    if not isinstance(progress.apart, Absent):
        say(said("{1}: raw outputs agree with the whole network's to {2}", output, f"{progress.apart:.1g}"))
    names = {"whole": ground.weights, "cut": recipe_folder(output) / CUT_FILE}
    if asked.epochs:
        names["trained"] = output
    _tell_worth(names, ground, asked, output, timing, say)
    return 0


def run_zero(
    model: str,
    ratio: float,
    asked: TrainingAsked,
    output: Path,
    timing: Mapping[str, str],
    say: Callable[[str], None],
) -> int:
    """Set single weights to zero, print what that changes, and return the exit code."""
    problems = [*share("--ratio", ratio), *asked.problems(), *output_problems(output)]
    if asked.epochs:
        problems.append(
            f"--epochs {asked.epochs}: training would fill the zeros of --unstructured again; leave it out, or leave "
            "out --unstructured."
        )
    raise_all(problems)
    ground = open_ground(model, asked, output, trains=False)
    recipe = recipe_of(ground, asked.imgsz, zeros=ZeroPlan(ratio), training=NO_TRAINING)
    follow_recipe(recipe, ground, output, say)
    _tell_worth({"whole": ground.weights, "zeroed": output}, ground, asked, output, timing, say)
    return 0


def _tell_worth(
    weights: Mapping[str, Path],
    ground: Ground,
    asked: TrainingAsked,
    output: Path,
    timing: Mapping[str, str],
    say: Callable[[str], None],
) -> None:
    """Print size and accuracy of all weights, and how long the first and the last take on each runtime."""
    folder, options = recipe_folder(output), ground.options(asked.imgsz)
    scores = WeightsBench(weights, options, folder, say).score()
    first, *_, last = weights
    ends = {name: weights[name] for name in (first, last)}
    times = WeightsBench(ends, {**options, **timing}, folder, say).time()
    for line in (*scores_table(scores), *times_lines(last, times[last])):
        say(line)
    say(said("Recipe: {1}", folder))


def read_ratios(text: str) -> tuple[float, ...]:
    """Return the shares that `--ratios` names, in order; raises UsageError."""
    try:
        ratios = tuple(sorted({float(word) for word in text.split(",")}))
    except ValueError:
        raise UsageError(f"--ratios {text}: give shares between 0 and 1, as 0.1,0.2,0.3.") from None
    raise_all([problem for ratio in ratios for problem in share("--ratios", ratio)])
    return ratios
