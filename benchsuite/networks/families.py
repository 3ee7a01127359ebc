"""What Ultralytics documents of its families of detectors: blocks, head, loss and optimiser."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """One family; the optimiser is the one that its release brought, which trainers may choose otherwise."""

    title: str
    blocks: str
    head: str
    loss: str
    optimiser: str


_FAMILIES = {
    "yolov8": Family(
        "YOLOv8",
        "C2f, SPPF",
        "anchor-free, one-to-many, boxes as distributions (DFL), NMS after it",
        "BCE, CIoU and DFL with task-aligned assignment",
        "SGD or AdamW",
    ),
    "yolo11": Family(
        "YOLO11",
        "C3k2, SPPF, C2PSA (attention)",
        "as YOLOv8, its class branch of depthwise convolutions",
        "BCE, CIoU and DFL with task-aligned assignment",
        "SGD or AdamW",
    ),
    "yolo26": Family(
        "YOLO26",
        "C3k2, SPPF, C2PSA (attention)",
        "one-to-many and NMS-free one-to-one side by side, boxes without DFL",
        "BCE, CIoU and L1, weighted towards one-to-one in training (ProgLoss), small objects assigned by STAL",
        "MuSGD",
    ),
}
_NAME = re.compile(r"(yolov8|yolo11|yolo26)[nsmlx]")


def family_of(model: str) -> Family | None:
    """Return the family that a model is named after, or None."""
    found = _NAME.match(model)
    return _FAMILIES[found[1]] if found else None
