"""NCNN's integer layers are chosen by the graph, scaled by ranges and rounded as NCNN rounds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from benchsuite.backends.ncnn.winograd import overflowing
from benchsuite.networks.ncnn_network import Layer, Network, Weights
from benchsuite.quantize.ncnn_int8 import (
    Int8Options,
    observed_blobs,
    quantised,
    quantised_layers,
    rounded,
)
from benchsuite.terms.errors import BuildError

MEANS = {"body": np.zeros(4)}


def conv(name: str, source: str, target: str, kind: str = "Convolution", channels: int = 4, **params: int) -> Layer:
    """Build a 3×3 convolution of four input channels."""
    count = channels * 9 * (1 if kind == "ConvolutionDepthWise" else 4)
    values = {"0": channels, "1": 3, "6": count, **{key[1:]: value for key, value in params.items()}}
    if kind == "ConvolutionDepthWise":
        values["7"] = channels
    weight = np.linspace(-1, 1, count, dtype=np.float32)
    return Layer(kind, name, (source,), (target,), {k: str(v) for k, v in values.items()}, Weights("fp32", weight))


def pool(source: str, target: str, **params: str) -> Layer:
    """Build a pooling that halves the size, or a global one."""
    return Layer("Pooling", "pool", (source,), (target,), {"1": "2", "2": "2", **params})


def make_network() -> Network:
    """Build a stem, a body behind a Split, a depthwise, a branch end that is reshaped and joined, and a DFL."""
    return Network(
        (
            Layer("Input", "in0", (), ("in0",)),
            conv("stem", "in0", "a"),
            Layer("Split", "split", ("a",), ("a1", "a2")),
            conv("body", "a1", "b"),
            conv("depthwise", "a2", "c", "ConvolutionDepthWise"),
            conv("end", "b", "d"),
            Layer("Reshape", "flat", ("d",), ("e",)),
            conv("qkv", "c", "f"),
            Layer("Reshape", "heads", ("f",), ("g",)),
            Layer("Slice", "parts", ("g",), ("h", "i")),
            Layer("Concat", "joined", ("e", "h"), ("j",)),
            conv("dfl", "j", "k", channels=1),
        ),
        12,
    )


def test_stem_ends_depthwise_and_dfl_stay_float() -> None:
    """Which layers become integer follows from where they stand: attention's reshaped convolution does, an end not."""
    network = make_network()
    late = Int8Options(float_early=False)
    assert quantised_layers(network, late) == ("body", "qkv")
    assert quantised_layers(network, replace(late, float_depthwise=False)) == ("body", "depthwise", "qkv")
    assert quantised_layers(network, replace(late, float_ends=False)) == ("body", "end", "qkv")


def test_what_works_on_large_maps_stays_float() -> None:
    """Up to a quarter of the picture's size nothing is integer, also behind what does not change the size."""
    network = Network(
        (
            Layer("Input", "in0", (), ("in0",)),
            conv("stem", "in0", "a", _3=2),
            conv("p2", "a", "b", _3=2),
            Layer("Swish", "silu", ("b",), ("c",)),
            conv("same", "c", "d"),
            conv("p3", "d", "e", _3=2),
        ),
        6,
    )
    assert quantised_layers(network, Int8Options()) == ("p3",)
    pooled = replace(network, layers=(*network.layers[:3], pool("b", "c"), *network.layers[4:]))
    assert quantised_layers(pooled, Int8Options()) == ("same", "p3")
    whole = replace(network, layers=(*network.layers[:3], pool("b", "c", **{"4": "1"}), *network.layers[4:]))
    assert quantised_layers(whole, Int8Options()) == ("p3",)
    assert quantised_layers(network, Int8Options(float_early=False)) == ("p2", "same", "p3")


def test_outputs_of_a_split_are_one_tensor() -> None:
    """A layer behind a Split is observed at the Split's input."""
    assert observed_blobs(make_network(), ("body", "qkv")) == {"body": "a", "qkv": "c"}


def test_rounding_is_half_away_from_zero() -> None:
    """Halves go away from zero, unlike NumPy's, and nothing goes beyond ±127."""
    values = np.array([0.5, -0.5, 1.5, -2.5, 126.6, 300.0, -300.0], np.float32)
    assert rounded(values).tolist() == [1, -1, 2, -3, 127, 127, -127]


def test_scales_are_those_of_channel_and_threshold() -> None:
    """Each channel's largest weight becomes 127, and the activation's threshold does."""
    body = next(layer for layer in quantised(make_network(), {"body": 6.0}, MEANS).layers if layer.name == "body")
    assert isinstance(body.weights, Weights)
    assert body.weights.storage == "int8"
    assert body.params["8"] == "2"
    assert np.abs(body.weights.weight.reshape(4, -1)).max(axis=1).tolist() == [127] * 4
    assert body.weights.input_scale is not None
    assert body.weights.input_scale[0] == pytest.approx(127 / 6)


def test_bias_takes_back_what_rounding_adds_on_average() -> None:
    """The mean output of an integer layer is the float layer's, for an input of the observed means."""
    network = make_network()
    (exact,) = (layer.weights for layer in network.layers if layer.name == "body")
    assert isinstance(exact, Weights)
    bias = np.array([0.5, -0.5, 1.0, 2.0], np.float32)
    biased = tuple(
        replace(layer, weights=replace(exact, bias=bias)) if layer.name == "body" else layer for layer in network.layers
    )
    means = np.array([0.1, 3.0, -2.0, 7.0])
    layers = quantised(replace(network, layers=biased), {"body": 6.0}, {"body": means}).layers
    body = next(layer.weights for layer in layers if layer.name == "body")
    assert isinstance(body, Weights)
    assert body.weight_scales is not None
    assert body.bias is not None

    def output(weight: npt.NDArray[Any], added: npt.NDArray[Any]) -> npt.NDArray[Any]:
        sums: npt.NDArray[Any] = weight.reshape(4, 4, 9).astype(float).sum(axis=2) @ means + added
        return sums

    stored = body.weight.reshape(4, -1) / body.weight_scales[:, None]
    wanted = output(exact.weight, bias)
    assert np.abs(output(stored, bias) - wanted).max() > 0.01
    assert output(stored, body.bias) == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize("threshold", [0.0, float("nan"), float("inf")])
def test_layer_without_a_range_is_an_error(threshold: float) -> None:
    """An input that was zero or not finite throughout has no scale, and the layer is named."""
    with pytest.raises(BuildError, match="no range for layer body"):
        quantised(make_network(), {"body": threshold}, MEANS)


def test_only_layers_that_could_wrap_are_found() -> None:
    """A 3×3 layer of many full-scale weights can wrap in the Winograd kernel, one of few cannot."""
    assert overflowing(quantised(make_network(), {"body": 1.0}, MEANS)) == ()
    wide = conv("wide", "a1", "b", channels=4)
    many = np.ones(4 * 9 * 64, np.float32)
    wide = Layer("Convolution", "wide", ("a1",), ("b",), {**wide.params, "6": str(many.size)}, Weights("fp32", many))
    network = Network((wide,), 2)
    assert overflowing(quantised(network, {"wide": 1.0}, {"wide": np.zeros(64)})) == ("wide",)
