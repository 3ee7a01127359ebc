"""INT8 for NCNN, whose package has no quantiser: thresholds from calibration images, weights stored as int8.

An activation is multiplied by 127 / threshold and rounded, a weight by 127 / the largest of its output channel; both
are symmetric. NCNN rounds half away from zero. The convolutions up to a quarter of the picture's size, the last one of
each head branch and the DFL stay float, and so do depthwise ones, whose integer kernels are slower than the float ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchsuite.networks.ncnn_network import (
    CONVOLUTIONS,
    LEVELS,
    Array,
    Layer,
    Network,
    Weights,
    read_network,
    write_network,
)
from benchsuite.quantize.bias import mean_shift
from benchsuite.quantize.ranges import Means, Observed, Tally
from benchsuite.terms.errors import BuildError
from benchsuite.terms.said import said

FloatArray = npt.NDArray[np.float32]

FILES = "model.ncnn.param", "model.ncnn.bin"
# Up to this stride rounding costs most agreement, and integer kernels gain little on the few channels.
_EARLY = 4


@dataclass(frozen=True)
class Int8Options:
    """What stays float: depthwise convolutions, the last one of each head branch, and those up to a quarter's size."""

    float_depthwise: bool = True
    float_ends: bool = True
    float_early: bool = True


def observe_ncnn(source: Path, images: Iterable[FloatArray]) -> Mapping[str, Observed]:
    """Return what each convolution of the network in folder `source` reads, by the name of its input blob.

    Images are (3, imgsz, imgsz), RGB 0 to 1. Raises BuildError for a network that is not understood.
    """
    network = read_network(*(source / name for name in FILES))
    every = Int8Options(float_depthwise=False, float_ends=False, float_early=False)
    blobs = sorted(set(observed_blobs(network, quantised_layers(network, every)).values()))
    extract = _extractor(source, blobs)
    tally = Tally()
    for image in images:
        for blob, values in extract(image):
            tally.add(blob, values)
    return tally.observed


def quantize_ncnn(
    source: Path, target: Path, observed: Mapping[str, Observed], options: Int8Options, method: str
) -> None:
    """Write the network in folder `source` to folder `target` with ranges that `method` reads from `observed`.

    Raises BuildError for a network that is not understood and for calibration that leaves a layer without a range.
    """
    network = read_network(*(source / name for name in FILES))
    chosen = quantised_layers(network, options)
    if not chosen:
        raise BuildError(said("the network has no convolution that could be quantised"))
    inputs = {name: observed[blob] for name, blob in observed_blobs(network, chosen).items()}
    thresholds = {name: max(map(abs, found.bounds(method))) for name, found in inputs.items()}
    means = {name: found.means for name, found in inputs.items()}
    write_network(quantised(network, thresholds, means), *(target / name for name in FILES))


def quantised_layers(network: Network, options: Int8Options) -> tuple[str, ...]:
    """Return the names of the convolutions that become integer, found by where they stand in the graph."""
    consumers: dict[str, list[Layer]] = {}
    makers: dict[str, Layer] = {}
    for layer in network.layers:
        for blob in layer.inputs:
            consumers.setdefault(blob, []).append(layer)
        for blob in layer.outputs:
            makers[blob] = layer

    def first(layer: Layer) -> bool:
        return makers[layer.inputs[0]].kind == "Input"

    def end(layer: Layer) -> bool:
        """A branch ends where a convolution is only reshaped and then joined with the other strides."""
        after = consumers.get(layer.outputs[0], [])
        if len(after) != 1 or after[0].kind != "Reshape":
            return False
        joined = consumers.get(after[0].outputs[0], [])
        return len(joined) == 1 and joined[0].kind == "Concat"

    shrunk: dict[str, int] = {}
    chosen = []
    for layer in network.layers:
        factor = max((shrunk[blob] for blob in layer.inputs), default=1) * _stride(layer)
        shrunk |= dict.fromkeys(layer.outputs, factor)
        if options.float_early and factor <= _EARLY:
            continue
        if layer.kind not in CONVOLUTIONS or first(layer) or layer.channels == 1:
            continue
        if layer.kind == "ConvolutionDepthWise" and options.float_depthwise:
            continue
        if options.float_ends and end(layer):
            continue
        chosen.append(layer.name)
    return tuple(chosen)


def _stride(layer: Layer) -> int:
    if layer.kind in CONVOLUTIONS:
        return layer.number(3, 1)
    # Global and adaptive pooling have no stride.
    pools = layer.kind == "Pooling" and not layer.number(4) and not layer.number(7)
    return layer.number(2, 1) if pools else 1


def observed_blobs(network: Network, names: Sequence[str]) -> Mapping[str, str]:
    """Return for each layer the blob that it reads, traced back through Split, whose outputs are the same tensor."""
    split = {blob: layer.inputs[0] for layer in network.layers if layer.kind == "Split" for blob in layer.outputs}
    found = {}
    for layer in network.layers:
        if layer.name in names:
            blob = layer.inputs[0]
            while blob in split:
                blob = split[blob]
            found[layer.name] = blob
    return found


def quantised(network: Network, thresholds: Mapping[str, float], means: Mapping[str, Means]) -> Network:
    """Return the network with the layers that have a threshold stored as int8.

    `means` (channels,) are those of what each of these layers reads.
    """
    return replace(
        network,
        layers=tuple(
            _quantised(layer, thresholds[layer.name], means[layer.name]) if layer.name in thresholds else layer
            for layer in network.layers
        ),
    )


def _quantised(layer: Layer, threshold: float, means: Means) -> Layer:
    if not np.isfinite(threshold) or threshold <= 0:
        raise BuildError(
            said("calibration found no range for layer {1}: its input was {2} throughout", layer.name, threshold)
        )
    assert isinstance(layer.weights, Weights)
    rows = layer.channels if layer.kind == "Convolution" else layer.groups
    weight = layer.weights.weight.astype(np.float32).reshape(rows, -1)
    largest = np.abs(weight).max(axis=1)
    # A channel of zeros has nothing to scale.
    scales = (LEVELS / np.where(largest > 0, largest, LEVELS)).astype(np.float32)
    stored = rounded(weight * scales[:, None])
    params = {**layer.params, "8": "2" if layer.kind == "Convolution" else "1"}
    error = stored / scales[:, None].astype(np.float64) - weight
    groups = max(layer.groups, 1)
    shift = mean_shift(error.reshape(layer.channels, len(means) // groups, -1), means, groups)
    bias = layer.weights.bias
    if bias is not None:
        bias = (bias - shift).astype(np.float32)
    weights = Weights("int8", stored.ravel(), bias, scales, np.array([LEVELS / threshold], np.float32))
    return replace(layer, params=params, weights=weights)


def rounded(values: FloatArray) -> npt.NDArray[np.int8]:
    """Round half away from zero, as NCNN does, and clamp to ±127."""
    whole = np.trunc(values + np.copysign(np.float32(0.5), values))
    clamped: npt.NDArray[np.int8] = np.clip(whole, -LEVELS, LEVELS).astype(np.int8)
    return clamped


def _extractor(folder: Path, blobs: Sequence[str]) -> Callable[[FloatArray], Iterable[tuple[str, Array]]]:
    import ncnn

    net = ncnn.Net()
    net.opt.use_vulkan_compute = False
    # Every blob is kept until it has been read, and none is narrowed.
    net.opt.lightmode = False
    for name in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic"):
        setattr(net.opt, name, False)
    for load, name in ((net.load_param, "model.ncnn.param"), (net.load_model, "model.ncnn.bin")):
        if load(str(folder / name)):
            raise BuildError(said("ncnn could not load {1} to calibrate it", name))
    source = net.input_names()[0]

    def extract(image: FloatArray) -> Iterable[tuple[str, Array]]:
        extractor = net.create_extractor()
        extractor.set_light_mode(False)
        kept: Any = ncnn.Mat(image)
        extractor.input(source, kept)
        for blob in blobs:
            code, values = extractor.extract(blob)
            if code:
                raise BuildError(said("ncnn could not compute {1} to calibrate it (code {2})", blob, code))
            yield blob, np.asarray(values)

    return extract
