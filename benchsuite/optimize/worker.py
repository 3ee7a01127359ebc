"""Child process that cuts and trains networks, by packages that a measuring worker must not load."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchsuite.data.images import read_image
from benchsuite.data.letterbox import preprocess
from benchsuite.machine.processes import serve
from benchsuite.networks.checkpoint import class_names, load_checkpoint
from benchsuite.networks.origin import write_checkpoint
from benchsuite.optimize.blocks import check_trainable
from benchsuite.optimize.cutting import cut
from benchsuite.optimize.gradients import labelled
from benchsuite.optimize.recipe import LightRecipe
from benchsuite.optimize.rounded import ROUNDED_FOLDER, export_rounded
from benchsuite.optimize.statistics import is_folded, unfold
from benchsuite.optimize.training import best_of, train
from benchsuite.optimize.zeros import zero
from benchsuite.terms.absence import Absent
from benchsuite.terms.codec import from_builtins
from benchsuite.terms.input_size import InputSize

_BATCH = 4
# Their kernels multiply unsigned activations by signed weights.
_X86 = ("x86_64", "AMD64")


def cut_checkpoint(request: dict[str, Any]) -> dict[str, Any]:
    """Write the network of `weights`, after what the `recipe` cuts, to `output`, ready to be trained.

    `images` give batch norms their statistics. Answers by how much a cut network's outputs are off.
    """
    recipe, weights = from_builtins(request["recipe"], LightRecipe), Path(request["weights"])
    network, apart = load_checkpoint(weights), None
    check_trainable(network, weights.name)
    images = _batches(request["images"], recipe.imgsz)
    if is_folded(network):
        unfold(network, images)
    if not isinstance(recipe.cut, Absent):
        paths = [Path(path) for path in request["images"]]
        groups = (paths[start : start + _BATCH] for start in range(0, len(paths), _BATCH))
        labels = (labelled(group, class_names(network), recipe.imgsz) for group in groups)
        found = cut(network, weights.name, recipe.cut, images, labels)
        network, apart = found.network, found.apart
    if not isinstance(recipe.zeros, Absent):
        zero(network, recipe.zeros)
    write_checkpoint(network, Path(request["output"]), recipe.imgsz, recipe.origin)
    return {"apart": apart}


def train_checkpoint(request: dict[str, Any]) -> dict[str, Any]:
    """Train `weights` in `folder` as the `recipe` says, and write the best that came of it to `output`."""
    recipe = from_builtins(request["recipe"], LightRecipe)
    assert not isinstance(recipe.training, Absent)
    network = train(Path(request["weights"]), recipe.training, Path(request["folder"]))
    output = Path(request["output"])
    write_checkpoint(network, output, recipe.training.imgsz, recipe.origin)
    if recipe.training.quantised:
        best, unsigned = best_of(Path(request["folder"])), platform.machine() in _X86
        export_rounded(best, Path(request["folder"]) / ROUNDED_FOLDER / "model.onnx", recipe.training.imgsz, unsigned)
    return {}


def _batches(paths: Sequence[str], imgsz: int) -> list[Any]:
    import torch

    size = InputSize.square(imgsz)
    images = [read_image(Path(path)) for path in paths]
    groups = (images[start : start + _BATCH] for start in range(0, len(images), _BATCH))
    return [torch.from_numpy(preprocess(group, size)[0]) for group in groups]


if __name__ == "__main__":
    serve({"cut": cut_checkpoint, "train": train_checkpoint})
