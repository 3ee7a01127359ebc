"""The runtimes, in one literal table."""

from __future__ import annotations

from collections.abc import Mapping

from benchsuite import cases
from benchsuite.backends.interface import Backend
from benchsuite.backends.ncnn import NcnnBackend
from benchsuite.backends.onnx import OnnxBackend
from benchsuite.backends.openvino import OpenvinoBackend
from benchsuite.backends.tensorrt import TensorrtBackend
from benchsuite.backends.torch import TorchBackend

BACKENDS: Mapping[cases.Backend, Backend] = {
    "torch": TorchBackend(),
    "onnx": OnnxBackend(),
    "openvino": OpenvinoBackend(),
    "trt": TensorrtBackend(),
    "ncnn": NcnnBackend(),
}


def backend(name: cases.Backend) -> Backend:
    """Return the runtime of a case's backend."""
    return BACKENDS[name]
