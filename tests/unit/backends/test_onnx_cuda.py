"""ONNX Runtime on a GPU: what it silently runs elsewhere is found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchsuite.backends.interface import RunPolicy
from benchsuite.backends.onnx.cuda import (
    check_providers,
    elsewhere,
    kernels_by_provider,
    open_on_gpu,
    providers_of,
    tf32,
)
from benchsuite.backends.onnx.loading import session_options
from benchsuite.backends.proof import contradiction
from benchsuite.machine.facts import read_machine
from benchsuite.measure.launch import worker_environment
from benchsuite.terms.errors import SessionError
from benchsuite.testing import make_case, make_ran, save_onnx

CASE = make_case(device="cuda:0", imgsz=32)


def save(path: Path) -> Path:
    import onnx

    node = onnx.helper.make_node("Conv", ["images", "w"], ["output"], kernel_shape=[1, 1])
    save_onnx(path, [node], {"w": np.ones((84, 3, 1, 1))}, (1, 3, 8, 8), (1, 84, 8, 8))
    return path


@pytest.mark.skipif(bool(read_machine().gpus), reason="this machine has a GPU")
@pytest.mark.filterwarnings("ignore:Specified provider")
def test_silent_fall_back_to_the_cpu_is_an_error(tmp_path: Path) -> None:
    """Asked for CUDA where there is none, the real ONNX Runtime loads the model on the CPU, and the case fails."""
    with pytest.raises(SessionError, match="no working CUDAExecutionProvider here and would run on CPUExecutionProvid"):
        open_on_gpu(save(tmp_path / "model.onnx"), CASE, RunPolicy(1, flush_denormals=False))


def test_silent_fall_back_from_tensorrt_names_tensorrt() -> None:
    """Where the TensorRT provider was dropped, its libraries are what is to be installed."""
    with pytest.raises(SessionError, match=r"cannot load its TensorrtExecutionProvider.*install the TensorRT"):
        check_providers(["TensorrtExecutionProvider", "CUDAExecutionProvider"], ["CUDAExecutionProvider"])


def test_kernels_are_counted_by_provider_in_a_real_profile(tmp_path: Path) -> None:
    """ONNX Runtime's own profile of a call names each kernel's provider."""
    import onnxruntime

    options = session_options(RunPolicy(1, flush_denormals=False))
    options.enable_profiling = True
    options.profile_file_prefix = str(tmp_path / "profile")
    session = onnxruntime.InferenceSession(
        str(save(tmp_path / "model.onnx")), options, providers=["CPUExecutionProvider"]
    )
    session.run(None, {"images": np.zeros((1, 3, 8, 8), np.float32)})
    assert kernels_by_provider(Path(session.end_profiling()).read_text())["CPU", "Conv"] == 1


def test_convolutions_elsewhere_contradict_the_device() -> None:
    """A convolution that the CPU took over fails the case; a shape that it computes does not."""
    assert contradiction(CASE, make_ran(CASE, fallback={"Shape": 2, "Gather": 1})) is None
    assert contradiction(CASE, make_ran(CASE, fallback={"Conv": 3})) == (
        f"{CASE.id} is named for cuda:0, and onnx 1.0 ran 3 x Conv elsewhere"
    )


def test_fp32_is_not_tf32() -> None:
    """The CUDA provider is told so, and TensorRT's comes before it where the variant asks for it."""
    assert dict(providers_of(CASE))["CUDAExecutionProvider"]["use_tf32"] == "0"
    names = [name for name, _ in providers_of(replace(CASE, way="trtep"))]
    assert names == ["TensorrtExecutionProvider", "CUDAExecutionProvider"]


def test_what_tensorrt_leaves_to_cuda_is_not_tensorrt_s() -> None:
    """Kernels of the CUDA provider in a case of TensorRT's are told apart, and a convolution among them fails it."""
    found = {("CPU", "Shape"): 1, ("CUDA", "Conv"): 2, ("Tensorrt", "TRTKernel_graph_1"): 1}
    assert elsewhere(found, "Tensorrt") == {"Shape": 1, "Conv (CUDA)": 2}
    assert elsewhere({("CPU", "Shape"): 1, ("CUDA", "Conv"): 2}, "CUDA") == {"Shape": 1}
    case = replace(CASE, way="trtep")
    assert "2 x Conv (CUDA) elsewhere" in str(contradiction(case, make_ran(case, fallback={"Conv (CUDA)": 2})))


def test_tf32_is_read_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """TensorRT's provider has no option of its own: only what NVIDIA's libraries read says that TF32 is off there."""
    monkeypatch.delenv("NVIDIA_TF32_OVERRIDE", raising=False)
    off, on = {"use_tf32": "0"}, {"use_tf32": "1"}
    assert tf32({"CUDAExecutionProvider": off}) == "off"
    assert tf32({"CUDAExecutionProvider": on}) == "on"
    assert tf32({"TensorrtExecutionProvider": {}, "CUDAExecutionProvider": off}) == "on"
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", worker_environment(RunPolicy(1), Path(), "")["NVIDIA_TF32_OVERRIDE"])
    assert tf32({"TensorrtExecutionProvider": {}, "CUDAExecutionProvider": off}) == "off"
