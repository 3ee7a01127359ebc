"""Signed activations become unsigned, and mean the same."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

from benchsuite.networks.onnx_unsigned import make_unsigned

IMAGE = np.random.default_rng(0).normal(size=(1, 2, 4, 4)).astype(np.float32)


def quantised(zero_point: int) -> onnx.ModelProto:
    """Return a convolution between Q/DQ pairs, its weights signed; both pairs share a zero point's name."""
    weights = np.random.default_rng(1).integers(-127, 127, (3, 2, 1, 1)).astype(np.int8)
    initializers = {
        "scale": np.float32(0.03),
        "zero": np.int8(zero_point),
        "weight_scale": np.float32(0.01),
        "weight_zero": np.int8(0),
        "weights": weights,
    }
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["x_q"]),
        helper.make_node("DequantizeLinear", ["x_q", "scale", "zero"], ["x_d"]),
        helper.make_node("DequantizeLinear", ["weights", "weight_scale", "weight_zero"], ["w_d"]),
        helper.make_node("Conv", ["x_d", "w_d"], ["c"]),
        helper.make_node("QuantizeLinear", ["c", "scale", "zero"], ["c_q"]),
        helper.make_node("DequantizeLinear", ["c_q", "scale", "zero"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "quantised",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, IMAGE.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (1, 3, 4, 4))],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in initializers.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def output(model: onnx.ModelProto) -> np.ndarray:
    options = ort.SessionOptions()
    # Its optimiser would round otherwise in integer kernels.
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"]).run(None, {"x": IMAGE})[0]


def test_activations_become_unsigned_and_the_output_stays() -> None:
    """Weights and their zero points keep their type, and a file that has no signed activation is left alone."""
    for zero_point in (0, 5):
        model = quantised(zero_point)
        before = output(model)
        assert make_unsigned(model) == 2
        onnx.checker.check_model(model)
        np.testing.assert_array_equal(output(model), before)
        known = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
        types = [known[node.input[2]].dtype for node in model.graph.node if len(node.input) > 2]
        assert types == [np.uint8, np.uint8, np.int8, np.uint8, np.uint8]
        assert make_unsigned(model) == 0
