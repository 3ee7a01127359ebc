"""FP32 ONNX models to FP16."""

from __future__ import annotations

from typing import Any

# Since this one Q/DQ nodes take FP16 scales; what else it changed, only adds to what the networks use.
_FP16_SCALES_OPSET = 19


def to_fp16(model: Any) -> Any:
    """Return an onnx.ModelProto whose floats are FP16, those of its in- and outputs excepted."""
    from onnxruntime.transformers.float16 import convert_float_to_float16

    return convert_float_to_float16(model, keep_io_types=True)


def quantised_to_fp16(model: Any) -> Any:
    """Return a Q/DQ model whose scales, and all that is not quantised, are FP16."""
    model = to_fp16(model)
    for opset in model.opset_import:
        if opset.domain == "":
            opset.version = max(opset.version, _FP16_SCALES_OPSET)
    return model
