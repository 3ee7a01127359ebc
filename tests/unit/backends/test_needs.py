"""Which artifact a case loads."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from benchsuite.backends import backend
from benchsuite.backends.interface import ArtifactChoices, ArtifactNeed
from benchsuite.backends.offers import USUAL_SCHEMES, calibration_method
from benchsuite.machine.nvml import Gpu
from benchsuite.options.needs import artifact_need
from benchsuite.options.settings import parse
from benchsuite.terms.errors import UsageError
from benchsuite.testing import make_case, make_machine


def need(options: dict[str, str] | None = None, isa: tuple[str, ...] = ("avx512_vnni",), **case: Any) -> ArtifactNeed:
    """Return what a case needs on an x86 machine under some options."""
    asked = make_case(**case)
    return artifact_need(asked, make_machine(isa=isa), parse(options or {}))


@pytest.mark.parametrize(
    ("name", "precision", "loaded"),
    [
        ("torch", "bf16", ("torch", "fp32")),
        ("onnx", "fp16", ("onnx", "fp16")),
        ("openvino", "bf16", ("openvino", "fp32")),
        ("openvino", "fp16", ("openvino", "fp16")),
        ("ncnn", "bf16", ("ncnn", "fp32")),
    ],
)
def test_bf16_is_made_while_loading(name: str, precision: str, loaded: tuple[str, str]) -> None:
    """A bf16 row shares the artifact of the fp32 row; nothing but int8 is calibrated."""
    found = need(backend=name, precision=precision)
    assert (found.format, found.precision) == loaded
    assert (found.scheme, found.calibrated) == ("", False)


@pytest.mark.parametrize(
    ("isa", "arch", "scheme"),
    [
        (("avx512_vnni",), "x86_64", "qdq-u8s8"),
        (("avx_vnni",), "x86_64", "qdq-u8s8"),
        (("avx2",), "x86_64", "qdq-u8s7"),
        (("asimd",), "aarch64", "qdq-s8s8"),
    ],
)
def test_default_scheme_suits_the_cpu(isa: tuple[str, ...], arch: str, scheme: str) -> None:
    """x86 takes u8 activations, with 7-bit weights where products would saturate; ARM takes s8."""
    case = make_case(precision="int8")
    assert backend("onnx").need(case, make_machine(isa=isa, arch=arch), ArtifactChoices()).scheme == scheme
    assert scheme in USUAL_SCHEMES


def test_scheme_that_is_asked_for() -> None:
    """A scheme goes to the backend that has it; the others keep their own."""
    asked = {"quant_scheme": "nncf-performance"}
    assert need(asked, backend="openvino", precision="int8").scheme == "nncf-performance"
    assert need(asked, backend="onnx", precision="int8").scheme == "qdq-u8s8"


def test_unknown_scheme_is_refused() -> None:
    """A scheme that nobody has is a usage error that lists the valid ones."""
    with pytest.raises(
        UsageError, match="--quant-scheme magic: there is no such scheme; give one of default, qdq-u8s8"
    ):
        need({"quant_scheme": "magic"}, backend="onnx", precision="int8")


def test_method_that_a_backend_lacks_is_refused() -> None:
    """NNCF has no entropy calibration, and says what it has."""
    with pytest.raises(UsageError, match="openvino cannot calibrate so; give one of default, mean-minmax"):
        need({"calib_method": "entropy"}, backend="openvino", precision="int8")


@pytest.mark.parametrize(("name", "method"), [("onnx", "percentile"), ("openvino", "mean-minmax")])
def test_default_method(name: str, method: str) -> None:
    """Each backend has a best known way to set ranges."""
    assert calibration_method(name, "default") == method


def test_parts_that_stay_float_follow_a_scheme() -> None:
    """A scheme may name parts of the network, and only parts that there are."""
    onnx = {"backend": "onnx", "precision": "int8"}
    assert need({"quant_scheme": "qdq-u8s8~p3+neck"}, **onnx).scheme == "qdq-u8s8~p3+neck"
    with pytest.raises(UsageError, match="--quant-scheme qdq-u8s8~tail: tail is no part of a network; there are stem"):
        need({"quant_scheme": "qdq-u8s8~tail"}, **onnx)
    with pytest.raises(UsageError, match="nncf-mixed has no parts"):
        need({"quant_scheme": "nncf-mixed~neck"}, **onnx)


def test_dynamic_quantisation_needs_no_images() -> None:
    """Ranges that are found in every call are not calibrated."""
    assert not need({"quant_scheme": "dynamic-u8u8"}, backend="onnx", precision="int8").calibrated


def test_an_engine_is_made_for_its_gpu_and_options() -> None:
    """What decides an engine's bytes stands in its recipe; without a GPU and options nothing does."""
    case = make_case(backend="trt", device="cuda:0", batch=8, variant="cudagraph+rebuild2")
    plain = make_machine(packages={"tensorrt-rtx-cu13-bindings": "1"})
    assert backend("trt").need(replace(case, rebuild=0), plain, ArtifactChoices()).build == {}
    gpu = make_machine(packages={"tensorrt": "11"}, gpus=(Gpu("Card A", "GPU-1", 1 << 30, "8.9"),), gpu_driver="580")
    found = artifact_need(case, gpu, parse({"trt_level": "5", "trt_batches": "1,4,8"}))
    assert found.build == {"gpu": "Card A", "driver": "580", "level": "5", "batches": "1,4,8", "rebuild": "2"}
    # Cases of every batch that the profile takes load the same engine.
    assert found.batch == 4
    assert "tensorrt" in found.tools
    assert "tensorrt-rtx-cu13-bindings" not in found.tools
