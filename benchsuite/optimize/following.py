"""A recipe followed: cut, train, write; whoever was stopped goes on where that was."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import fields, replace
from pathlib import Path

from benchsuite.machine.json_files import write_json
from benchsuite.machine.processes import Child, offline_environment
from benchsuite.networks.weights import file_sha256
from benchsuite.optimize.recipe import RECIPE_FILE, LightRecipe, Progress, read_progress
from benchsuite.optimize.training import Training, batches_of, epochs_of
from benchsuite.terms.absence import Absent
from benchsuite.terms.codec import to_builtins
from benchsuite.terms.errors import UsageError
from benchsuite.terms.said import joined

CUT_FILE = "cut.pt"
LOG_FILE = "log.txt"
_CUT_DEADLINE_S = 3600.0
_LONGEST_TRAINING_S = 30 * 24 * 3600.0
_LOOK_EVERY_S = 1.0
# Is told what goes on, how many of its steps are done, and of how many.
Show = Callable[[str, int, int], None]


def recipe_folder(output: Path) -> Path:
    """Return the folder that a recipe has beside its weights."""
    return output.with_suffix(".recipe")


def follow(
    recipe: LightRecipe, weights: Path, images: tuple[Path, ...], output: Path, cache_root: Path, show: Show
) -> Progress:
    """Make the weights of a recipe, or go on where it was stopped; `images` renew batch norms after a cut.

    Raises UsageError where another recipe's folder lies there, ProcessError where a step fails.
    """
    output = output.absolute()
    folder = recipe_folder(output)
    progress = _begun(folder, recipe, output)
    if progress.state == "finished" and output.is_file() and file_sha256(output) == progress.output_sha256:
        return progress
    child = Child.start(
        "benchsuite.optimize.worker", folder / LOG_FILE, offline_environment(cache_root), name="optimizer",
        descendants=True,
    )  # fmt: skip
    try:
        if progress.state == "begun":
            progress = _cut(child, progress, weights, images, folder, show)
        if isinstance(recipe.training, Absent):
            part = output.with_name(f".{output.name}.part")
            shutil.copyfile(folder / CUT_FILE, part)
            part.replace(output)
        else:
            progress = _train(child, progress, recipe.training, folder, output, show)
        progress = replace(progress, state="finished", output_sha256=file_sha256(output))
        write_json(folder / RECIPE_FILE, progress)
        return progress
    finally:
        child.kill()
        child.close()


def _cut(
    child: Child, progress: Progress, weights: Path, images: tuple[Path, ...], folder: Path, show: Show
) -> Progress:
    """Write the network that is trained, which lacks nothing where a recipe cuts nothing."""
    recipe = progress.recipe
    show("cutting", 0, 1)
    began = time.monotonic()
    answer = child.request(
        "cut",
        _CUT_DEADLINE_S,
        recipe=to_builtins(recipe),
        weights=str(weights),
        images=[str(path) for path in images],
        output=str(folder / CUT_FILE),
    )
    apart = progress.apart if answer["apart"] is None else answer["apart"]
    progress = replace(progress, state="cut", apart=apart, cut_s=time.monotonic() - began)
    write_json(folder / RECIPE_FILE, progress)
    return progress


def _train(child: Child, progress: Progress, training: Training, folder: Path, output: Path, show: Show) -> Progress:
    began, before, told = time.monotonic(), progress.train_s, -1
    request = {
        "recipe": to_builtins(progress.recipe),
        "weights": str(folder / CUT_FILE),
        "folder": str(folder),
        "output": str(output),
    }
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(child.request, "train", _LONGEST_TRAINING_S, **request)
        try:
            while True:
                done = len(epochs_of(folder))
                if done != told:
                    show("training, epochs", done, training.epochs)
                    told = done
                try:
                    answer.result(_LOOK_EVERY_S)
                    break
                except NotYet:
                    continue
        finally:
            # Whoever interrupts must not wait for the last epoch.
            child.kill()
            progress = replace(
                progress,
                train_s=before + time.monotonic() - began,
                epochs=epochs_of(folder),
                batches=batches_of(folder),
            )
            write_json(folder / RECIPE_FILE, progress)
    return progress


def _begun(folder: Path, recipe: LightRecipe, output: Path) -> Progress:
    """Return how far the recipe has come in its folder, which is made where there is none."""
    path = folder / RECIPE_FILE
    if not path.is_file():
        if output.exists():
            raise UsageError(f"-o {output}: it is there already, and no recipe beside it; name another file.")
        folder.mkdir(parents=True, exist_ok=True)
        write_json(path, Progress(recipe))
    found = read_progress(folder)
    if found.recipe != recipe:
        changed = [it.name for it in fields(LightRecipe) if getattr(recipe, it.name) != getattr(found.recipe, it.name)]
        raise UsageError(
            f"-o {output}: {folder} holds a recipe with other {joined(', ', changed)}; name another file, or remove "
            "that folder."
        )
    return found
