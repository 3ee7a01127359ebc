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
from benchsuite.environment import Machine

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


def only_builds(case: cases.Case, machine: Machine) -> str | None:
    """Say in one sentence why a case that can be built here cannot be run; None if it can."""
    return "built here, not run: no GPU" if backend(case.backend).gpu_only and not machine.gpus else None
