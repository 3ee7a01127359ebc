"""Widths that a model's yaml can express: rows of a narrower network, with all that its scale decided spelt out."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from typing import Any

from benchsuite.optimize.blocks import attentions, take_apart

# What Ultralytics rounds widths to; others would not come out as they are written.
YAML_MULTIPLE = 8
_SCALED = ("scale", "scales", "depth_multiple", "width_multiple", "yaml_file")
_Row = Sequence[Any]


def narrower(network: Any, ratio: float, multiple: int) -> dict[str, Any]:
    """Return the yaml of a network whose rows give less channels by a ratio, to the nearest multiple.

    Blocks with attention keep their inner width, which their number of heads follows.
    """
    spec = {name: value for name, value in copy.deepcopy(network.yaml).items() if name not in _SCALED}
    rows = [*spec["backbone"], *spec["head"]]
    found = [_row(row, module, ratio, multiple) for row, module in zip(rows, network.model, strict=True)]
    spec["backbone"], spec["head"] = found[: len(spec["backbone"])], found[len(spec["backbone"]) :]
    return spec


def build(spec: Mapping[str, Any], classes: int) -> Any:
    """Build a network with random weights from a yaml's content."""
    from ultralytics.nn.tasks import DetectionModel

    return DetectionModel(copy.deepcopy(dict(spec)), nc=classes, verbose=False).eval()


def widths_of(network: Any) -> Mapping[str, int]:
    """Return the width of every convolution of a network by its name once that is taken apart."""
    import torch

    apart = copy.deepcopy(network)
    take_apart(apart)
    return {name: it.out_channels for name, it in apart.named_modules() if isinstance(it, torch.nn.Conv2d)}


def _row(row: _Row, module: Any, ratio: float, multiple: int) -> list[Any]:
    """Return a row for the module that was built from it, `[from, repeats, module, args]`."""
    source, repeats, name, args = row
    narrow = {
        "Conv": lambda: [_less(module.conv.out_channels, ratio, multiple), *args[1:]],
        "SPPF": lambda: [_less(module.cv2.conv.out_channels, ratio, multiple), *args[1:]],
        "C2f": lambda: _c2f(module, args, ratio, multiple),
        "C3k2": lambda: _c3k2(module, ratio, multiple),
        "C2PSA": lambda: _c2psa(module, ratio, multiple),
    }
    if name not in narrow:
        return [source, repeats, name, list(args)]
    return [source, len(module.m) if hasattr(module, "c") else 1, name, narrow[name]()]


def _c2f(module: Any, args: Sequence[Any], ratio: float, multiple: int) -> list[Any]:
    width = _less(module.cv2.conv.out_channels, ratio, multiple)
    shortcut = bool(args[1]) if len(args) > 1 else False
    return [width, shortcut, 1, _share(_less(module.c, ratio, multiple), width)]


def _c3k2(module: Any, ratio: float, multiple: int) -> list[Any]:
    from torch.nn import Sequential
    from ultralytics.nn.modules.block import C3k

    width = _less(module.cv2.conv.out_channels, ratio, multiple)
    first = module.m[0]
    attention = isinstance(first, Sequential)
    inner = module.c if any(attentions(module)) else _less(module.c, ratio, multiple)
    return [width, isinstance(first, C3k), _share(inner, width), attention]


def _c2psa(module: Any, ratio: float, multiple: int) -> list[Any]:
    width = _less(module.cv2.conv.out_channels, ratio, multiple)
    return [width, _share(module.c, width)]


def _less(channels: int, ratio: float, multiple: int) -> int:
    return min(channels, max(multiple, math.floor(channels * (1 - ratio) / multiple + 0.5) * multiple))


def _share(inner: int, width: int) -> float:
    # It is multiplied again and cut to a whole number.
    return (inner + 0.5) / width
