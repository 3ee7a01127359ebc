"""What commands that make weights lighter have in common: the options of a training, and a recipe made from them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from benchsuite.artifacts.digests import calibration_of
from benchsuite.backends.offers import recorded_packages
from benchsuite.data.dataset import Dataset, calibration_images, load_dataset, spread
from benchsuite.data.shapes import AUGMENTATION, TRAINED_ON, ShapesSpec, shapes_data
from benchsuite.machine.facts import Machine, package_versions, read_machine
from benchsuite.machine.files import cache_root
from benchsuite.networks.weights import ModelRef, fetch, file_sha256, resolve
from benchsuite.optimize.cutting import CutPlan
from benchsuite.optimize.following import LOG_FILE, follow, recipe_folder
from benchsuite.optimize.recipe import NO_CUT, NO_TRAINING, LightRecipe, Progress
from benchsuite.optimize.training import Training
from benchsuite.optimize.training_data import check_training_data
from benchsuite.optimize.zeros import ZeroPlan
from benchsuite.report.time_left import TimeLeft
from benchsuite.terms.absence import Absent
from benchsuite.terms.errors import ModelError

# Batch norms know a network's activations after a few dozen images.
_RENEWED_ON = 40
_TOOLS = ("benchsuite", "torch", "torch-pruning", "ultralytics", "nvidia-modelopt")
# Ultralytics' own models halve a picture five times.
_STRIDE = 32
Say = Callable[[str], None]


@dataclass(frozen=True)
class TrainingAsked:
    """The options of a training, as they were given."""

    data: Path | None
    epochs: int
    imgsz: int
    batch: int
    lr0: float
    seed: int
    settings: tuple[str, ...]

    def problems(self) -> Iterator[str]:
        """Say what is wrong with them, each in a sentence."""
        if self.imgsz < _STRIDE or self.imgsz % _STRIDE:
            yield f"--imgsz {self.imgsz}: give a multiple of {_STRIDE}."
        if not (math.isfinite(self.lr0) and 0 < self.lr0 <= 1):
            yield f"--lr0 {self.lr0:g}: give a learning rate above 0, at most 1."
        for text in self.settings:
            if _setting(text) is None:
                yield f"--setting {text}: give an argument of Ultralytics' trainer and its number, as mosaic=0."


@dataclass(frozen=True)
class Ground:
    """What a command's recipes stand on: checked weights, data, the machine."""

    cache_root: Path
    machine: Machine
    weights: Path
    data: Path
    dataset: Dataset
    images: tuple[Path, ...]

    def options(self, imgsz: int) -> dict[str, str]:
        """Return the options of a run that evaluates on the same data."""
        return {"imgsz": str(imgsz), "data": str(self.data)}


def missing_extra(module: str, package: str, extra: str = "optimize") -> Iterator[str]:
    """Say what to install where a module of an extra is missing."""
    if find_spec(module) is None:
        yield f"{package} is not installed, which this needs: pip install 'benchsuite[{extra}]'."


def output_problems(output: Path) -> Iterator[str]:
    """Say what is wrong with a file to write weights to."""
    if output.suffix != ".pt":
        yield f"-o {output}: give a file that ends in .pt."


def open_ground(model: str, asked: TrainingAsked, output: Path, flag: str = "--model", trains: bool = True) -> Ground:
    """Find weights and data; the drawn shapes where none are named, with many to learn from where a command trains."""
    root, log = cache_root(), recipe_folder(output) / LOG_FILE
    ref = _resolved(model, root, flag)
    data = (asked.data or shapes_data(root / "data", TRAINED_ON if trains else ShapesSpec())).absolute()
    dataset = load_dataset(data)
    weights = fetch(ref, root, log, dataset.names)
    trained = "train" in dataset.splits and dataset.splits["train"]
    images = spread(trained, _RENEWED_ON) if trained else calibration_images(dataset, _RENEWED_ON)
    return Ground(root, read_machine(recorded_packages()), weights, data, dataset, images)


def find_weights(name: str, ground: Ground, output: Path, flag: str) -> Path:
    """Return the file of further weights that an option names."""
    return fetch(_resolved(name, ground.cache_root, flag), ground.cache_root, recipe_folder(output) / LOG_FILE)


def _resolved(name: str, root: Path, flag: str) -> ModelRef:
    try:
        (ref,) = resolve([name], root)
    except ModelError as error:
        # Its sentences name the option of a run.
        raise ModelError(str(error).replace("--model", flag)) from None
    return ref


def training_of(
    asked: TrainingAsked,
    ground: Ground,
    teacher: Path | None = None,
    settings: Mapping[str, float] | None = None,
    quantised: bool = False,
) -> Training:
    """Return the training that was asked for, with `settings` that a command adds.

    Raises DataError for data that nothing can be trained on.
    """
    settings = {**(AUGMENTATION if asked.data is None else {}), **(settings or {})}
    for text in asked.settings:
        name, number = _setting(text) or ("", 0.0)
        settings[name] = number
    return Training(
        data=str(ground.data),
        data_sha256=check_training_data(ground.dataset),
        imgsz=asked.imgsz,
        epochs=asked.epochs,
        batch=asked.batch,
        lr0=asked.lr0,
        seed=asked.seed,
        teacher=str(teacher.absolute()) if teacher else "",
        teacher_sha256=file_sha256(teacher) if teacher else "",
        quantised=quantised,
        settings=settings,
    )


def recipe_of(
    ground: Ground,
    imgsz: int,
    cut: CutPlan | Absent = NO_CUT,
    zeros: ZeroPlan | Absent = NO_CUT,
    training: Training | Absent = NO_TRAINING,
) -> LightRecipe:
    """Return a recipe for the weights of a command."""
    return LightRecipe(
        weights=ground.weights.name,
        weights_sha256=file_sha256(ground.weights),
        imgsz=imgsz,
        images_sha256=calibration_of(ground.images, "").images_sha256,
        tools=dict(package_versions(_TOOLS)),
        cut=cut,
        zeros=zeros,
        training=training,
    )


def follow_recipe(recipe: LightRecipe, ground: Ground, output: Path, say: Say) -> Progress:
    """Make the weights of a recipe and tell how far it is."""
    left = TimeLeft()
    return follow(recipe, ground.weights, ground.images, output, ground.cache_root, lambda *told: say(left.line(*told)))


def one_of(flag: str, text: str, known: Sequence[str]) -> Iterator[str]:
    """Say what may stand in a text's place where it is none of what is known."""
    if text not in known:
        yield f"{flag} {text}: give one of {', '.join(known)}."


def share(flag: str, ratio: float) -> Iterator[str]:
    """Say what is wrong with a share of something to take away."""
    if not 0 < ratio < 1:
        yield f"{flag} {ratio:g}: give a share between 0 and 1, as 0.2."


def _setting(text: str) -> tuple[str, float] | None:
    name, _, number = text.partition("=")
    try:
        return (name, float(number)) if name.isidentifier() else None
    except ValueError:
        return None
