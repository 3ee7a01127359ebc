"""ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchsuite.backends.interface import ArtifactChoices, ArtifactNeed, RunPolicy, Session
from benchsuite.backends.onnx.cpu import open_on_cpu
from benchsuite.backends.onnx.cuda import open_on_gpu
from benchsuite.backends.reasons import cpu_only, no_such_gpu, not_installed
from benchsuite.backends.schemes import UNCALIBRATED, chosen_scheme
from benchsuite.backends.tensorrt.flavours import TENSORRT
from benchsuite.backends.tools import OBSERVED, ONNX_EXPORT, ONNX_RUNTIMES, QUANTISER
from benchsuite.machine.facts import Machine
from benchsuite.terms.cases import Case
from benchsuite.terms.said import said


class OnnxBackend:
    """ONNX Runtime."""

    name = "onnx"
    packages: tuple[str, ...] = ("onnxruntime",)
    substitutes: Mapping[str, tuple[str, ...]] = {"onnxruntime": ("onnxruntime-gpu",)}
    gpu_only = False
    default_device = "cpu"
    threads_change_results = False
    start_s = 1.0
    colour = "#0072B2"
    ways: tuple[str, ...] = ("trtep",)
    # u8 activations and s8 weights, one scale a channel; the stem and p2, attention, the last convolution of each head
    # branch and the decode stay float (of these only attention's core and the decode in -most), and SiLU but in -silu8.
    schemes: tuple[str, ...] = (
        "qdq-u8s8", "qdq-s8s8", "qdq-u8s7", "qdq-u8s8-headfloat", "qdq-u8s8-headint8", "qdq-u8s8-most",
        "qdq-u8s8-pertensor", "qdq-u8s8-silu8", "qop-u8s8", "dynamic-u8u8", "ultralytics",
    )  # fmt: skip
    methods: tuple[str, ...] = ("percentile", "minmax", "mean-minmax", "entropy")
    tools: Mapping[str, tuple[str, ...]] = {
        "fp32": ONNX_EXPORT,
        "fp16": (*ONNX_EXPORT, *ONNX_RUNTIMES),
        "bf16": (*ONNX_EXPORT, *ONNX_RUNTIMES),
        OBSERVED: (*ONNX_EXPORT, *ONNX_RUNTIMES, QUANTISER),
        "int8": (*ONNX_EXPORT, *ONNX_RUNTIMES, QUANTISER),
    }
    made_from: Mapping[str, tuple[str, str]] = {
        OBSERVED: ("onnx", "fp32"),
        "fp16": ("onnx", "fp32"),
        "bf16": ("onnx", "fp32"),
        "int8": ("onnx", OBSERVED),
    }

    def why_not(self, case: Case, machine: Machine) -> str | None:
        """Say why the case cannot run here."""
        if case.on_gpu:
            return _why_not_on_gpu(case, machine)
        if case.way == "trtep":
            return said("TensorRT inside ONNX Runtime needs an NVIDIA GPU: use --device cuda:0")
        if case.precision == "bf16":
            return said("ONNX Runtime has no bf16 convolution kernels on the CPU: use openvino or torch for bf16")
        return cpu_only(case, "onnx") or not_installed(machine, "onnxruntime|onnxruntime-gpu")

    def need(self, case: Case, machine: Machine, choices: ArtifactChoices) -> ArtifactNeed:
        """Return the ONNX file of the case's precision."""
        scheme = ""
        if case.precision == "int8":
            scheme = chosen_scheme(choices.quant_scheme, self.schemes, _default_scheme(machine))
        calibrated = bool(scheme) and scheme not in UNCALIBRATED
        return ArtifactNeed("onnx", case.precision, scheme, calibrated, self.tools[case.precision])

    def slow_to_load(self, case: Case) -> bool:
        """Say whether loading builds an engine."""
        return case.way == "trtep"

    def modules(self, artifact: Path) -> tuple[str, ...]:
        """Name the runtime's package."""
        return ("onnxruntime",)

    def open(self, artifact: Path, case: Case, policy: RunPolicy) -> Session:
        """Load model.onnx."""
        model = artifact / "model.onnx"
        return open_on_gpu(model, case, policy) if case.on_gpu else open_on_cpu(model, case, policy)


def _why_not_on_gpu(case: Case, machine: Machine) -> str | None:
    reason = no_such_gpu(case, machine) or not_installed(machine, "onnxruntime-gpu")
    if reason is not None:
        return reason
    if case.way == "trtep" and not _has_tensorrt(machine):
        return said(
            "TensorRT inside ONNX Runtime needs TensorRT's libraries: pip install 'benchsuite[trt]', or leave "
            "trtep out of --variant"
        )
    if case.precision == "int8":
        return said(
            "ONNX Runtime's CUDA provider computes INT8 convolutions in float, and what TensorRT does "
            "inside it cannot be proved: use --backend trt for int8"
        )
    if case.precision == "bf16":
        return said("ONNX Runtime has no bf16 convolution kernels: use trt or torch for bf16")
    return None


def _has_tensorrt(machine: Machine) -> bool:
    from ctypes.util import find_library

    return any(name in machine.packages for name in TENSORRT.distributions) or bool(find_library("nvinfer"))


def _default_scheme(machine: Machine) -> str:
    if not machine.is_x86:
        return "qdq-s8s8"
    # Without VNNI the product of u8 and s8 saturates at 16 bits: 7-bit weights leave room.
    return "qdq-u8s8" if {"avx512_vnni", "avx_vnni"} & set(machine.isa) else "qdq-u8s7"
