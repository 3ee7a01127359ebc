"""Static INT8 quantisation of ONNX detectors for ONNX Runtime: Q/DQ around everything that has an integer kernel.

A convolution becomes integer only between a DequantizeLinear and a QuantizeLinear, so Add, Concat, MaxPool and Resize
between convolutions are quantised too. SiLU runs as one float kernel between the two, which takes less time than the
two integer kernels of its Sigmoid and Mul and rounds once instead of twice. What Concat joins has one scale, so that it
only copies. The stem and the stage after it stay float, since integer kernels gain little on their few channels and
their rounding costs most agreement, and so do attention with the convolutions around it and the decode: one scale over
boxes (0 to 640) and scores (0 to 1) would round every score to 0.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from benchsuite.networks.topology import FLOAT_GROUPS, Graph, graph_of_onnx
from benchsuite.quantize.bias import correct_onnx
from benchsuite.quantize.ranges import Observed, Tally
from benchsuite.terms.errors import BuildError
from benchsuite.terms.said import said

FloatArray = npt.NDArray[np.float32]

_QUANTISED = ("Conv", "Sigmoid", "Mul", "Add", "Concat", "MaxPool", "Resize", "Split")
# silu(-8) is -0.003: what lies below needs no resolution, and calibrated minima reach -40.
_LOWEST_BEFORE_SILU = -8.0
# MaxPool has an integer kernel from here on, and scales for each channel came one version later.
_LOWEST_OPSET = 13
_MICROSOFT = "com.microsoft"
# One level with a box and a class branch.
_FEWEST_BRANCHES = 2


@dataclass(frozen=True)
class QdqOptions:
    """What is quantised and how; `float_head` says from where on the head stays float.

    `float_groups` names the groups of `Graph.groups` that stay float.
    """

    activations: Literal["u8", "s8"] = "u8"
    float_head: Literal["branches", "branch_ends", "decode"] = "branch_ends"
    per_channel: bool = True
    seven_bit_weights: bool = False
    fused_operators: bool = False
    integer_silu: bool = False
    float_groups: tuple[str, ...] = FLOAT_GROUPS


def observe_onnx(source: Path, target: Path, batches: Iterable[FloatArray], images: int) -> Mapping[str, Observed]:
    """Write `source`, prepared for quantisation, to `target`, and return what its tensors hold for so many images.

    Each batch has the shape of the model's input; what fills up the last one is not counted. Memory stays that of one
    batch: every activation is kept only until it has been counted. Raises BuildError for a model of too low an opset.
    """
    import onnx
    import onnxruntime
    from onnxruntime.quantization import quant_pre_process

    # Symbolic inference is for dynamic shapes, and these are fixed.
    quant_pre_process(str(source), str(target), skip_symbolic_shape=True)
    model = onnx.load(target)
    _check_opset(model)
    names = _observable(model)
    del model.graph.output[:]
    model.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in names)
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "every-tensor.onnx"
        onnx.save(model, path)
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    feed = session.get_inputs()[0].name
    for batch in batches:
        size, left = len(batch), images
        for name, values in zip(names, session.run(names, {feed: batch}), strict=True):
            tally.add_batch(name, values, size, left)
        tally.add_batch(feed, batch, size, left)
        images -= size
    return tally.observed


def quantize_onnx(
    prepared: Path, target: Path, observed: Mapping[str, Observed], options: QdqOptions, method: str
) -> None:
    """Write a prepared model to `target` with ranges that `method` reads from what was observed."""
    import onnx
    from onnxruntime.quantization import QDQQuantizer, QuantizationMode, QuantType
    from onnxruntime.quantization.onnx_quantizer import ONNXQuantizer

    model = onnx.load(prepared)
    unfused = graph_of_onnx(model)
    ranges = ranges_of(observed, unfused, float_operations(unfused, options), method)
    if not options.integer_silu:
        _fuse_silu(model)
    graph = graph_of_onnx(model)
    activations = QuantType.QUInt8 if options.activations == "u8" else QuantType.QInt8
    setup = {
        "weight_qType": QuantType.QInt8,
        "activation_qType": activations,
        "tensors_range": ranges,
        "nodes_to_quantize": [],
        "nodes_to_exclude": sorted(float_operations(graph, options)),
        "op_types_to_quantize": list(_QUANTISED),
        "extra_options": {},
    }
    if options.fused_operators:
        quantizer = ONNXQuantizer(
            model, options.per_channel, options.seven_bit_weights, QuantizationMode.QLinearOps, True, **setup
        )
    else:
        quantizer = QDQQuantizer(model, options.per_channel, options.seven_bit_weights, **setup)
    quantizer.quantize_model()
    correct_onnx(quantizer.model.model, onnx.load(prepared), observed)
    onnx.save(quantizer.model.model, target)


def quantize_onnx_dynamically(source: Path, target: Path) -> None:
    """Write `source` to `target` with integer weights, and activations whose range is found anew in every call.

    Weights are u8: the runtime has no kernel that multiplies s8 weights with ranges that it finds itself.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    model = onnx.load(source)
    _check_opset(model)
    graph = graph_of_onnx(model)
    quantize_dynamic(
        model,
        str(target),
        op_types_to_quantize=["Conv"],
        weight_type=QuantType.QUInt8,
        nodes_to_exclude=sorted(float_operations(graph, QdqOptions(float_groups=()))),
    )


def _fuse_silu(model: Any) -> None:
    """Replace each Sigmoid and Mul of a SiLU by ONNX Runtime's operation for both."""
    import onnx

    nodes = {node.name: node for node in model.graph.node}
    fused: dict[str, Any] = {}
    gone: set[str] = set()
    for tensor, names in graph_of_onnx(model).silus.items():
        products = [name for name in names if nodes[name].op_type == "Mul"]
        if len(products) != 1:
            continue
        (product,) = products
        fused[product] = onnx.helper.make_node(
            "QuickGelu", [tensor], list(nodes[product].output), f"{product}_silu", domain=_MICROSOFT, alpha=1.0
        )
        gone |= names - {product}
    kept = [fused.get(node.name, node) for node in model.graph.node if node.name not in gone]
    del model.graph.node[:]
    model.graph.node.extend(kept)
    if not any(entry.domain == _MICROSOFT for entry in model.opset_import):
        model.opset_import.append(onnx.helper.make_opsetid(_MICROSOFT, 1))


def _check_opset(model: Any) -> None:
    opset = next((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), 0)
    if opset < _LOWEST_OPSET:
        raise BuildError(
            said(
                "the ONNX model has opset {1}, and quantising one scale a channel needs {2} or later: export it anew",
                opset,
                _LOWEST_OPSET,
            )
        )


def _observable(model: Any) -> list[str]:
    """Name the float tensors that a quantised operation reads or writes, without the model's input."""
    import onnx

    constants = {tensor.name for tensor in model.graph.initializer}
    constants |= {name for node in model.graph.node if node.op_type == "Constant" for name in node.output}
    values = (*model.graph.value_info, *model.graph.output)
    floats = {value.name for value in values if value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT}
    touched = dict.fromkeys(
        name for node in model.graph.node if node.op_type in _QUANTISED for name in (*node.input, *node.output)
    )
    return [name for name in touched if name in floats - constants]


def ranges_of(observed: Mapping[str, Observed], graph: Graph, floats: frozenset[str], method: str) -> Any:
    from onnxruntime.quantization import CalibrationMethod
    from onnxruntime.quantization.calibrate import TensorsData

    bounds = {}
    for name, found in observed.items():
        lowest, highest = found.bounds(method)
        if name in graph.silus:
            lowest = max(lowest, _LOWEST_BEFORE_SILU)
        bounds[name] = lowest, highest
    for names in graph.joined(floats):
        known = [name for name in names if name in bounds]
        if known:
            widest = min(bounds[name][0] for name in known), max(bounds[name][1] for name in known)
            bounds |= dict.fromkeys(known, widest)
    limits = {name: (np.array(low, np.float32), np.array(high, np.float32)) for name, (low, high) in bounds.items()}
    return TensorsData(CalibrationMethod.MinMax, limits)


def float_operations(graph: Graph, options: QdqOptions) -> frozenset[str]:
    if len(graph.branch_ends) < _FEWEST_BRANCHES:
        raise BuildError(
            said(
                "the ONNX graph has no head that is recognised: {1} convolutions feed its decode, and a YOLO "
                "head has at least {2} branches",
                len(graph.branch_ends),
                _FEWEST_BRANCHES,
            )
        )
    silu = {name for names in graph.silus.values() for name in names}
    other_activations = {op.name for op in graph.ops.values() if op.kind in ("Sigmoid", "Mul")} - silu
    head = {"branches": graph.branches, "branch_ends": graph.branch_ends, "decode": frozenset()}[options.float_head]
    groups = frozenset(name for group in options.float_groups for name in graph.groups.get(group, ()))
    return graph.decode | graph.attention | head | groups | other_activations
