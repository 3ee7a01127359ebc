"""NCNN's two files as values: layers with their parameters from .param, their weights from .bin, read to the last byte.

A .param file is text: a magic number, the counts of layers and blobs, and a line a layer. A .bin file holds, in the
order of the layers, what each of them loads and nothing that says where a layer begins: reading it means knowing every
layer that loads weights, so an unknown one is an error and not a guess. (ncnn, src/modelbin.cpp and src/layer.)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from benchsuite.terms.errors import BuildError
from benchsuite.terms.said import said

Array = npt.NDArray[Any]
Storage = Literal["fp32", "fp16", "int8"]

_MAGIC = "7767517"
TAGS: Mapping[int, tuple[Storage, str]] = {
    0x00000000: ("fp32", "<f4"),
    0x0002C056: ("fp32", "<f4"),
    0x01306B47: ("fp16", "<f2"),
    0x000D4B38: ("int8", "<i1"),
}
_TAG_OF: Mapping[str, int] = {"fp32": 0x00000000, "fp16": 0x01306B47, "int8": 0x000D4B38}
# Its int8 is symmetric.
LEVELS = 127
CONVOLUTIONS = ("Convolution", "ConvolutionDepthWise")
# Layers that load nothing from .bin; what is on neither list may load weights that would shift all that follow.
_WEIGHTLESS = frozenset(
    (
        "BinaryOp", "Clip", "Concat", "Crop", "Dropout", "ExpandDims", "Flatten", "GELU", "HardSigmoid", "HardSwish",
        "Input", "Interp", "MatMul", "Mish", "Noop", "Padding", "Permute", "Pooling", "ReLU", "Reduction", "Reshape",
        "ShuffleChannel", "Sigmoid", "Slice", "Softmax", "Split", "Squeeze", "Swish", "TanH", "UnaryOp",
    )
)  # fmt: skip


@dataclass(frozen=True)
class Weights:
    """What a convolution loads; `weight_scales` (an output channel or a group each) and `input_scale` go with int8."""

    storage: Storage
    weight: Array
    bias: Array | None = None
    weight_scales: Array | None = None
    input_scale: Array | None = None


@dataclass(frozen=True)
class Layer:
    """One line of .param; `params` keeps keys, values and their order as they are written."""

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    params: Mapping[str, str] = field(default_factory=dict)
    weights: Weights | Array | None = None

    def number(self, key: int, default: int = 0) -> int:
        """Return a whole-number parameter."""
        return int(self.params.get(str(key), default))

    @property
    def channels(self) -> int:
        """Return the number of output channels of a convolution."""
        return self.number(0)

    @property
    def groups(self) -> int:
        """Return the number of groups of a convolution."""
        return self.number(7, 1) if self.kind == "ConvolutionDepthWise" else 1


@dataclass(frozen=True)
class Network:
    """All layers in order; `blobs` is the count that stands in .param."""

    layers: tuple[Layer, ...]
    blobs: int


def read_network(param: Path, weights: Path) -> Network:
    """Read both files; raises BuildError for anything that is not understood, and for bytes missing or left over."""
    layers, blobs = _read_param(param)
    reader = _Reader(weights)
    network = Network(tuple(_with_weights(layer, reader) for layer in layers), blobs)
    reader.finish()
    return network


def write_network(network: Network, param: Path, weights: Path) -> None:
    """Write both files."""
    lines = [_MAGIC, f"{len(network.layers)} {network.blobs}", *map(_line, network.layers)]
    param.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with weights.open("wb") as file:
        for layer in network.layers:
            if isinstance(layer.weights, Weights):
                file.write(_packed(layer.weights))
            elif layer.weights is not None:
                file.write(layer.weights.astype("<f4").tobytes())


def _read_param(path: Path) -> tuple[tuple[Layer, ...], int]:
    lines = path.read_text(encoding="utf-8").splitlines()
    if len(lines) < 2 or lines[0].strip() != _MAGIC:
        raise BuildError(said("{1} is no NCNN network: it does not begin with {2}", path.name, _MAGIC))
    try:
        count, blobs = map(int, lines[1].split())
        layers = tuple(_layer(line) for line in lines[2:] if line.strip())
    except (ValueError, IndexError) as error:
        raise BuildError(said("{1} is damaged: {2}", path.name, error)) from None
    if len(layers) != count:
        raise BuildError(said("{1} was cut short: it names {2} layers and has {3}", path.name, count, len(layers)))
    return layers, blobs


def _layer(line: str) -> Layer:
    kind, name, inputs, outputs, *rest = line.split()
    ends = int(inputs), int(inputs) + int(outputs)
    params = dict(token.split("=", 1) for token in rest[ends[1] :])
    return Layer(kind, name, tuple(rest[: ends[0]]), tuple(rest[ends[0] : ends[1]]), params)


def _line(layer: Layer) -> str:
    counts = f"{layer.kind:<24} {layer.name:<24} {len(layer.inputs)} {len(layer.outputs)}"
    return " ".join([counts, *layer.inputs, *layer.outputs, *(f"{key}={value}" for key, value in layer.params.items())])


def _with_weights(layer: Layer, reader: _Reader) -> Layer:
    if layer.kind in _WEIGHTLESS:
        return layer
    if layer.kind == "MemoryData":
        if layer.number(21, 1) != 1:
            raise BuildError(
                said("layer {1}: MemoryData with load type {2} is not understood", layer.name, layer.number(21))
            )
        sizes = [layer.number(key) for key in (0, 1, 11, 2) if layer.number(key)]
        return _replace(layer, reader.raw(math.prod(sizes), layer.name))
    if layer.kind not in CONVOLUTIONS:
        raise BuildError(
            said(
                "layer {1} is of the kind {2}, which may carry weights and is not understood: its network "
                "cannot be quantised",
                layer.name,
                layer.kind,
            )
        )
    storage, weight = reader.tagged(layer.number(6), layer.name)
    bias = reader.raw(layer.channels, layer.name) if layer.number(5) else None
    weight_scales = input_scale = None
    if layer.number(8):
        count = layer.channels if layer.kind == "Convolution" else (layer.groups if layer.number(8) == 1 else 1)
        weight_scales, input_scale = reader.raw(count, layer.name), reader.raw(1, layer.name)
    return _replace(layer, Weights(storage, weight, bias, weight_scales, input_scale))


def _replace(layer: Layer, weights: Weights | Array) -> Layer:
    return Layer(layer.kind, layer.name, layer.inputs, layer.outputs, layer.params, weights)


class _Reader:
    """The .bin file, read forward."""

    def __init__(self, path: Path) -> None:
        self._name = path.name
        self._data = path.read_bytes()
        self._at = 0

    def raw(self, count: int, layer: str) -> Array:
        """Read floats that have no tag."""
        return np.frombuffer(self._take(4 * count, layer), "<f4")

    def tagged(self, count: int, layer: str) -> tuple[Storage, Array]:
        """Read a tag, what it says, and the padding to four bytes."""
        tag = int.from_bytes(self._take(4, layer), "little")
        if tag not in TAGS:
            raise BuildError(said("{1}: layer {2} begins with the unknown tag {3}", self._name, layer, f"{tag:#010x}"))
        storage, kind = TAGS[tag]
        size = np.dtype(kind).itemsize * count
        weight = np.frombuffer(self._take(size, layer), kind)
        self._take(-size % 4, layer)
        return storage, weight

    def finish(self) -> None:
        """Raise BuildError unless every byte was read."""
        if self._at != len(self._data):
            raise BuildError(
                said("{1} holds {2} bytes that belong to no layer", self._name, len(self._data) - self._at)
            )

    def _take(self, size: int, layer: str) -> bytes:
        part = self._data[self._at : self._at + size]
        if len(part) != size:
            raise BuildError(said("{1} was cut short: it ends inside layer {2}", self._name, layer))
        self._at += size
        return part


def _packed(weights: Weights) -> bytes:
    kind = {"fp32": "<f4", "fp16": "<f2", "int8": "<i1"}[weights.storage]
    body = weights.weight.astype(kind).tobytes()
    floats = (part for part in (weights.bias, weights.weight_scales, weights.input_scale) if part is not None)
    tail = b"".join(part.astype("<f4").tobytes() for part in floats)
    return _TAG_OF[weights.storage].to_bytes(4, "little") + body + b"\0" * (-len(body) % 4) + tail
