"""A YOLO checkpoint as the network that runs: one head, fused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchsuite.terms.cases import Head
from benchsuite.terms.errors import ModelError
from benchsuite.terms.said import said


def load_detector(weights: Path, head: Head) -> Any:
    """Load a detection checkpoint in FP32, keep the head that is asked for and fuse; raises ModelError."""
    model = load_checkpoint(weights)
    if head not in heads_of(model):
        raise ModelError(said("{1} has no {2} head: it has {3}", weights.name, head, " and ".join(heads_of(model))))
    # Fusing drops the head that is not selected, so the order matters.
    model.model[-1].end2end = head == "end2end"
    model.fuse(verbose=False)
    return model.eval()


def load_checkpoint(weights: Path) -> Any:
    """Load a detection checkpoint as it was saved, in FP32; raises ModelError."""
    from ultralytics.nn import tasks
    from ultralytics.nn.modules import Detect

    try:
        model, _ = tasks.load_checkpoint(str(weights))
    except Exception as error:  # Whatever a damaged pickle can raise.
        found = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(said("{1} is not a checkpoint that Ultralytics can load: {2}", weights.name, found)) from None
    if model.task != "detect":
        raise ModelError(
            said("{1} is a {2} model: benchsuite measures detection models only", weights.name, model.task)
        )
    head = model.model[-1]
    if not isinstance(head, Detect):
        raise ModelError(
            said(
                "{1} ends in {2}: benchsuite measures YOLO26, YOLO11 and YOLOv8 only", weights.name, type(head).__name__
            )
        )
    return model


def heads_of(model: Any) -> tuple[Head, ...]:
    """Return the heads that a loaded checkpoint holds."""
    detect = model.model[-1]
    heads: list[Head] = []
    if detect.cv2 is not None:
        heads.append("one2many")
    if getattr(detect, "one2one_cv2", None) is not None:
        heads.append("end2end")
    return tuple(heads)
