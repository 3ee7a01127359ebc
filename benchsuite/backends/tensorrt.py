"""TensorRT: engines are built wherever a package is that can, and run on an NVIDIA GPU."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchsuite.backends.interface import ArtifactNeed, RunPolicy, Session
from benchsuite.backends.reasons import not_installed
from benchsuite.backends.schemes import SYMMETRIC, chosen_scheme
from benchsuite.backends.tools import tools_for
from benchsuite.cases import Case
from benchsuite.environment import Machine
from benchsuite.errors import SessionError
from benchsuite.tensorrt_runtime import FLAVOURS, Flavour, installed_flavours

_NOT_YET = "running TensorRT engines on a GPU is not supported yet: use torch, onnx, openvino or ncnn on the CPU"
_INSTALL = "pip install 'benchsuite[trt-rtx]' builds engines without a GPU"


class TensorrtBackend:
    """TensorRT, or TensorRT for RTX."""

    distribution = "tensorrt"
    modules: tuple[str, ...] = ("tensorrt",)
    gpu_only = True

    def why_not(self, case: Case, machine: Machine) -> str | None:
        """Say why the case can neither run nor be built here."""
        if not case.device.startswith("cuda"):
            return f"tensorrt runs on NVIDIA GPUs only, and {case.device} was asked for: use --device cuda:0"
        if machine.gpus:
            return _NOT_YET
        installed = installed_flavours(machine.packages)
        if not installed:
            return f"tensorrt needs an NVIDIA GPU, and none was found; {_INSTALL}"
        if not any(flavour.builds_without_gpu for flavour in installed):
            return f"{installed[0].name} builds engines on an NVIDIA GPU only, and none was found; {_INSTALL}"
        return not_installed(machine, "onnxruntime|onnxruntime-gpu")

    def need(self, case: Case, machine: Machine, options: Mapping[str, str]) -> ArtifactNeed:
        """Return the engine of the case's precision."""
        scheme = chosen_scheme("trt", SYMMETRIC, options) if case.precision == "int8" else ""
        chosen = _flavour(machine)
        others = {name for flavour in FLAVOURS if flavour != chosen for name in flavour.distributions}
        tools = tuple(name for name in tools_for("trt", case.precision) if name not in others)
        return ArtifactNeed("trt", case.precision, scheme, bool(scheme), tools)

    def open(self, artifact: Path, case: Case, policy: RunPolicy) -> Session:  # noqa: ARG002
        """Raise SessionError: there is no session yet."""
        raise SessionError(_NOT_YET)


def _flavour(machine: Machine) -> Flavour:
    installed = installed_flavours(machine.packages)
    # TensorRT for RTX leaves data centre GPUs out, so TensorRT goes first where there is a GPU.
    return next(flavour for flavour in installed if machine.gpus or flavour.builds_without_gpu)
