"""Checkpoints of lighter networks, written so that Ultralytics loads them like its own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write_checkpoint(network: Any, path: Path, imgsz: int, made_by: Mapping[str, str | float]) -> None:
    """Write a network in FP16, whole or not at all; `made_by` stays with the network through trainings."""
    import torch
    import ultralytics

    network.lightened = dict(made_by)
    network.args = {"imgsz": imgsz, "task": "detect"}
    for parameter in network.parameters():
        parameter.requires_grad = False
    part = path.with_name(f".{path.name}.part")
    torch.save(
        {
            "model": network.half().eval(),
            "train_args": {"imgsz": imgsz, "task": "detect"},
            "epoch": -1,
            "version": ultralytics.__version__,
            "license": "AGPL-3.0",
        },
        part,
    )
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(path)
