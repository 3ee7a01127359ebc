"""A recipe for a lighter network: all that decides it, kept beside the weights so that a stopped one goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Literal

from benchsuite.machine.json_files import read_json, write_json
from benchsuite.machine.processes import Child, offline_environment
from benchsuite.optimize.cutting import CutPlan
from benchsuite.optimize.training import Training
from benchsuite.terms.absence import Absent
from benchsuite.terms.codec import to_builtins
from benchsuite.terms.errors import UsageError
from benchsuite.terms.numbers import Measure
from benchsuite.terms.said import joined

RECIPE_FILE = "recipe.json"
SCHEMA = 1
_CUT_DEADLINE_S = 3600.0
_LONGEST_TRAINING_S = 30 * 24 * 3600.0
_LOOK_EVERY_S = 1.0
_NOT_YET = Absent("it has not come that far")
_NO_TRAINING = Absent("no training was asked for: --epochs 0")


@dataclass(frozen=True)
class PruneRecipe:
    """What is cut, how, and what trains it afterwards; `images_sha256` is of the images that renew batch norms."""

    weights: str
    weights_sha256: str
    plan: CutPlan
    imgsz: int
    images_sha256: str
    training: Training | Absent
    tools: Mapping[str, str]


@dataclass(frozen=True)
class Progress:
    """A recipe and how far it has come; seconds are of wall clock, over all times that it was begun again."""

    recipe: PruneRecipe
    state: Literal["begun", "cut", "finished"] = "begun"
    apart: Measure | Absent = _NOT_YET
    cut_s: Measure | Absent = _NOT_YET
    train_s: Measure = 0.0
    schema: int = SCHEMA


def recipe_folder(output: Path) -> Path:
    """Return the folder that a recipe has beside its weights."""
    return output.with_suffix(".recipe")


def follow(
    recipe: PruneRecipe,
    weights: Path,
    images: tuple[Path, ...],
    output: Path,
    cache_root: Path,
    show: Callable[[str, int, int], None],
) -> Progress:
    """Make the weights of a recipe, or go on where it was stopped; `show` is told what takes long and how far it is.

    Raises UsageError where another recipe's folder lies there, ProcessError where a step fails.
    """
    folder = recipe_folder(output)
    progress = _kept(folder, recipe, output)
    if progress.state == "finished" and output.is_file():
        return progress
    child = Child.start(
        "benchsuite.optimize.worker", folder / "log.txt", offline_environment(cache_root), name="optimizer",
        descendants=True,
    )  # fmt: skip
    made_by = {"recipe": "prune", "ratio": recipe.plan.ratio, "weights_sha256": recipe.weights_sha256}
    cut = folder / "cut.pt"
    try:
        if progress.state == "begun":
            show("cutting", 0, 1)
            began = time.monotonic()
            answer = child.request(
                "cut", _CUT_DEADLINE_S, weights=str(weights), plan=to_builtins(recipe.plan), imgsz=recipe.imgsz,
                images=[str(path) for path in images], output=str(cut), made_by=made_by,
            )  # fmt: skip
            progress = replace(progress, state="cut", apart=answer["apart"], cut_s=time.monotonic() - began)
            _keep(folder, progress)
        if isinstance(recipe.training, Absent):
            output.write_bytes(cut.read_bytes())
        else:
            progress = _train(child, progress, recipe.training, folder, output, made_by, show)
        progress = replace(progress, state="finished")
        _keep(folder, progress)
        return progress
    finally:
        child.kill()


def _train(
    child: Child,
    progress: Progress,
    training: Training,
    folder: Path,
    output: Path,
    made_by: Mapping[str, str | float],
    show: Callable[[str, int, int], None],
) -> Progress:
    began, before = time.monotonic(), progress.train_s
    request = {
        "weights": str(folder / "cut.pt"),
        "training": to_builtins(training),
        "folder": str(folder),
        "output": str(output),
        "made_by": dict(made_by),
    }
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(child.request, "train", _LONGEST_TRAINING_S, **request)
        told = -1
        try:
            while True:
                try:
                    answer.result(_LOOK_EVERY_S)
                    break
                except NotYet:
                    if (done := _epochs(folder)) != told:
                        show("training, epochs", done, training.epochs)
                        told = done
        finally:
            # Whoever interrupts must not wait for the last epoch.
            child.kill()
            progress = replace(progress, train_s=before + time.monotonic() - began)
            _keep(folder, progress)
    return progress


def _epochs(folder: Path) -> int:
    """Return how many epochs have ended, by the lines that the trainer writes."""
    try:
        return max(0, len((folder / "train" / "results.csv").read_text().splitlines()) - 1)
    except OSError:
        return 0


def _kept(folder: Path, recipe: PruneRecipe, output: Path) -> Progress:
    """Return how far the recipe has come in its folder, which is made where there is none."""
    path = folder / RECIPE_FILE
    if not path.is_file():
        if output.exists():
            raise UsageError(f"-o {output}: it is there already, and no recipe beside it; name another file.")
        folder.mkdir(parents=True, exist_ok=True)
        _keep(folder, Progress(recipe))
    found = read_json(path, Progress, "remove its folder to begin again", SCHEMA)
    if found.recipe != recipe:
        changed = [it.name for it in fields(PruneRecipe) if getattr(recipe, it.name) != getattr(found.recipe, it.name)]
        raise UsageError(
            f"-o {output}: {folder} holds a recipe with other {joined(', ', changed)}; name another file, or remove "
            "that folder."
        )
    return found


def _keep(folder: Path, progress: Progress) -> None:
    write_json(folder / RECIPE_FILE, progress)
