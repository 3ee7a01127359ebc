"""Which packages take part in making each kind of artifact: a new version of one of them means a new artifact."""

from __future__ import annotations

from collections.abc import Mapping

from benchsuite.backends.tensorrt.flavours import FLAVOURS

# Stands in recipes like a package's version: raise it with any change to benchsuite's own quantising that moves a bit.
QUANTISER, QUANTISER_VERSION = "benchsuite-quantiser", "6"
# In place of a precision: an artifact that holds what a network's tensors did on the calibration images. Every INT8
# scheme of the network, and every method of setting ranges, is made from the same one.
OBSERVED = "observed"
_ONNX = ("ultralytics", "torch", "onnx", "onnxslim")
# One of them builds an engine; which one is the backend's choice.
_TENSORRT = tuple(name for flavour in FLAVOURS for name in flavour.distributions)
_TOOLS: Mapping[tuple[str, str], tuple[str, ...]] = {
    # The checkpoint itself.
    ("torch", "fp32"): (),
    ("onnx", "fp32"): _ONNX,
    ("onnx", "fp16"): (*_ONNX, "onnxruntime", "onnxruntime-gpu"),
    ("onnx", "bf16"): (*_ONNX, "onnxruntime", "onnxruntime-gpu"),
    ("onnx", OBSERVED): (*_ONNX, "onnxruntime", "onnxruntime-gpu", QUANTISER),
    ("onnx", "int8"): (*_ONNX, "onnxruntime", "onnxruntime-gpu", QUANTISER),
    ("openvino", "fp32"): (*_ONNX, "openvino"),
    ("openvino", "fp16"): (*_ONNX, "openvino"),
    ("openvino", "int8"): (*_ONNX, "openvino", "nncf", QUANTISER),
    ("ncnn", "fp32"): ("ultralytics", "torch", "pnnx"),
    ("ncnn", "fp16"): ("ultralytics", "torch", "pnnx"),
    # ncnn itself runs the calibration.
    ("ncnn", OBSERVED): ("ultralytics", "torch", "pnnx", "ncnn", QUANTISER),
    ("ncnn", "int8"): ("ultralytics", "torch", "pnnx", "ncnn", QUANTISER),
    ("trt", "fp32"): (*_ONNX, *_TENSORRT),
    ("trt", "fp16"): (*_ONNX, "onnxruntime", "onnxruntime-gpu", *_TENSORRT),
    ("trt", "bf16"): (*_ONNX, "onnxruntime", "onnxruntime-gpu", *_TENSORRT),
    ("trt", "int8"): (*_ONNX, "onnxruntime", "onnxruntime-gpu", QUANTISER, *_TENSORRT),
}


def tools_for(artifact_format: str, precision: str) -> tuple[str, ...]:
    """Return the packages that make an artifact, those of the artifact it derives from included."""
    return _TOOLS[artifact_format, precision]
