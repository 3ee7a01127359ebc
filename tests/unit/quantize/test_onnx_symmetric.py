"""Symmetric Q/DQ graphs are what TensorRT takes, node by node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchsuite.quantize.onnx_static import observe_onnx
from benchsuite.quantize.onnx_symmetric import quantize_symmetrically, read_qdq
from benchsuite.terms.errors import BuildError
from benchsuite.testing import save_onnx

IMAGES = np.linspace(0, 1, 192, dtype=np.float32).reshape(1, 3, 8, 8)


def write_detector(path: Path) -> None:
    """Write a first convolution, a body, and two branches that are joined."""
    onnx: Any = pytest.importorskip("onnx")
    helper = onnx.helper
    rng = np.random.default_rng(0)
    names = ("first", "body", "branch1", "branch2")
    weights = {f"{name}_weights": rng.normal(size=(3, 3, 1, 1)) for name in names}
    reads = {"first": "images", "body": "first_out", "branch1": "body_out", "branch2": "body_out"}
    nodes = [helper.make_node("Conv", [reads[name], f"{name}_weights"], [f"{name}_out"], name) for name in names]
    nodes.append(helper.make_node("Concat", ["branch1_out", "branch2_out"], ["output"], "joined", axis=1))
    save_onnx(path, nodes, weights, [1, 3, 8, 8], [1, 6, 8, 8])


@pytest.fixture
def quantised(tmp_path: Path) -> Any:
    """Return the quantised detector."""
    onnx: Any = pytest.importorskip("onnx")
    write_detector(tmp_path / "model.onnx")
    observed = observe_onnx(tmp_path / "model.onnx", tmp_path / "prepared.onnx", [IMAGES], len(IMAGES))
    quantize_symmetrically(tmp_path / "prepared.onnx", tmp_path / "int8.onnx", observed, (), "minmax")
    return onnx.load(tmp_path / "int8.onnx")


def test_what_convolutions_read_is_symmetric(quantised: Any) -> None:
    """What comes before the branches' ends is int8, these stay float, and no output is quantised."""
    graph = read_qdq(quantised)
    assert (graph.integer_convolutions, graph.float_convolutions) == (2, 2)
    assert graph.int8_mac_share == pytest.approx(2 / 4)
    assert sum(node.op_type == "QuantizeLinear" for node in quantised.graph.node) == 2


def test_named_groups_stay_float(tmp_path: Path) -> None:
    """A group that a scheme names stays float here too."""
    onnx: Any = pytest.importorskip("onnx")
    write_detector(tmp_path / "model.onnx")
    observed = observe_onnx(tmp_path / "model.onnx", tmp_path / "prepared.onnx", [IMAGES], len(IMAGES))
    quantize_symmetrically(tmp_path / "prepared.onnx", tmp_path / "int8.onnx", observed, ("neck",), "minmax")
    assert not any(node.op_type == "QuantizeLinear" for node in onnx.load(tmp_path / "int8.onnx").graph.node)


def test_it_computes_what_the_float_model_computes(quantised: Any, tmp_path: Path) -> None:
    """Quantised on the images that it then sees, the model is off by no more than its steps."""
    ort: Any = pytest.importorskip("onnxruntime")
    outputs = [
        ort.InferenceSession(str(tmp_path / name), providers=["CPUExecutionProvider"]).run(None, {"images": IMAGES})[0]
        for name in ("model.onnx", "int8.onnx")
    ]
    assert 0 < np.abs(outputs[0] - outputs[1]).max() < 0.02 * np.abs(outputs[0]).max()


def change(model: Any, name: str, values: Any) -> None:
    """Give an initializer other values."""
    onnx: Any = pytest.importorskip("onnx")
    (tensor,) = (it for it in model.graph.initializer if it.name == name)
    tensor.CopyFrom(onnx.numpy_helper.from_array(values, name))


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("first_out_scale", np.array(0, np.float32), "has a scale that is not positive"),
        ("first_out_scale", np.array(np.nan, np.float32), "has a scale that is not positive"),
        ("first_out_scale", np.ones(3, np.float32), "has 3 scales for an activation, and TensorRT takes one"),
        ("first_out_zero_point", np.array(3, np.int8), "has zero point 3, and TensorRT takes 0 only"),
        ("first_out_zero_point", np.array(0, np.uint8), "stores uint8, and TensorRT takes int8 only"),
        ("body_weights_scale", np.ones(1, np.float32), "has 1 scales on axis 0 for 3 output channels"),
    ],
)
def test_what_tensorrt_refuses_is_said(quantised: Any, name: str, values: Any, message: str) -> None:
    """A scale, a zero point or a type that TensorRT does not take is refused, with the node's name."""
    change(quantised, name, values)
    with pytest.raises(BuildError, match=message):
        read_qdq(quantised)


def test_quantised_decode_and_half_a_pair_are_said(quantised: Any) -> None:
    """One scale over boxes and scores, and a convolution with only one quantised input, are refused."""
    onnx: Any = pytest.importorskip("onnx")
    decoding = type(quantised)()
    decoding.CopyFrom(quantised)
    pair = ["first_out_scale", "first_out_zero_point"]
    last = next(node for node in decoding.graph.node if node.name == "joined")
    last.output[0] = "raw"
    decoding.graph.node.extend(
        [
            onnx.helper.make_node("QuantizeLinear", ["raw", *pair], ["raw_q"], "quantised_output"),
            onnx.helper.make_node("DequantizeLinear", ["raw_q", *pair], ["output"], "dequantised_output"),
        ]
    )
    with pytest.raises(BuildError, match="quantised_output quantises the decode"):
        read_qdq(decoding)
    body = next(node for node in quantised.graph.node if node.name == "body")
    body.input[0] = "first_out"
    with pytest.raises(BuildError, match="body has quantised weights or a quantised input, and needs both"):
        read_qdq(quantised)
