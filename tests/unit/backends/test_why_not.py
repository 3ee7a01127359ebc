"""What cannot run says why in one sentence, from the machine's facts alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from benchsuite.backends import BACKENDS, backend, only_builds
from benchsuite.machine.facts import Machine
from benchsuite.machine.nvml import Gpu
from benchsuite.terms.cases import PRECISIONS
from benchsuite.testing import make_case, make_machine

PACKAGES = dict.fromkeys(("torch", "ultralytics", "onnxruntime", "openvino", "nncf", "ncnn", "pnnx"), "1")
RTX = {"tensorrt-rtx-cu13-bindings": "1"}
GPU = Gpu("Example GPU", "uuid", 8 << 30)


def machine(**changes: Any) -> Machine:
    """Build a machine with every runtime and bf16 instructions."""
    return make_machine(**{"packages": PACKAGES, "isa": ("avx2", "avx512_vnni", "avx512_bf16"), **changes})


@pytest.mark.parametrize(
    ("fields", "on", "reason"),
    [
        ({"backend": "trt", "device": "cuda:0"}, {}, "tensorrt needs an NVIDIA GPU, and none was found; pip install"),
        (
            {"backend": "trt", "device": "cuda:0"},
            {"packages": {"tensorrt": "11"}},
            "TensorRT builds engines on an NVIDIA GPU only, and none was found; pip install 'benchsuite[trt-rtx]'",
        ),
        ({"backend": "trt", "device": "cuda:0"}, {"packages": RTX}, "onnxruntime is not installed"),
        (
            {"backend": "trt", "device": "cuda:0"},
            {"gpus": (GPU,)},
            "tensorrt is not installed: pip install 'benchsuite",
        ),
        ({"backend": "trt", "device": "cuda:2"}, {"gpus": (GPU, GPU)}, "this machine's GPUs are cuda:0 to cuda:1"),
        (
            {"backend": "trt", "device": "cuda:0"},
            {"gpus": (replace(GPU, compute="9.0"),), "packages": {**PACKAGES, **RTX}},
            "TensorRT for RTX does not support the compute capability 9.0 of Example GPU: pip install 'benchsuite[trt]",
        ),
        ({"backend": "trt"}, {"gpus": (GPU,)}, "use --device cuda:0"),
        ({"backend": "onnx", "precision": "bf16"}, {}, "no bf16 convolution kernels on the CPU: use openvino or torch"),
        ({"backend": "onnx", "device": "cuda:0"}, {}, "onnx on cuda:0 needs an NVIDIA GPU: none found"),
        ({"backend": "onnx", "device": "cuda:0"}, {"gpus": (GPU,)}, "onnxruntime-gpu is not installed"),
        (
            {"backend": "onnx", "device": "cuda:0", "precision": "int8"},
            {"gpus": (GPU,), "packages": {"onnxruntime-gpu": "1"}},
            "computes INT8 convolutions in float",
        ),
        (
            {"backend": "onnx", "device": "cuda:0", "variant": "trtep"},
            {"gpus": (GPU,), "packages": {"onnxruntime-gpu": "1"}},
            "TensorRT inside ONNX Runtime needs TensorRT's libraries",
        ),
        ({"backend": "onnx", "variant": "trtep"}, {}, "TensorRT inside ONNX Runtime needs an NVIDIA GPU"),
        ({"backend": "torch", "device": "cuda:1"}, {"gpus": (GPU,)}, "GPUs are cuda:0 to cuda:0: use one of these"),
        (
            {"backend": "torch", "device": "cuda:0"},
            {"gpus": (GPU,), "packages": {**PACKAGES, "torch": "2.13.0+cpu"}},
            "torch 2.13.0+cpu is a build without CUDA",
        ),
        ({"backend": "torch", "device": "cuda:0", "precision": "int8"}, {"gpus": (GPU,)}, "no INT8 convolutions on a"),
        (
            {"backend": "torch", "device": "cuda:0", "precision": "bf16"},
            {"gpus": (replace(GPU, compute="7.5"),)},
            "Example GPU (compute capability 7.5) has no bf16 arithmetic: use fp16",
        ),
        ({"backend": "openvino", "device": "cuda:0"}, {"gpus": (GPU,)}, "openvino runs on the CPU only"),
        ({"backend": "openvino", "precision": "bf16"}, {"isa": ("avx2",)}, "no bf16 instructions (avx512_bf16 or amx_"),
        (
            {"backend": "torch", "precision": "bf16"},
            {"isa": ("avx2",)},
            "no bf16 instructions (avx512_bf16 or amx_bf16",
        ),
        ({"backend": "torch", "precision": "bf16"}, {"arch": "aarch64", "isa": ("asimd",)}, "bf16 instructions (bf16)"),
        (
            {"backend": "openvino", "precision": "bf16"},
            {"arch": "aarch64", "isa": ("bf16",)},
            "no bf16 kernels for ARM",
        ),
        ({"backend": "torch", "precision": "fp16"}, {}, "no fp16 arithmetic (avx512_fp16 or amx_fp16)"),
        ({"backend": "torch", "precision": "int8"}, {}, "PyTorch INT8 on the CPU is not supported yet"),
        ({"backend": "ncnn", "device": "vulkan", "precision": "int8"}, {}, "INT8 on Vulkan found other boxes"),
        ({"backend": "ncnn", "device": "vulkan", "precision": "fp16"}, {}, "does not say in what a Vulkan device"),
        ({"backend": "onnx", "device": "vulkan"}, {}, "onnx does not run on Vulkan, ncnn does"),
        ({"backend": "ncnn", "head": "end2end"}, {}, "ncnn exports are always one-to-many"),
        ({"backend": "ncnn", "batch": 8}, {}, "ncnn runs one image at a time, and batch 8 was asked for"),
        ({"backend": "onnx"}, {"packages": {}}, "onnxruntime is not installed: pip install onnxruntime"),
        ({"backend": "openvino"}, {"packages": {}}, "openvino is not installed: pip install openvino"),
        ({"backend": "openvino", "precision": "int8"}, {"packages": {"openvino": "1"}}, "nncf is not installed"),
        ({"backend": "ncnn"}, {"packages": {"ncnn": "1"}}, "pnnx is not installed"),
        ({"backend": "torch"}, {"packages": {"torch": "1"}}, "ultralytics is not installed"),
    ],
)
def test_reason(fields: dict[str, Any], on: dict[str, Any], reason: str) -> None:
    """Each obstacle has its sentence, which names what was found or what would do."""
    asked = make_case(**fields)
    found = backend(asked.backend).why_not(asked, machine(**on))
    assert found is not None
    assert reason in found
    assert "\n" not in found


@pytest.mark.parametrize(
    ("name", "precisions"),
    [
        ("torch", ("fp32", "bf16")),
        ("onnx", ("fp32", "fp16", "int8")),
        ("openvino", ("fp32", "fp16", "bf16", "int8")),
        ("ncnn", ("fp32", "fp16", "bf16", "int8")),
        ("trt", ()),
    ],
)
def test_what_a_cpu_with_bf16_runs(name: Any, precisions: tuple[str, ...]) -> None:
    """On a machine with everything installed but no GPU, the rest runs."""
    cases = [make_case(backend=name, precision=precision) for precision in PRECISIONS]
    assert tuple(case.precision for case in cases if backend(name).why_not(case, machine()) is None) == precisions


def test_gpu_build_of_onnxruntime_counts() -> None:
    """A machine that has onnxruntime-gpu has ONNX Runtime."""
    assert backend("onnx").why_not(make_case(), machine(packages={"onnxruntime-gpu": "1"})) is None


def test_ncnn_stores_bf16_without_instructions() -> None:
    """NCNN's bf16 is a way to store, which any CPU can do."""
    case = make_case(backend="ncnn", precision="bf16")
    assert backend("ncnn").why_not(case, machine(isa=("avx2",))) is None


def test_engines_are_built_without_a_gpu_by_tensorrt_for_rtx() -> None:
    """With the one TensorRT that builds anywhere, a case is built and says why it is not run; all others just run."""
    case = make_case(backend="trt", device="cuda:0")
    here = machine(packages={**PACKAGES, **RTX})
    assert backend("trt").why_not(case, here) is None
    assert only_builds(case, here) == "built here, not run: no GPU"
    others = [name for name in BACKENDS if name != "trt"]
    assert [only_builds(make_case(backend=name), here) for name in others] == [None] * len(others)
    assert only_builds(case, machine(packages={**PACKAGES, **RTX}, gpus=(GPU,))) is None


@pytest.mark.parametrize(
    ("name", "precisions", "packages"),
    [
        ("torch", ("fp32", "fp16", "bf16"), {}),
        ("onnx", ("fp32", "fp16"), {"onnxruntime-gpu": "1"}),
        ("trt", ("fp32", "fp16", "bf16", "int8"), {"tensorrt": "11"}),
        ("trt", ("fp32", "fp16", "bf16", "int8"), RTX),
        ("openvino", (), {}),
        ("ncnn", (), {}),
    ],
)
def test_what_a_gpu_runs(name: Any, precisions: tuple[str, ...], packages: dict[str, str]) -> None:
    """On a machine with a GPU and everything installed, nothing but the CPU's own runtimes is refused."""
    here = machine(gpus=(replace(GPU, compute="8.9"),), packages={**PACKAGES, **packages})
    cases = [make_case(backend=name, precision=precision, device="cuda:0") for precision in PRECISIONS]
    assert tuple(case.precision for case in cases if backend(name).why_not(case, here) is None) == precisions
