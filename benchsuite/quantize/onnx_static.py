"""Static INT8 quantisation of ONNX detectors for ONNX Runtime: Q/DQ around everything that has an integer kernel.

A convolution becomes integer only between a DequantizeLinear and a QuantizeLinear, so SiLU's Sigmoid and Mul, Add,
Concat, MaxPool and Resize between convolutions are quantised too. Attention and the decode stay float: one scale over
boxes (0 to 640) and scores (0 to 1) would round every score to 0.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from benchsuite.quantize.topology import Graph, graph_of_onnx

FloatArray = npt.NDArray[np.float32]
Method = Literal["percentile", "minmax", "entropy"]

_QUANTISED = ("Conv", "Sigmoid", "Mul", "Add", "Concat", "MaxPool", "Resize", "Split")
_PERCENTILE = 99.999
# silu(-8) is -0.003: what lies below needs no resolution, and calibrated minima reach -40.
_LOWEST_BEFORE_SILU = -8.0


@dataclass(frozen=True)
class QdqOptions:
    """What is quantised and how; `float_head` says from where on the head stays float."""

    activations: Literal["u8", "s8"] = "u8"
    float_head: Literal["branches", "branch_ends", "decode"] = "branch_ends"
    per_channel: bool = True
    seven_bit_weights: bool = False


def quantize_onnx(source: Path, target: Path, batches: Iterable[FloatArray], options: QdqOptions, method: str) -> None:
    """Write `source` to `target` with ranges that the batches set: each batch has the shape of the model's input.

    Memory stays that of one batch: every activation is kept only until it has been counted.
    """
    import onnx
    from onnxruntime.quantization import QDQQuantizer, QuantType, quant_pre_process

    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        # Symbolic inference is for dynamic shapes, and these are fixed.
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        ranges = _calibrate(prepared, Path(folder) / "augmented.onnx", batches, method)
        model = onnx.load(prepared)
    graph = graph_of_onnx(model)
    _clamp_before_silu(ranges, graph)
    activations = QuantType.QUInt8 if options.activations == "u8" else QuantType.QInt8
    quantizer = QDQQuantizer(
        model,
        options.per_channel,
        options.seven_bit_weights,
        QuantType.QInt8,
        activations,
        ranges,
        nodes_to_quantize=[],
        nodes_to_exclude=sorted(_float_operations(graph, options)),
        op_types_to_quantize=list(_QUANTISED),
        extra_options={},
    )
    quantizer.quantize_model()
    quantizer.model.save_model_to_file(str(target), False)


class _OneBatch:
    """A calibration reader that gives one batch."""

    def __init__(self, feed: dict[str, FloatArray]) -> None:
        self._feed: dict[str, FloatArray] | None = feed

    def get_next(self) -> dict[str, FloatArray] | None:
        feed, self._feed = self._feed, None
        return feed


def _calibrate(model: Path, augmented: Path, batches: Iterable[FloatArray], method: str) -> Any:
    from onnxruntime.quantization import CalibrationMethod, create_calibrator

    methods = {
        "percentile": (CalibrationMethod.Percentile, {"percentile": _PERCENTILE, "symmetric": True}),
        "minmax": (CalibrationMethod.MinMax, {}),
        "entropy": (CalibrationMethod.Entropy, {}),
    }
    kind, extra = methods[method]
    calibrator = create_calibrator(model, list(_QUANTISED), str(augmented), kind, extra_options=extra)
    name = calibrator.infer_session.get_inputs()[0].name
    for batch in batches:
        calibrator.collect_data(_OneBatch({name: batch}))
    return calibrator.compute_data()


def _clamp_before_silu(ranges: Any, graph: Graph) -> None:
    for tensor in graph.silus:
        found = ranges[tensor]
        if found.lowest < _LOWEST_BEFORE_SILU:
            found.lowest = np.array(_LOWEST_BEFORE_SILU, np.float32)


def _float_operations(graph: Graph, options: QdqOptions) -> frozenset[str]:
    silu = {name for names in graph.silus.values() for name in names}
    other_activations = {op.name for op in graph.ops.values() if op.kind in ("Sigmoid", "Mul")} - silu
    head = {"branches": graph.branches, "branch_ends": graph.branch_ends, "decode": frozenset()}[options.float_head]
    return graph.decode | graph.attention | head | other_activations
