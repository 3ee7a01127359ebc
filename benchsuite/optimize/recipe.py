"""A recipe for lighter weights: all that decides them, and how far it has come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchsuite.machine.json_files import read_json
from benchsuite.networks.origin import Made, Origin
from benchsuite.optimize.cutting import CutPlan
from benchsuite.optimize.training import Epoch, Training
from benchsuite.optimize.zeros import ZeroPlan
from benchsuite.terms.absence import Absent
from benchsuite.terms.numbers import Measure

RECIPE_FILE = "recipe.json"
SCHEMA = 1
NO_CUT = Absent("nothing is cut")
NO_TRAINING = Absent("no training was asked for")
_NOT_YET = Absent("it has not come that far")


@dataclass(frozen=True)
class LightRecipe:
    """What is done to weights, in this order: a cut, or zeros, and a training.

    `images_sha256` is of the images on which batch norms are renewed at `imgsz` px after a cut.
    """

    weights: str
    weights_sha256: str
    imgsz: int
    images_sha256: str
    tools: Mapping[str, str]
    cut: CutPlan | Absent = NO_CUT
    zeros: ZeroPlan | Absent = NO_CUT
    training: Training | Absent = NO_TRAINING

    @property
    def kind(self) -> Made:
        """Name what is done most to the weights."""
        if isinstance(self.cut, CutPlan):
            return "prune"
        if isinstance(self.zeros, ZeroPlan):
            return "zero"
        if isinstance(self.training, Absent):
            return "train"
        if self.training.quantised:
            return "qat"
        return "distill" if self.training.teacher else "train"

    @property
    def origin(self) -> Origin:
        """Return what stands in the weights: enough to tell where they come from."""
        plan = self.cut if not isinstance(self.cut, Absent) else self.zeros
        training = None if isinstance(self.training, Absent) else self.training
        return Origin(
            made=self.kind,
            source=self.weights,
            source_sha256=self.weights_sha256,
            ratio=0.0 if isinstance(plan, Absent) else plan.ratio,
            epochs=training.epochs if training else 0,
            teacher_sha256=training.teacher_sha256 if training else "",
        )


@dataclass(frozen=True)
class Progress:
    """A recipe and how far it has come; seconds are of wall clock, over all times that it was begun again.

    `apart` is by how much raw outputs of a cut network differ from those of the whole one without the cut channels;
    `batches` digests what each of the first epochs was trained on, by which two trainings show that they saw the same.
    """

    recipe: LightRecipe
    state: Literal["begun", "cut", "finished"] = "begun"
    apart: Measure | Absent = _NOT_YET
    cut_s: Measure | Absent = _NOT_YET
    train_s: Measure = 0.0
    epochs: tuple[Epoch, ...] = ()
    batches: tuple[str, ...] = ()
    output_sha256: str = ""
    schema: int = SCHEMA


def read_progress(folder: Path) -> Progress:
    """Read the recipe in a folder and how far it has come; raises RecordError."""
    return read_json(folder / RECIPE_FILE, Progress, "remove its folder to begin again", SCHEMA)
