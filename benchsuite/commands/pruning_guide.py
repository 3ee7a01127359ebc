"""`benchsuite optimize prune --ratios`: what each share of pruned channels costs and gains for a model."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchsuite.commands.pruning import PRUNES, CutAsked
from benchsuite.commands.recipes import TrainingAsked, follow_recipe, missing_extra, open_ground, recipe_of, training_of
from benchsuite.machine.files import write_whole
from benchsuite.machine.json_files import write_json
from benchsuite.optimize.cutting import CutPlan
from benchsuite.optimize.following import CUT_FILE, recipe_folder
from benchsuite.optimize.guide import GUIDE_FILE, NOTHING_ALIKE, Guide, GuideRow
from benchsuite.optimize.recipe import NO_CUT, Progress
from benchsuite.optimize.scoring import WeightsBench
from benchsuite.report.lightening import guide_view
from benchsuite.report.page import PAGE_FILE, SUMMARY_FILE, study_page
from benchsuite.report.study import markdown, terminal_lines
from benchsuite.terms.absence import Absent
from benchsuite.terms.errors import raise_all
from benchsuite.terms.language import ENGLISH

_GIVEN = "whole"
_NOTHING_CUT = Absent("nothing is cut")


def run_guide(
    model: str,
    ratios: Sequence[float],
    cut: CutAsked,
    asked: TrainingAsked,
    folder: Path,
    timing: dict[str, str],
    say: Callable[[str], None],
) -> int:
    """Cut, train, score and time every share, write the page, print its tables, and return the exit code.

    `timing` are the options of a run that say which runtimes are timed and how long.
    """
    problems = [*missing_extra(*PRUNES), *cut.problems(), *asked.problems()]
    if folder.suffix:
        problems.append(f"-o {folder}: --ratios makes several weights; give a folder, as guide.")
    raise_all(problems)
    ground = open_ground(model, asked, folder / _GIVEN, trains=asked.epochs > 0)
    training = training_of(asked, ground) if asked.epochs else Absent("no training was asked for: --epochs 0")
    plans: dict[float, CutPlan | Absent] = {0.0: NO_CUT} if asked.epochs else {}
    plans |= {ratio: cut.plan(ratio, ground.machine.isa) for ratio in ratios}
    outputs = {ratio: (folder / f"{_slug(ratio)}.pt").absolute() for ratio in plans}
    done: dict[float, Progress] = {}
    for number, (ratio, plan) in enumerate(plans.items(), 1):
        say(f"{number} of {len(plans)}: {outputs[ratio].name}")
        recipe = recipe_of(ground, asked.imgsz, cut=plan, training=training)
        done[ratio] = follow_recipe(recipe, ground, outputs[ratio], say)
    weights = {_GIVEN: ground.weights}
    for ratio, output in outputs.items():
        weights[_slug(ratio)] = output
        if ratio and asked.epochs:
            weights[f"{_slug(ratio)}-untrained"] = recipe_folder(output) / CUT_FILE
    options = ground.options(asked.imgsz)
    scores = {it.name: it for it in WeightsBench(weights, options, folder, say).score()}
    by_cut = {}
    if 0.0 in outputs:
        # What was scored is kept; only what it is held against is another.
        alike = {_slug(ratio): output for ratio, output in outputs.items()}
        by_cut = {it.name: it.loss for it in WeightsBench(alike, options, folder, say).score()}
    timed = {name: path for name, path in weights.items() if not name.endswith("-untrained") and name != _slug(0.0)}
    times = WeightsBench(timed, {**options, **timing}, folder, say).time()
    guide = Guide(
        command=shlex.join(["benchsuite", *sys.argv[1:]]),
        finished=time.strftime("%Y-%m-%d %H:%M"),
        machine=ground.machine,
        effort=timing.get("effort", "standard"),
        data=ground.data.name,
        images=len(ground.dataset.splits["val"]),
        recipe=recipe_of(ground, asked.imgsz, training=training),
        given=scores[_GIVEN],
        given_artifacts=times[_GIVEN],
        rows=tuple(
            GuideRow(
                ratio,
                scores.get(f"{_slug(ratio)}-untrained", _NOTHING_CUT),
                scores[_slug(ratio)],
                times.get(_slug(ratio), ()),
                progress.train_s,
                by_cut.get(_slug(ratio), NOTHING_ALIKE) if ratio else NOTHING_ALIKE,
            )
            for ratio, progress in done.items()
        ),
    )
    write_json(folder / GUIDE_FILE, guide)
    view = guide_view(guide)
    write_whole(folder / PAGE_FILE, study_page(view, ground.machine, timing.get("lang", ENGLISH)))
    write_whole(folder / SUMMARY_FILE, markdown(view, timing.get("lang", ENGLISH)))
    for line in terminal_lines(view):
        say(line)
    say(f"Report: {folder / PAGE_FILE}")
    return 0


def _slug(ratio: float) -> str:
    return f"p{100 * ratio:g}".replace(".", "_")
