"""`benchsuite optimize prune`: cut, train, and say what came of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

from benchsuite.artifacts.digests import calibration_of
from benchsuite.backends.offers import recorded_packages
from benchsuite.data.dataset import calibration_images, load_dataset
from benchsuite.data.shapes import ShapesSpec, shapes_data
from benchsuite.machine.facts import read_machine
from benchsuite.machine.files import cache_root
from benchsuite.networks.weights import fetch, file_sha256, resolve
from benchsuite.optimize.cutting import CutPlan, WidthKind
from benchsuite.optimize.pruning import IMPORTANCES, Importance
from benchsuite.optimize.recipe import PruneRecipe, follow, recipe_folder
from benchsuite.optimize.scoring import ScoredWeights, score
from benchsuite.optimize.training import Training
from benchsuite.optimize.widths import YAML_MULTIPLE
from benchsuite.report.terminal import aligned
from benchsuite.report.time_left import TimeLeft
from benchsuite.terms.absence import Absent, shown
from benchsuite.terms.errors import UsageError, raise_all
from benchsuite.terms.quantities import megabytes, signed

# Batch norms know a network's activations after a few dozen images.
_RENEWED_ON = 40
_TOOLS = ("benchsuite", "torch", "torch-pruning", "ultralytics")
_WITH_AVX512, _WITHOUT = 16, 8
_MOST_ROUNDED = 64
# Drawn at half the side, with shapes of every size that the whole ones hold.
_DRAWN_TRAIN = 6000
_COLUMNS = ("", "M params", "GFLOPs", "file MB", "mAP", "points lost")
_WIDTHS = (24, 10, 9, 10, 8, 19)


@dataclass(frozen=True)
class PruneAsked:
    """What the command was given."""

    output: Path
    ratio: float
    model: str
    data: Path | None
    importance: str
    round_to: str
    widths: str
    epochs: int
    imgsz: int
    batch: int
    lr0: float
    seed: int
    settings: tuple[str, ...]


def run_prune(asked: PruneAsked, say: Callable[[str], None]) -> int:
    """Make the weights that were asked for, print what they are worth, and return the exit code."""
    root, machine = cache_root(), read_machine(recorded_packages())
    plan = _plan(asked, machine.isa)
    settings = _settings(asked.settings)
    (ref,) = resolve([asked.model], root)
    data = asked.data or shapes_data(root / "data", ShapesSpec(train=_DRAWN_TRAIN))
    dataset = load_dataset(data.absolute())
    if "train" not in dataset.splits:
        raise UsageError(f"--data {data}: it names no train split to train on after the cut; add a line 'train:'.")
    weights = fetch(ref, root, recipe_folder(asked.output) / "log.txt")
    images = calibration_images(dataset, _RENEWED_ON)
    training: Training | Absent = Absent("no training was asked for: --epochs 0")
    if asked.epochs:
        training = Training(
            str(data.absolute()), asked.imgsz, asked.epochs, asked.batch, asked.lr0, asked.seed, settings=settings
        )
    recipe = PruneRecipe(
        weights=weights.name,
        weights_sha256=file_sha256(weights),
        plan=plan,
        imgsz=asked.imgsz,
        images_sha256=calibration_of(images, "").images_sha256,
        training=training,
        tools={name: machine.packages[name] for name in _TOOLS if name in machine.packages},
    )
    left = TimeLeft()
    progress = follow(recipe, weights, images, asked.output.absolute(), root, lambda *told: say(left.line(*told)))
    say(f"{asked.output}: raw outputs agree with the whole network's to {shown(progress.apart, '{:.1g}'.format)}")
    options = {"imgsz": str(asked.imgsz), "data": str(data.absolute())}
    names = {"whole": weights, "cut": recipe_folder(asked.output) / "cut.pt", asked.output.stem: asked.output}
    for line in _table(score(names, options, say)):
        say(line)
    say(f"Recipe: {recipe_folder(asked.output)}")
    return 0


def _plan(asked: PruneAsked, isa: Sequence[str]) -> CutPlan:
    problems = []
    if not 0 < asked.ratio < 1:
        problems.append(f"--ratio {asked.ratio:g}: give the share of channels to cut, between 0 and 1, as 0.2.")
    if asked.importance not in IMPORTANCES:
        problems.append(f"--importance {asked.importance}: give one of {', '.join(IMPORTANCES)}.")
    if asked.widths not in get_args(WidthKind):
        problems.append(f"--widths {asked.widths}: give one of {', '.join(get_args(WidthKind))}.")
    if asked.output.suffix != ".pt":
        problems.append(f"-o {asked.output}: give a file that ends in .pt.")
    if asked.imgsz < 32 or asked.imgsz % 32:
        problems.append(f"--imgsz {asked.imgsz}: give a multiple of 32.")
    if not (math.isfinite(asked.lr0) and 0 < asked.lr0 <= 1):
        problems.append(f"--lr0 {asked.lr0:g}: give a learning rate above 0, at most 1.")
    multiple = _WITH_AVX512 if "avx512f" in isa else _WITHOUT
    if asked.round_to != "auto":
        multiple = int(asked.round_to) if asked.round_to.isdecimal() else 0
        if not 1 <= multiple <= _MOST_ROUNDED:
            problems.append(f"--round {asked.round_to}: give auto, or a number from 1 to {_MOST_ROUNDED}.")
        elif asked.widths == "yaml" and multiple % YAML_MULTIPLE:
            problems.append(f"--round {asked.round_to}: widths of a yaml are multiples of {YAML_MULTIPLE}; give one.")
    raise_all(problems)
    return CutPlan(asked.ratio, multiple, cast("Importance", asked.importance), cast("WidthKind", asked.widths))


def _settings(texts: Sequence[str]) -> dict[str, float]:
    found = {}
    for text in texts:
        name, _, number = text.partition("=")
        try:
            found[name] = float(number)
        except ValueError:
            raise UsageError(
                f"--setting {text}: give an argument of Ultralytics' trainer and its number, as mosaic=0."
            ) from None
    return found


def _table(rows: Sequence[ScoredWeights]) -> list[str]:
    lines = [aligned(_COLUMNS, _WIDTHS)]
    for row in rows:
        cells = (
            row.name,
            f"{row.complexity.params / 1e6:.2f}",
            f"{row.complexity.gflops:.2f}",
            megabytes(row.file_bytes),
            shown(row.accuracy, lambda it: f"{it.map50_95:.3f}"),
            shown(row.loss, lambda it: f"{signed(it.points, 1)} ({signed(it.ci95[0], 1)} to {signed(it.ci95[1], 1)})"),
        )
        lines.append(aligned(cells, _WIDTHS))
    return lines
