"""What running on a GPU says where it cannot."""

from __future__ import annotations

import importlib.util
from types import SimpleNamespace

import pytest

from benchsuite.backends.cuda import CudaPython, CudaTorch, driver_too_old, open_cuda, torch_without_cuda
from benchsuite.machine.facts import read_machine
from benchsuite.terms.errors import SessionError

without_gpu = pytest.mark.skipif(bool(read_machine().gpus), reason="this machine has a GPU")


@without_gpu
def test_no_driver_is_told_by_cuda_itself() -> None:
    """The real CUDA runtime, asked on a machine without a driver, comes out as one sentence."""
    if importlib.util.find_spec("cuda.bindings") is None:
        pytest.skip("cuda-python is not installed")
    for spin in (True, False):
        with pytest.raises(SessionError, match="no NVIDIA driver is loaded, and running on a GPU needs one"):
            CudaPython(spin)
    with pytest.raises(SessionError, match="no NVIDIA driver is loaded"):
        open_cuda(True)


@without_gpu
def test_no_gpu_is_told_by_torch_itself() -> None:
    """The real PyTorch, asked on a machine without a GPU, comes out as one sentence."""
    with pytest.raises(SessionError, match=r"finds no usable GPU|is a build without CUDA"):
        CudaTorch()


def test_driver_too_old_names_both_versions() -> None:
    """The driver's CUDA, the runtime's, and what would go together."""
    assert driver_too_old(12020, 13050) == (
        "the NVIDIA driver supports CUDA 12.2, and the installed runtime is CUDA 13.5: update the driver, or install "
        "packages for CUDA 12"
    )


@pytest.mark.parametrize(
    ("cuda", "sentence"), [(None, "torch 2.13.0 is a build without CUDA"), ("13.0", "torch 2.13.0 (CUDA 13.0) finds")]
)
def test_torch_without_a_gpu(cuda: str | None, sentence: str) -> None:
    """A build without CUDA needs another, and one with it needs a driver."""
    assert torch_without_cuda(SimpleNamespace(__version__="2.13.0", version=SimpleNamespace(cuda=cuda))).startswith(
        sentence
    )
