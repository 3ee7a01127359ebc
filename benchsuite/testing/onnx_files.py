"""Small ONNX files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def save_onnx(
    path: Path,
    nodes: Sequence[Any],
    weights: Mapping[str, Any],
    images: Sequence[int],
    output: Sequence[int],
    opset: int = 17,
) -> None:
    """Write an ONNX model from `images` to `output`, tensors of these shapes; weights are stored as float32."""
    import onnx

    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info("images", kind, images)],
        [helper.make_tensor_value_info("output", kind, output)],
        [onnx.numpy_helper.from_array(values.astype("float32"), name) for name, values in weights.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8), path)
