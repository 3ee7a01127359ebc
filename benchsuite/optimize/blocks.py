"""Blocks of a detector taken apart, so that channels can be followed through them, and put together again.

A dependency graph follows whole outputs of convolutions. C2f, C3k2 and C2PSA hand on halves of one, attention binds
rows to heads, and the head decodes. So while channels are cut, each halved convolution is two; and while the graph is
read, attention hands its input on and the head gives its raw outputs. Only instances are changed and all of it is
undone: a file that is written afterwards holds Ultralytics' own classes.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from benchsuite.terms.errors import ModelError
from benchsuite.terms.said import joined, said

# Of YOLOv8, YOLO11 and YOLO26; others may bind channels in ways that nobody looked at.
_KNOWN = frozenset({
    "DetectionModel", "Conv", "DWConv", "C2f", "C3k2", "C3k", "Bottleneck", "SPPF", "C2PSA", "PSABlock", "Attention",
    "Concat", "Detect", "DFL", "Conv2d", "BatchNorm2d", "SiLU", "MaxPool2d", "Upsample", "Identity", "Sequential",
    "ModuleList",
})  # fmt: skip
_NATIVE = ("torch", "ultralytics")


def check_trainable(network: Any, name: str) -> None:
    """Raise ModelError for a network that is no more as training left it: fused, or with blocks of other packages."""
    packages = {type(module).__module__.partition(".")[0] for module in network.modules()} - {*_NATIVE}
    if packages:
        found = joined(", ", sorted(packages))
        told = "{1} holds blocks of {2}, as networks that were quantised or rebuilt do: give the checkpoint before that"
        raise ModelError(said(told, name, found))
    if any(not hasattr(conv, "bn") for conv in convs(network)):
        raise ModelError(said("{1} is fused: give the checkpoint that training wrote", name))


def check_blocks(network: Any, name: str) -> None:
    """Raise ModelError for a network with blocks that pruning does not know."""
    strange = sorted({type(module).__name__ for module in network.modules()} - _KNOWN)
    if strange:
        raise ModelError(said("{1} has blocks that pruning does not know: {2}", name, joined(", ", strange)))


def convs(network: Any) -> Iterator[Any]:
    """Return the blocks that hold a convolution and its batch norm."""
    from ultralytics.nn.modules import Conv

    return (module for module in network.modules() if isinstance(module, Conv))


def attentions(network: Any) -> Iterator[Any]:
    """Return the attention within a network or a block."""
    from ultralytics.nn.modules.block import Attention

    return (module for module in network.modules() if isinstance(module, Attention))


def halved(network: Any) -> Iterator[Any]:
    """Return the blocks that hand on halves of what their first convolution gives."""
    from ultralytics.nn.modules import C2PSA, C2f

    return (module for module in network.modules() if isinstance(module, (C2f, C2PSA)))


def head_of(network: Any) -> Any:
    """Return the module that detects."""
    return network.model[-1]


def branches(head: Any) -> Sequence[Any]:
    """Return the sequences of layers by which the head or heads look at each level."""
    names = ("cv2", "cv3", "one2one_cv2", "one2one_cv3")
    return [branch for name in names if (level := getattr(head, name, None)) is not None for branch in level]


def take_apart(network: Any) -> None:
    """Give every halved block two convolutions, `cv0` and `cv1`."""
    from ultralytics.nn.modules import C2f

    for block in list(halved(network)):
        first, second = _half(block.cv1, 0), _half(block.cv1, 1)
        block.cv0, block.cv1 = first, second
        block.forward = partial(_all_stages if isinstance(block, C2f) else _two_ways, block)


def put_together(network: Any) -> None:
    """Undo `take_apart`, whatever widths the halves have now; raises ValueError where they differ."""
    for block in list(halved(network)):
        block.cv1 = _joined(block.cv0, block.cv1)
        block.c = block.cv1.conv.out_channels // 2
        del block.cv0
    for module in network.modules():
        module.__dict__.pop("forward", None)
    # It keeps the anchors of the size that it saw last.
    head_of(network).shape = None


@contextmanager
def followed(network: Any) -> Iterator[Any]:
    """Let a network be followed: attention hands its input on, and the head gives its raw outputs."""
    own = list(attentions(network))
    for attention in own:
        attention.forward = _handed_on
    try:
        with raw(network):
            yield network
    finally:
        for attention in own:
            attention.__dict__.pop("forward", None)


@contextmanager
def raw(network: Any) -> Iterator[Any]:
    """Let a network give its raw outputs, a tensor a branch of its head, and not its boxes."""
    head = head_of(network)
    head.forward = partial(_raw, head)
    try:
        yield network
    finally:
        head.__dict__.pop("forward", None)
        head.shape = None


def _all_stages(block: Any, x: Any) -> Any:
    import torch

    stages = [block.cv0(x), block.cv1(x)]
    stages.extend(stage(stages[-1]) for stage in block.m)
    return block.cv2(torch.cat(stages, 1))


def _two_ways(block: Any, x: Any) -> Any:
    import torch

    return block.cv2(torch.cat((block.cv0(x), block.m(block.cv1(x))), 1))


def _handed_on(x: Any) -> Any:
    # An operation of its own, so that the sum after it stays one of two inputs.
    return x * 1.0


def _raw(head: Any, levels: Sequence[Any]) -> list[Any]:
    return [branch(levels[number % head.nl]) for number, branch in enumerate(branches(head))]


def _half(conv: Any, number: int) -> Any:
    """Return the first or second half of a convolution's outputs as one of its own."""
    half = copy.deepcopy(conv)
    width = conv.conv.out_channels // 2
    own = slice(number * width, (number + 1) * width)
    _set_rows(half, {name: value[own] for name, value in _rows(conv).items()}, width)
    return half


def _joined(first: Any, second: Any) -> Any:
    import torch

    if first.conv.out_channels != second.conv.out_channels:
        raise ValueError(f"halves of {first.conv.out_channels} and {second.conv.out_channels} channels")
    whole = copy.deepcopy(first)
    others = _rows(second)
    rows = {name: torch.cat((value, others[name])) for name, value in _rows(first).items()}
    _set_rows(whole, rows, 2 * first.conv.out_channels)
    return whole


def _rows(conv: Any) -> dict[str, Any]:
    """Return all that has a row an output channel."""
    batch_norm = conv.bn
    return {
        "conv.weight": conv.conv.weight.data,
        "bn.weight": batch_norm.weight.data,
        "bn.bias": batch_norm.bias.data,
        "bn.running_mean": batch_norm.running_mean,
        "bn.running_var": batch_norm.running_var,
    }


def _set_rows(conv: Any, rows: dict[str, Any], width: int) -> None:
    for name, value in rows.items():
        part, _, field = name.partition(".")
        found = getattr(getattr(conv, part), field)
        found.data = value.clone()
    conv.conv.out_channels = conv.bn.num_features = width
