"""The multiply-adds of an ONNX model's convolutions, quantised or not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

# Convolutions and which of their inputs holds the weights.
WEIGHT_INPUTS = {"Conv": 1, "ConvInteger": 1, "QLinearConv": 3}


def macs_by_weight(model: Any) -> dict[str, int]:
    """Return the multiply-adds of each convolution of an onnx.ModelProto, by the name of its stored weights."""
    return {weight: macs for _, weight, macs in _convolutions(model)}


def macs_by_node(model: Any) -> dict[str, int]:
    """Return the multiply-adds of each convolution of an onnx.ModelProto, by the name of its node."""
    return {node: macs for node, _, macs in _convolutions(model)}


def _convolutions(model: Any) -> Iterator[tuple[str, str, int]]:
    import onnx

    graph = onnx.shape_inference.infer_shapes(model).graph
    shapes = {
        # An open batch counts as one image.
        value.name: [dim.dim_value or 1 for dim in value.type.tensor_type.shape.dim]
        for value in (*graph.value_info, *graph.output)
    }
    weights = {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    dequantised = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "DequantizeLinear"}
    for node in graph.node:
        if node.op_type in WEIGHT_INPUTS:
            stored = node.input[WEIGHT_INPUTS[node.op_type]]
            weight = dequantised.get(stored, stored)
            # Shapes are inferred up to the first of the runtime's own operations; a quantised tensor is named after
            # the float one, whose shape stands in the file.
            shape = shapes.get(node.output[0]) or shapes[node.output[0].removesuffix("_quantized")]
            yield node.name, weight, int(np.prod(shape) * np.prod(weights[weight][1:]))
