"""ONNX graphs that cannot be quantised are refused in one sentence, and nothing is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchsuite.errors import BuildError
from benchsuite.quantize.onnx_static import quantize_onnx_dynamically


def write_model(path: Path, opset: int, branches: int) -> None:
    """Write a stem and some convolutions that are joined, as the branches of a head are."""
    onnx: Any = pytest.importorskip("onnx")
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    weights = [numpy_helper.from_array(np.ones((3, 3, 1, 1), np.float32), f"w{index}") for index in range(branches + 1)]
    nodes = [helper.make_node("Conv", ["images", "w0"], ["stem"], "stem")]
    for index in range(1, branches + 1):
        nodes.append(helper.make_node("Conv", ["stem", f"w{index}"], [f"b{index}"], f"branch{index}"))
    ends = [f"b{index}" for index in range(1, branches + 1)]
    nodes.append(helper.make_node("Concat", ends, ["output"], "joined", axis=1))
    shape = [1, 3, 8, 8]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("images", onnx.TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("output", onnx.TensorProto.FLOAT, [1, 3 * branches, 8, 8])],
        weights,
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8), path)


@pytest.mark.parametrize(
    ("opset", "branches", "message"),
    [
        (11, 2, "has opset 11, and quantising one scale a channel needs 13 or later: export it anew"),
        (17, 1, "has no head that is recognised: 1 convolutions feed its decode"),
    ],
)
def test_what_cannot_be_quantised_is_said(tmp_path: Path, opset: int, branches: int, message: str) -> None:
    """Too old an opset and a graph without a head's branches are errors, not half a file."""
    write_model(tmp_path / "model.onnx", opset, branches)
    with pytest.raises(BuildError, match=message):
        quantize_onnx_dynamically(tmp_path / "model.onnx", tmp_path / "int8.onnx")
    assert not (tmp_path / "int8.onnx").exists()


def test_a_graph_with_a_head_is_quantised(tmp_path: Path) -> None:
    """Two branches are a head: the stem becomes integer, the branches' ends stay float."""
    onnx: Any = pytest.importorskip("onnx")
    write_model(tmp_path / "model.onnx", 17, 2)
    quantize_onnx_dynamically(tmp_path / "model.onnx", tmp_path / "int8.onnx")
    kinds = [node.op_type for node in onnx.load(tmp_path / "int8.onnx").graph.node]
    assert kinds.count("ConvInteger") == 1
    assert kinds.count("Conv") == 2
