"""Child process that reads checkpoints and makes artifacts, by packages that a measuring worker must not load."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchsuite.artifacts.exporters import Order, build
from benchsuite.artifacts.recipe import Recipe
from benchsuite.machine.memory import peak_rss_bytes
from benchsuite.machine.processes import serve
from benchsuite.networks.checkpoint import (
    check_size,
    class_names,
    heads_of,
    load_checkpoint,
    load_detector,
    trained_size,
)
from benchsuite.networks.origin import origin_of
from benchsuite.terms.codec import from_builtins, sentence_to_builtins
from benchsuite.terms.errors import ModelError
from benchsuite.terms.input_size import InputSize
from benchsuite.terms.said import said

_IMGSZ = 640


def describe_checkpoint(request: dict[str, Any]) -> dict[str, Any]:
    """Answer what `weights` hold: classes, heads, size of training, and size of the fused network with its head.

    `head` (one2many) and `imgsz` (640) may be given. A multiply-add counts as two operations.
    """
    from ultralytics.utils.torch_utils import get_flops

    weights = Path(request["weights"])
    size = InputSize.parse(str(request.get("imgsz", _IMGSZ)))
    saved = load_checkpoint(weights)
    check_size(saved, size)
    model = load_detector(weights, request.get("head", "one2many"))
    params = sum(parameter.numel() for parameter in model.parameters())
    gflops = float(get_flops(model, list(size.shape)))
    if gflops <= 0:
        # Ultralytics swallows whatever went wrong and answers 0.
        raise ModelError(
            said(
                "the GFLOPs of {1} came out as 0, as they do where the old package thop lies over "
                "ultralytics-thop: pip uninstall -y thop, then pip install --force-reinstall ultralytics-thop",
                weights.name,
            )
        )
    origin = origin_of(saved)
    return {
        "names": class_names(saved),
        "params": params,
        "gflops": gflops,
        "heads": list(heads_of(saved)),
        "trained_px": trained_size(weights),
        "origin": sentence_to_builtins(origin.sentence) if origin else "",
        "untrained": origin is not None and origin.made == "random",
    }


def build_artifact(request: dict[str, Any]) -> dict[str, Any]:
    """Write the artifact of `recipe` into `folder`, from `weights` or from the `parent` artifact's folder.

    Answers the most memory that this process has needed so far.
    """
    source = request["parent"] or request["weights"]
    images = tuple(Path(path) for path in request["images"])
    build(Order(from_builtins(request["recipe"], Recipe), Path(source), images, Path(request["folder"])))
    return {"peak_rss_bytes": peak_rss_bytes()}


if __name__ == "__main__":
    serve({"describe": describe_checkpoint, "build": build_artifact})
