"""Quantised ONNX files whose activations become unsigned, which x86 kernels multiply two to four times as fast."""

from __future__ import annotations

from typing import Any

import numpy as np

# What a signed number is raised by; scales stay, so every value that is meant is the same.
_RAISED = 128
_QUANTIZE, _DEQUANTIZE = "QuantizeLinear", "DequantizeLinear"


def make_unsigned(model: Any) -> int:
    """Let every signed 8-bit activation of an onnx.ModelProto be unsigned, and return how many there were.

    Weights, which are initializers or come from one, keep their type.
    """
    from onnx import numpy_helper

    known = {tensor.name: tensor for tensor in model.graph.initializer}
    constants = _constants(model, known)
    raised: dict[str, str] = {}
    signed: set[str] = set()
    for node in model.graph.node:
        if node.op_type == _QUANTIZE and node.input[0] not in constants and len(node.input) > 2:
            zero_point = known.get(node.input[2])
            if zero_point is None or numpy_helper.to_array(zero_point).dtype != np.int8:
                continue
            node.input[2] = _raised(model, zero_point, raised)
            signed.update(node.output)
    for node in model.graph.node:
        if node.op_type == _DEQUANTIZE and node.input[0] in signed:
            node.input[2] = _raised(model, known[node.input[2]], raised)
    del model.graph.value_info[:]
    return len(signed)


def _constants(model: Any, known: dict[str, Any]) -> set[str]:
    """Name the tensors that are the same in every call."""
    found = set(known)
    for node in model.graph.node:
        if node.op_type == "Constant" or (node.input and all(not name or name in found for name in node.input)):
            found.update(node.output)
    return found


def _raised(model: Any, zero_point: Any, raised: dict[str, str]) -> str:
    from onnx import numpy_helper

    if zero_point.name not in raised:
        values = (numpy_helper.to_array(zero_point).astype(np.int16) + _RAISED).astype(np.uint8)
        raised[zero_point.name] = f"{zero_point.name}_unsigned"
        model.graph.initializer.append(numpy_helper.from_array(values, raised[zero_point.name]))
    return raised[zero_point.name]
