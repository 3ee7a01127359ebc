"""ONNX files whose floats are FP16 or BF16; inputs and outputs stay FP32, so that a session takes what others take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchsuite.networks.onnx_fp16 import to_fp16


def write_fp16(source: Path, target: Path) -> None:
    """Convert an FP32 ONNX file to FP16."""
    import onnx

    onnx.save(to_fp16(onnx.load(source)), target)


def write_bf16(source: Path, target: Path) -> None:
    """Convert an FP32 ONNX file to BF16: to FP16 first, whose places then take BF16, rounded from the FP32 weights."""
    import onnx

    original = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in onnx.load(source).graph.initializer}
    model = to_fp16(onnx.load(source))
    fp16, bf16 = onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16
    graph = model.graph
    for tensor in graph.initializer:
        if tensor.data_type == fp16:
            _replace(tensor, original[tensor.name])
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.name == "to" and attribute.i == fp16:
                attribute.i = bf16
            elif attribute.t.data_type == fp16:
                _replace(attribute.t, onnx.numpy_helper.to_array(attribute.t))
    for value in (*graph.input, *graph.value_info, *graph.output):
        if value.type.tensor_type.elem_type == fp16:
            value.type.tensor_type.elem_type = bf16
    onnx.save(model, target)


def _replace(tensor: Any, values: Any) -> None:
    """Give a tensor these values in BF16, rounded to the nearest."""
    import ml_dtypes
    import onnx

    name = tensor.name
    tensor.Clear()
    tensor.name = name
    tensor.dims.extend(values.shape)
    tensor.data_type = onnx.TensorProto.BFLOAT16
    tensor.raw_data = np.ascontiguousarray(values.astype(ml_dtypes.bfloat16)).tobytes()
