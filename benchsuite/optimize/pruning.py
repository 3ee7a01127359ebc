"""Channels of a detector cut by how little they matter, together with all that hangs on them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from benchsuite.optimize.blocks import attentions, branches, followed, halved, head_of, take_apart

Importance = Literal["l1", "l2", "bn", "taylor"]
IMPORTANCES: tuple[Importance, ...] = ("l1", "l2", "bn", "taylor")
# Tracing takes any size that the strides divide.
_TRACED_PX = 128
# Fewer channels than this no runtime computes any faster.
_NARROWEST = 8


@dataclass(frozen=True)
class Group:
    """Convolutions, by their names, that must keep the same channels; attention needs a multiple of `heads`."""

    names: tuple[str, ...]
    channels: int
    heads: int


class Widths(Protocol):
    """Says how many channels are left of a group of layers that must keep the same ones."""

    def width(self, group: Group) -> int:
        """Return how many channels of a group are left."""
        ...


@dataclass(frozen=True)
class FreeWidths:
    """Every layer keeps the same share of its channels, rounded to the nearest multiple."""

    ratio: float
    multiple: int

    def width(self, group: Group) -> int:
        """Return the share that is left, rounded, of what there was at most."""
        step = self.multiple * group.heads
        wanted = group.channels * (1 - self.ratio)
        return min(group.channels, max(step, _NARROWEST, math.floor(wanted / step + 0.5) * step))


@dataclass(frozen=True)
class GivenWidths:
    """Every layer has the width of the layer of its name in another network of the same build."""

    of: Mapping[str, int]

    def width(self, group: Group) -> int:
        """Return the one width that its layers have in the other network."""
        (width,) = {self.of[name] for name in group.names}
        return width


@dataclass(frozen=True)
class Cut:
    """Which channels were taken out, by the name of the batch norm behind them in the network taken apart."""

    removed: Mapping[str, tuple[int, ...]]


def prune(network: Any, widths: Widths, importance: Importance) -> Cut:
    """Cut channels of a network that is taken apart, in eval mode, and whose every parameter requires a gradient."""
    import torch
    import torch_pruning as tp

    names = {module: name for name, module in network.named_modules()}
    streams = _streams(network)
    heads_of = _heads(network)
    removed: dict[str, tuple[int, ...]] = {}

    def note(batch_norm: Any, channels: Sequence[int]) -> None:
        removed[names[batch_norm]] = tuple(channels)

    with followed(network):
        example = torch.zeros(1, 3, _TRACED_PX, _TRACED_PX)
        graph = tp.DependencyGraph().build_dependency(network, example_inputs=example)
    last = [branch[-1] for branch in branches(head_of(network))]
    score = _scored(importance)
    for group in graph.get_all_groups(ignored_layers=last, root_module_types=[torch.nn.Conv2d]):
        root = group[0].dep.target.module
        members = list(_outputs(graph, group))
        heads = math.lcm(*(heads_of.get(module, 1) for module, _ in members))
        own = tuple(names[module] for module, _ in members if isinstance(module, torch.nn.Conv2d))
        width = widths.width(Group(own, root.out_channels, heads))
        if width >= root.out_channels:
            continue
        least = score(group).argsort()[: root.out_channels - width].tolist()
        cut = graph.get_pruning_group(root, tp.prune_conv_out_channels, idxs=sorted(least))
        for module, channels in _outputs(graph, cut):
            if isinstance(module, torch.nn.BatchNorm2d):
                note(module, channels)
            if module in streams:
                _cut_attention(streams[module], channels, note)
        cut.prune()
    return Cut(removed)


def _scored(importance: Importance) -> Callable[[Any], Any]:
    import torch_pruning as tp

    kinds = {
        "l1": lambda: tp.importance.GroupMagnitudeImportance(p=1),
        "l2": lambda: tp.importance.GroupMagnitudeImportance(p=2),
        "bn": lambda: tp.importance.BNScaleImportance(),
        "taylor": lambda: tp.importance.GroupTaylorImportance(),
    }
    scorer: Callable[[Any], Any] = kinds[importance]()
    return scorer


def _outputs(graph: Any, group: Any) -> Iterator[tuple[Any, list[int]]]:
    """Return the modules whose output channels a group takes out, and which; each module once."""
    seen = set()
    for dependency, channels in group:
        module = dependency.target.module
        if graph.is_out_channel_pruning_fn(dependency.handler) and module not in seen:
            seen.add(module)
            yield module, list(channels)


def _streams(network: Any) -> Mapping[Any, Any]:
    """Return the attention that reads and writes a stream of channels by the last convolution that writes to it."""
    from ultralytics.nn.modules.block import PSABlock

    return {block.ffn[1].conv: block.attn for block in network.modules() if isinstance(block, PSABlock)}


def _heads(network: Any) -> Mapping[Any, int]:
    """Return for both halves of blocks with attention of how many heads the width must be a multiple."""
    found: dict[Any, int] = {}
    for block in halved(network):
        heads = math.lcm(*(attention.num_heads for attention in attentions(block)))
        found |= {block.cv0.conv: heads, block.cv1.conv: heads}
    return found


def _cut_attention(attention: Any, removed: Sequence[int], note: Callable[[Any, Sequence[int]], None]) -> None:
    """Take channels of the stream out of attention, and as many values from each head, those that matter least.

    Queries and keys keep their rows: they are few, and the scale of the products hangs on their number.
    """
    import torch_pruning as tp

    heads, key, head = attention.num_heads, attention.key_dim, attention.head_dim
    dim = attention.proj.conv.out_channels
    kept = sorted(set(range(dim)) - set(removed))
    width = len(kept) // heads
    assert width * heads == len(kept)
    rows, columns = [], []
    for number in range(heads):
        first_row, first_column = number * (2 * key + head) + 2 * key, number * head
        weights = attention.qkv.conv.weight.data[first_row : first_row + head, kept].abs().sum((1, 2, 3))
        onward = attention.proj.conv.weight.data[kept, first_column : first_column + head].abs().sum((0, 2, 3))
        least = sorted((weights + onward).argsort()[: head - width].tolist())
        rows += [first_row + value for value in least]
        columns += [first_column + value for value in least]
    note(attention.qkv.bn, rows)
    note(attention.pe.bn, columns)
    note(attention.proj.bn, removed)
    tp.prune_conv_in_channels(attention.qkv.conv, list(removed))
    tp.prune_conv_out_channels(attention.qkv.conv, rows)
    tp.prune_batchnorm_out_channels(attention.qkv.bn, rows)
    tp.prune_depthwise_conv_out_channels(attention.pe.conv, columns)
    tp.prune_batchnorm_out_channels(attention.pe.bn, columns)
    tp.prune_conv_in_channels(attention.proj.conv, columns)
    tp.prune_conv_out_channels(attention.proj.conv, list(removed))
    tp.prune_batchnorm_out_channels(attention.proj.bn, list(removed))
    attention.head_dim = width


def silenced(network: Any, cut: Cut) -> None:
    """Let channels that a cut takes out of a network be zero: what is left must compute what the cut one does."""
    take_apart(network)
    modules = dict(network.named_modules())
    for name, channels in cut.removed.items():
        for values in (modules[name].weight.data, modules[name].bias.data, modules[name].running_mean):
            values[list(channels)] = 0
