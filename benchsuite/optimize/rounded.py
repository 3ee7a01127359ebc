"""What training under rounding leaves: the ranges that were learned with, as an ONNX file that runs in integers."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from benchsuite.networks.onnx_unsigned import make_unsigned
from benchsuite.terms.errors import BuildError
from benchsuite.terms.said import said

# Within a recipe's folder, as runtimes load it.
ROUNDED_FOLDER = "onnx"
_BITS = 8


def export_rounded(checkpoint: Path, output: Path, imgsz: int, unsigned: bool) -> None:
    """Write the ONNX file of a checkpoint with its quantisers, whole or not at all; activations `unsigned` for x86."""
    import onnx
    from ultralytics import YOLO

    with tempfile.TemporaryDirectory() as scratch:
        # It writes beside the weights.
        weights = Path(scratch) / "model.pt"
        shutil.copyfile(checkpoint, weights)
        fixed = {"imgsz": imgsz, "batch": 1, "nms": None, "device": "cpu", "verbose": False}
        model = onnx.load(YOLO(weights).export(format="onnx", quantize=_BITS, **fixed))
    if unsigned and not make_unsigned(model):
        raise BuildError(said("the network was trained under rounding, and its ONNX file has no quantised activation"))
    output.parent.mkdir(exist_ok=True)
    part = output.with_name(f".{output.name}.part")
    onnx.save(model, part)
    part.replace(output)
