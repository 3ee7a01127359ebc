"""How a network's loss on labelled images would change with each of its weights."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchsuite.data.images import read_image
from benchsuite.data.labels import read_labels
from benchsuite.data.letterbox import preprocess
from benchsuite.terms.errors import DataError
from benchsuite.terms.input_size import InputSize
from benchsuite.terms.said import said


@dataclass(frozen=True)
class LabelledBatch:
    """Images as a network takes them, and their objects: which image, class, and box as fractions of the input."""

    images: Any
    places: Any
    classes: Any
    boxes: Any


def labelled(paths: Sequence[Path], names: Sequence[str], imgsz: int) -> LabelledBatch:
    """Read images with their labels; raises DataError for labels that cannot be read."""
    import torch

    pictures = [read_image(path) for path in paths]
    batch, placements = preprocess(pictures, InputSize.square(imgsz))
    places, classes, boxes = [], [], []
    for number, (path, picture, placement) in enumerate(zip(paths, pictures, placements, strict=True)):
        found = read_labels(path, names).scaled(picture.shape[1], picture.shape[0])
        scale = placement.resized_width / picture.shape[1]
        corners = found.boxes * scale + np.tile([placement.pad_left, placement.pad_top], 2)
        middles, sides = (corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]
        places += [number] * len(found.classes)
        classes.append(found.classes)
        boxes.append(np.concatenate([middles, sides], 1) / imgsz)
    return LabelledBatch(
        torch.from_numpy(batch),
        torch.tensor(places, dtype=torch.float32),
        torch.from_numpy(np.concatenate(classes)[:, None].astype(np.float32)),
        torch.from_numpy(np.concatenate(boxes).astype(np.float32)),
    )


def add_gradients(network: Any, batches: Iterable[LabelledBatch]) -> None:
    """Add up the gradients of the loss over batches; batch norms normalise as they do after training."""
    import torch
    from ultralytics.cfg import get_cfg

    kept = network.args
    # The loss reads its gains there.
    network.args = get_cfg()
    network.criterion = None
    network.train()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eval()
    objects = 0
    for batch in batches:
        objects += len(batch.classes)
        told = {"img": batch.images, "batch_idx": batch.places, "cls": batch.classes, "bboxes": batch.boxes}
        loss, _ = network.loss(told)
        loss.sum().backward()
    network.eval()
    network.args = kept
    network.criterion = None
    if not objects:
        raise DataError(said("--importance taylor needs labels, and the images have none: give l1"))
