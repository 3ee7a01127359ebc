"""The runtimes, in one literal table: a backend is named in options, ids and records as it is here."""

from __future__ import annotations

from collections.abc import Mapping

from benchsuite.backends.interface import Backend
from benchsuite.backends.ncnn import NcnnBackend
from benchsuite.backends.onnx import OnnxBackend
from benchsuite.backends.openvino import OpenvinoBackend
from benchsuite.backends.tensorrt import TensorrtBackend
from benchsuite.backends.torch import TorchBackend
from benchsuite.machine.facts import Machine
from benchsuite.terms.cases import Case
from benchsuite.terms.said import said

_EVERY: tuple[Backend, ...] = (
    TorchBackend(),
    OnnxBackend(),
    OpenvinoBackend(),
    TensorrtBackend(),
    NcnnBackend(),
)
BACKENDS: Mapping[str, Backend] = {backend.name: backend for backend in _EVERY}


def backend(name: str) -> Backend:
    """Return the runtime of a case's backend."""
    return BACKENDS[name]


def only_builds(case: Case, machine: Machine) -> str | None:
    """Say in one sentence why a case that can be built here cannot be run; None if it can."""
    return said("built here, not run: no GPU") if backend(case.backend).gpu_only and not machine.gpus else None
