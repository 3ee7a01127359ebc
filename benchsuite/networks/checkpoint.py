"""A YOLO checkpoint as the network that runs: one head, fused."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, cast

from benchsuite.terms.cases import Head
from benchsuite.terms.errors import ModelError
from benchsuite.terms.input_size import InputSize
from benchsuite.terms.said import said

# What letterboxed images have: red, green and blue.
_CHANNELS = 3


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
    from ultralytics.nn.modules import Detect

    try:
        model = _load(weights)[0]
    except ModuleNotFoundError as error:
        raise ModelError(
            said(
                "{1} needs the module {2}, which this environment lacks: install what it comes from",
                weights.name,
                error.name,
            )
        ) from None
    except Exception as error:  # Whatever a damaged pickle can raise.
        found = (str(error).removeprefix("ERROR ❌️ ").splitlines() or [type(error).__name__])[0]
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
    channels = next(model.parameters()).shape[1]
    if channels != _CHANNELS:
        raise ModelError(
            said(
                "{1} is for other images (channels: {2}): benchsuite reads images in red, green and blue alone",
                weights.name,
                channels,
            )
        )
    return model


def _load(weights: Path) -> tuple[Any, dict[str, Any]]:
    """Return the network and all else of a checkpoint, as Ultralytics loads them."""
    from ultralytics.nn import tasks
    from ultralytics.utils.checks import check_yolov5u_filename

    name = str(weights)
    # It looks for a file without quotes, and for yolov5nu.pt in place of yolov5n.pt.
    if check_yolov5u_filename(name.strip().replace("'", ""), verbose=False) == name:
        return cast("tuple[Any, dict[str, Any]]", tasks.load_checkpoint(name))
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder) / "weights.pt"
        link.symlink_to(weights.absolute())
        model, checkpoint = tasks.load_checkpoint(str(link))
    model.pt_path = name
    return model, checkpoint


def class_names(model: Any) -> list[str]:
    """Return what a loaded checkpoint calls its classes, in their order; raises ModelError unless each has a name."""
    names = model.names if isinstance(model.names, dict) else dict(enumerate(model.names))
    found = model.model[-1].nc
    if set(names) != set(range(found)):
        raise ModelError(
            said("it finds {1} classes and names {2}: set model.names and save it again", found, len(names))
        )
    return [str(names[number]) for number in range(found)]


def check_size(model: Any, imgsz: InputSize) -> None:
    """Raise ModelError, in the words of --imgsz, unless both sides are multiples of the network's largest stride."""
    stride = int(model.stride.max())
    wrong = [side for side in imgsz.shape if side % stride]
    if wrong:
        below, above = wrong[0] // stride * stride, (wrong[0] // stride + 1) * stride
        sides = said("{1} or {2}", below, above) if below else str(above)
        raise ModelError(
            said("its largest stride is {1}, and --imgsz {2} is no multiple of it: give {3}", stride, imgsz, sides)
        )


def trained_size(weights: Path) -> int | None:
    """Return the side in px of the images that a checkpoint was trained on, where it says so."""
    side = (_load(weights)[1].get("train_args") or {}).get("imgsz")
    return side if isinstance(side, int) and side > 0 else None


def heads_of(model: Any) -> tuple[Head, ...]:
    """Return the heads that a loaded checkpoint holds."""
    detect = model.model[-1]
    heads: list[Head] = []
    if detect.cv2 is not None:
        heads.append("one2many")
    if getattr(detect, "one2one_cv2", None) is not None:
        heads.append("end2end")
    return tuple(heads)
