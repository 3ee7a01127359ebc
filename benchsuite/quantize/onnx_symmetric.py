"""Symmetric INT8 for TensorRT, whose precision is what the ONNX file says: s8 both ways, zero points of 0, else FP16.

Only what a convolution reads is quantised. TensorRT fuses SiLU into the convolution before it, which a Q/DQ pair
between the two would prevent, and moves the pairs through Concat and MaxPool itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchsuite.networks.onnx_fp16 import quantised_to_fp16
from benchsuite.networks.onnx_macs import macs_by_weight
from benchsuite.networks.topology import graph_of_onnx
from benchsuite.quantize.bias import correct_onnx
from benchsuite.quantize.onnx_static import QdqOptions, float_operations, ranges_of
from benchsuite.quantize.ranges import Observed
from benchsuite.terms.errors import BuildError
from benchsuite.terms.said import said

_QUANTISED = ("Conv",)


@dataclass(frozen=True)
class QdqGraph:
    """What a symmetric Q/DQ graph quantises: convolutions by kind, and their share of all multiply-adds."""

    integer_convolutions: int
    float_convolutions: int
    int8_mac_share: float


def quantize_symmetrically(
    prepared: Path, target: Path, observed: Mapping[str, Observed], float_groups: tuple[str, ...], method: str
) -> None:
    """Write a prepared model to `target` with symmetric ranges that `method` reads from what was observed.

    Raises BuildError where the written graph is not what TensorRT takes.
    """
    import onnx
    from onnxruntime.quantization import QDQQuantizer, QuantType

    model = onnx.load(prepared)
    graph = graph_of_onnx(model)
    floats = float_operations(graph, QdqOptions(float_groups=float_groups))
    quantizer = QDQQuantizer(
        model,
        per_channel=True,
        reduce_range=False,
        weight_qType=QuantType.QInt8,
        activation_qType=QuantType.QInt8,
        tensors_range=ranges_of(observed, graph, floats, method),
        nodes_to_quantize=[],
        nodes_to_exclude=sorted(floats),
        op_types_to_quantize=list(_QUANTISED),
        extra_options={
            "ActivationSymmetric": True,
            "WeightSymmetric": True,
            # TensorRT adds the bias in float.
            "QuantizeBias": False,
            "OpTypesToExcludeOutputQuantization": list(_QUANTISED),
        },
    )
    quantizer.quantize_model()
    written = quantizer.model.model
    correct_onnx(written, onnx.load(prepared), observed)
    # In FP32, what stays float would take longer than all the rest.
    written = quantised_to_fp16(written)
    read_qdq(written)
    onnx.save(written, target)


def read_qdq(model: Any) -> QdqGraph:
    """Check every Q/DQ node of a model and say what it quantises.

    Raises BuildError for what TensorRT refuses or would compute wrongly: scales that are not positive and finite, zero
    points other than 0, types other than s8, weights without a scale for each channel, a quantised decode.
    """
    import onnx

    nodes = list(model.graph.node)
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    makers = {name: node for node in nodes for name in node.output}
    for node in nodes:
        if node.op_type in ("QuantizeLinear", "DequantizeLinear"):
            _check_node(node, constants)
    decode = graph_of_onnx(model).decode
    macs = macs_by_weight(model)
    quantised_macs: list[int] = []
    float_macs: list[int] = []
    for node in nodes:
        if node.op_type == "QuantizeLinear" and node.name in decode:
            raise BuildError(said("{1} quantises the decode, which would round every score to 0", node.name))
        if node.op_type != "Conv":
            continue
        source, weights = (makers.get(name) for name in node.input[:2])
        dequantised = [maker is not None and maker.op_type == "DequantizeLinear" for maker in (source, weights)]
        if any(dequantised) and not all(dequantised):
            raise BuildError(said("{1} has quantised weights or a quantised input, and needs both", node.name))
        if weights is not None and all(dequantised):
            quantised_macs.append(macs[weights.input[0]])
        else:
            float_macs.append(macs[node.input[1]])
    share = sum(quantised_macs) / sum((*quantised_macs, *float_macs))
    return QdqGraph(len(quantised_macs), len(float_macs), share)


def _check_node(node: Any, constants: Mapping[str, Any]) -> None:
    scale = constants[node.input[1]]
    if not (np.isfinite(scale).all() and (scale > 0).all()):
        raise BuildError(
            said("{1} has a scale that is not positive: calibrate on images that excite every layer", node.name)
        )
    zero = constants[node.input[2]] if len(node.input) > 2 else np.zeros((), np.int8)
    if zero.dtype != np.int8:
        raise BuildError(
            said("{1} stores {2}, and TensorRT takes int8 only: use qdq-s8s8-symmetric", node.name, zero.dtype)
        )
    if zero.any():
        point = int(zero.flat[0])
        raise BuildError(
            said("{1} has zero point {2}, and TensorRT takes 0 only: use qdq-s8s8-symmetric", node.name, point)
        )
    weights = constants.get(node.input[0])
    if weights is None:
        if scale.size != 1:
            raise BuildError(
                said("{1} has {2} scales for an activation, and TensorRT takes one", node.name, scale.size)
            )
        return
    axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 1)
    if axis != 0 or scale.size != weights.shape[0]:
        raise BuildError(
            said(
                "{1} has {2} scales on axis {3} for {4} output channels", node.name, scale.size, axis, weights.shape[0]
            )
        )
