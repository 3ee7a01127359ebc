"""FP16 and BF16 files hold the FP32 weights, rounded once, and take and give FP32."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchsuite.networks.narrow import write_bf16, write_fp16
from benchsuite.testing import save_onnx


@pytest.mark.parametrize(
    ("write", "kind", "bits"), [(write_fp16, "FLOAT16", 11), (write_bf16, "BFLOAT16", 8)], ids=["fp16", "bf16"]
)
def test_weights_are_rounded_once(tmp_path: Path, write: Callable[[Path, Path], None], kind: str, bits: int) -> None:
    """Every weight is within half a step of the FP32 one, and stored in the type that the file is named for."""
    onnx: Any = pytest.importorskip("onnx")
    helper = onnx.helper
    weights = np.random.default_rng(3).uniform(1, 2, (64, 3, 1, 1)).astype(np.float32)
    # Through FP16 it would become a tie between two of BF16's numbers, and go down.
    weights[0, 0] = 1 + 2.0**-8 + 2.0**-13
    nodes = [helper.make_node("Conv", ["images", "weights"], ["output"], "conv")]
    save_onnx(tmp_path / "fp32.onnx", nodes, {"weights": weights}, [1, 3, 8, 8], [1, 64, 8, 8])
    write(tmp_path / "fp32.onnx", tmp_path / "narrow.onnx")

    model = onnx.load(tmp_path / "narrow.onnx")
    (stored,) = (tensor for tensor in model.graph.initializer if tensor.name == "weights")
    assert stored.data_type == getattr(onnx.TensorProto, kind)
    rounded = onnx.numpy_helper.to_array(stored).astype(np.float32)
    assert 0 < np.abs(rounded - weights).max() <= 2.0**-bits
    assert {value.type.tensor_type.elem_type for value in (*model.graph.input, *model.graph.output)} == {
        onnx.TensorProto.FLOAT
    }
    casts = [entry.i for node in model.graph.node if node.op_type == "Cast" for entry in node.attribute]
    assert sorted(casts) == sorted([onnx.TensorProto.FLOAT, getattr(onnx.TensorProto, kind)])
