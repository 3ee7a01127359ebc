"""`benchsuite lighten`: the fastest artifact of a detector that keeps its accuracy, and what made it."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from benchsuite.commands.pruning import PRUNES, CutAsked, read_ratios
from benchsuite.commands.recipes import (
    Ground,
    TrainingAsked,
    follow_recipe,
    missing_extra,
    one_of,
    open_ground,
    recipe_of,
    training_of,
)
from benchsuite.machine.files import write_whole
from benchsuite.machine.json_files import write_json
from benchsuite.measure.effort import EFFORTS
from benchsuite.networks.names import names_of
from benchsuite.networks.weights import file_sha256
from benchsuite.optimize.candidate_bench import CandidateBench
from benchsuite.optimize.candidates import LATENCY_GOALS, Goal, LightenPlan, Lightest, TrainedRatio
from benchsuite.optimize.lightening import Lightening
from benchsuite.optimize.recipe import NO_TRAINING
from benchsuite.optimize.training import Training
from benchsuite.optimize.trials import Trials
from benchsuite.options import texts
from benchsuite.report.lightest import lightest_view
from benchsuite.report.page import PAGE_FILE, SUMMARY_FILE, study_page
from benchsuite.report.study import markdown, terminal_lines
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import slug
from benchsuite.terms.errors import UsageError, raise_all
from benchsuite.terms.language import languages

LIGHTEN_FILE = "lighten.json"
_CUT = CutAsked("l1", "auto", "free")


@dataclass(frozen=True)
class LightenAsked:
    """The options of the search, as they were given."""

    weights: str
    goal: str
    max_map_drop: float
    budget: str
    train_budget: str
    sizes: str
    ratios: str
    effort: str
    lang: str

    def problems(self) -> Iterator[str]:
        """Say what is wrong with them, each in a sentence."""
        yield from one_of("--lang", self.lang, languages())
        yield from one_of("--effort", self.effort, tuple(EFFORTS))
        if self.max_map_drop < 0:
            yield f"--max-map-drop {self.max_map_drop:g}: give the points of mAP50-95 that may be lost, 0 or more."


def run_lighten(asked: LightenAsked, training: TrainingAsked, folder: Path, say: Callable[[str], None]) -> int:
    """Search, write the page, print the answer, and return the exit code: 0 where the goal is met."""
    raise_all([*missing_extra("optuna", "Optuna"), *missing_extra(*PRUNES), *asked.problems(), *training.problems()])
    goal, sizes = _goal(asked.goal), _sizes(asked.sizes, training.imgsz)
    budget_s, train_budget_s = _time("--budget", asked.budget), _time("--train-budget", asked.train_budget)
    ratios = read_ratios(asked.ratios) if train_budget_s else ()
    ground = open_ground(asked.weights, training, folder / "given", "WEIGHTS", trains=train_budget_s > 0)
    (name,) = names_of([asked.weights])
    plan = LightenPlan(
        name=slug(name),
        weights=ground.weights,
        data=str(ground.data) if training.data is not None else "",
        sizes=sizes,
        goal=goal,
        max_map_drop=asked.max_map_drop,
        budget_s=budget_s,
        train_budget_s=train_budget_s,
        ratios=ratios,
        epochs=training.epochs,
        train_images=len(ground.dataset.splits["train"]) if "train" in ground.dataset.splits else 0,
        effort=asked.effort,
    )
    digest = file_sha256(ground.weights)
    question = (
        f"{ground.weights.name} ({digest[:12]}) on {ground.data.name} at {', '.join(map(str, sizes))} px with goal "
        f"{goal.text or 'none'}, {asked.max_map_drop:g} points, effort {asked.effort}"
    )
    trials = Trials(folder, question)
    recipes = _Recipes(ground, training, folder, plan.name, say)
    bench = CandidateBench(plan, trials, folder, say)
    search = Lightening(plan, bench, trials, recipes.prune, say)
    answer = search.search()
    found = Lightest(
        command=shlex.join(["benchsuite", *sys.argv[1:]]),
        finished=time.strftime("%Y-%m-%d %H:%M"),
        machine=ground.machine,
        effort=asked.effort,
        data=ground.data.name,
        images=len(ground.dataset.splits["val"]),
        weights=ground.weights.name,
        weights_sha256=digest,
        goal=goal,
        max_map_drop=asked.max_map_drop,
        original=bench.original.id,
        scored=tuple(bench.scored.values()),
        rounds=tuple(bench.rounds),
        trained=tuple(search.trained),
        left_out=tuple(bench.left_out),
        answer=answer,
    )
    write_json(folder / LIGHTEN_FILE, found)
    view = lightest_view(found, _made_by(found, asked, training))
    write_whole(folder / PAGE_FILE, study_page(view, ground.machine, asked.lang))
    write_whole(folder / SUMMARY_FILE, markdown(view, asked.lang))
    for line in terminal_lines(view):
        say(line)
    say(f"Report: {folder / PAGE_FILE}")
    return 0 if found.meets else 1


class _Recipes:
    """Makes pruned weights: cut alone, or trained under the weights as given as the teacher."""

    def __init__(
        self, ground: Ground, asked: TrainingAsked, folder: Path, name: str, say: Callable[[str], None]
    ) -> None:
        self._ground = ground
        self._asked = asked
        self._folder = folder
        self._name = name
        self._say = say

    def prune(self, ratio: float, epochs: int, imgsz: int) -> tuple[Path, float]:
        """Return weights that lack a share of the channels, and how long training them at that size took in s."""
        ground = self._ground
        training: Training | Absent = NO_TRAINING
        if epochs:
            training = training_of(replace(self._asked, epochs=epochs, imgsz=imgsz), ground, ground.weights)
        output = (self._folder / f"{self._name}_p{100 * ratio:.0f}{'' if epochs else '_untrained'}.pt").absolute()
        recipe = recipe_of(ground, imgsz, cut=_CUT.plan(ratio, ground.machine.isa), training=training)
        return output, follow_recipe(recipe, ground, output, self._say).train_s


def _goal(text: str) -> Goal:
    if not text:
        return Goal()
    try:
        ((percentile, limit_ns),) = texts.latency_limits(text.replace("<=", "=")).items()
    except ValueError:
        raise UsageError(f"--goal {text}: give one of {', '.join(LATENCY_GOALS)} and a time, as p95<=30ms.") from None
    return Goal(percentile, limit_ns)


def _sizes(text: str, first: int) -> tuple[int, ...]:
    """Return the size that the weights are held at, and smaller ones: three quarters and a half unless named."""
    if not text:
        return tuple(dict.fromkeys((first, *(side // 32 * 32 for side in (first * 3 // 4, first // 2) if side >= 32))))
    try:
        sizes = [int(word) for word in text.split(",")]
    except ValueError:
        sizes = []
    if not sizes or any(size < 32 or size % 32 or size >= first for size in sizes):
        raise UsageError(f"--smaller {text}: give multiples of 32 below --imgsz {first}, as 480,320.")
    return (first, *sorted(set(sizes), reverse=True))


def _time(flag: str, text: str) -> float:
    if text in ("", "0"):
        return 0.0
    try:
        return texts.seconds(text.replace("h", "")) * 3600 if text.endswith("h") else texts.seconds(text)
    except ValueError as error:
        raise UsageError(f"{flag} {text}: {error}, or 2h.") from None


def _made_by(found: Lightest, asked: LightenAsked, training: TrainingAsked) -> tuple[str, ...]:
    """Return the commands that make the answer again."""
    if not found.answer:
        return ()
    scored = found.scored_as(found.answer)
    commands, weights = [], asked.weights
    data = [] if training.data is None else ["--data", str(training.data)]
    pruned = next((it for it in found.trained if it.ratio == scored.ratio), None) if scored.ratio else None
    if pruned is not None:
        weights = Path(pruned.file).name
        commands.append(_prune_command(pruned, asked, training, weights))
    words = ["pytest", "bench/", "--model", weights, "--backend", scored.case.backend]
    words += ["--precision", scored.case.precision, "--imgsz", str(scored.case.imgsz), *data]
    if scored.case.scheme:
        words += ["--quant-scheme", scored.case.scheme]
    return (*commands, shlex.join(words))


def _prune_command(pruned: TrainedRatio, asked: LightenAsked, training: TrainingAsked, output: str) -> str:
    data = [] if training.data is None else ["--data", str(training.data)]
    settings = [word for text in training.settings for word in ("--setting", text)]
    return shlex.join([
        "benchsuite", "optimize", "prune", "--model", asked.weights, *data, "--ratio", f"{pruned.ratio:g}",
        "--teacher", asked.weights, "--epochs", str(pruned.epochs), "--imgsz", str(pruned.imgsz), "--batch",
        str(training.batch), "--lr0", f"{training.lr0:g}", "--seed", str(training.seed), *settings, "-o", output,
    ])  # fmt: skip
