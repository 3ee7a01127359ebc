"""Child process that cuts and trains networks, by packages that a measuring worker must not load."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchsuite.data.images import read_image
from benchsuite.data.letterbox import preprocess
from benchsuite.machine.processes import serve
from benchsuite.networks.checkpoint import load_checkpoint
from benchsuite.optimize.checkpoints import write_checkpoint
from benchsuite.optimize.cutting import CutPlan, cut
from benchsuite.optimize.training import Training, train
from benchsuite.terms.codec import from_builtins
from benchsuite.terms.input_size import InputSize

_BATCH = 4


def cut_checkpoint(request: dict[str, Any]) -> dict[str, Any]:
    """Write the network of `weights`, cut by `plan`, to `output`; `images` renew its batch norms at `imgsz`.

    Answers by how much its outputs are off.
    """
    weights, plan = Path(request["weights"]), from_builtins(request["plan"], CutPlan)
    imgsz = int(request["imgsz"])
    found = cut(load_checkpoint(weights), weights.name, plan, _batches(request["images"], imgsz))
    write_checkpoint(found.network, Path(request["output"]), imgsz, request["made_by"])
    return {"apart": found.apart}


def train_checkpoint(request: dict[str, Any]) -> dict[str, Any]:
    """Train `weights` in `folder` as `training` says, and write the best that came of it to `output`."""
    training = from_builtins(request["training"], Training)
    best = train(Path(request["weights"]), training, Path(request["folder"]))
    network = load_checkpoint(best)
    write_checkpoint(network, Path(request["output"]), training.imgsz, request["made_by"])
    return {}


def _batches(paths: Sequence[str], imgsz: int) -> list[Any]:
    import torch

    size = InputSize.square(imgsz)
    images = [read_image(Path(path)) for path in paths]
    groups = (images[start : start + _BATCH] for start in range(0, len(images), _BATCH))
    return [torch.from_numpy(preprocess(group, size)[0]) for group in groups]


if __name__ == "__main__":
    serve({"cut": cut_checkpoint, "train": train_checkpoint})
