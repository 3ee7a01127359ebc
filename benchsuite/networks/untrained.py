"""Checkpoints of random weights from a model's yaml: as fast and as large as trained ones, and worth nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from benchsuite.networks.origin import Origin, write_checkpoint
from benchsuite.terms.errors import ModelError
from benchsuite.terms.said import said

_SEED = 0
_IMGSZ = 640


def write_untrained(yaml: str, output: Path, classes: Sequence[str] = ()) -> None:
    """Build the network of a yaml, a path or one of Ultralytics' own names, and write it with random weights.

    It knows `classes`, or as many as the yaml says. Raises ModelError for what describes no detector.
    """
    import torch
    from ultralytics.nn.modules import Detect
    from ultralytics.nn.tasks import DetectionModel, yaml_model_load

    torch.manual_seed(_SEED)
    try:
        # It finds the scale in the name, and its own files by theirs.
        spec = yaml_model_load(yaml)
        network = DetectionModel(spec, nc=len(classes) or spec["nc"], verbose=False).eval()
    except Exception as error:  # Whatever a yaml can make of Ultralytics' parser.
        found = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(said("it describes no detection network that Ultralytics can build: {1}", found)) from None
    if type(network.model[-1]) is not Detect:
        kind = type(network.model[-1]).__name__
        raise ModelError(said("it ends in {1}: benchsuite measures YOLO26, YOLO11 and YOLOv8 only", kind))
    if classes:
        network.names = dict(enumerate(classes))
    digest = hashlib.sha256(repr(sorted(spec.items(), key=str)).encode()).hexdigest()
    write_checkpoint(network, output, _IMGSZ, Origin("random", Path(yaml).name, digest))
