"""TensorRT on an NVIDIA GPU: what is missing, so far."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchsuite.backends.interface import ArtifactNeed, RunPolicy, Session
from benchsuite.cases import Case
from benchsuite.environment import Machine
from benchsuite.errors import SessionError

_NOT_YET = "tensorrt is not supported yet: use torch, onnx, openvino or ncnn on the CPU"


class TensorrtBackend:
    """TensorRT."""

    distribution = "tensorrt"
    modules: tuple[str, ...] = ("tensorrt",)

    def why_not(self, case: Case, machine: Machine) -> str | None:
        """Say why the case cannot run here."""
        if case.device == "cpu":
            return "tensorrt runs on NVIDIA GPUs only, and cpu was asked for: use --device cuda:0"
        return _NOT_YET if machine.gpus else "tensorrt needs an NVIDIA GPU: none found"

    def need(self, case: Case, machine: Machine, options: Mapping[str, str]) -> ArtifactNeed:  # noqa: ARG002
        """Raise SessionError: there is no artifact yet."""
        raise SessionError(_NOT_YET)

    def open(self, artifact: Path, case: Case, policy: RunPolicy) -> Session:  # noqa: ARG002
        """Raise SessionError: there is no session yet."""
        raise SessionError(_NOT_YET)
