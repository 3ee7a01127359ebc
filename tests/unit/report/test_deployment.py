"""What a case needs on the target machine is read from what is installed, or said to be unknown."""

from __future__ import annotations

from importlib import metadata

import pytest

from benchsuite.report.deployment import installed_bytes, setup_of
from benchsuite.terms.absence import Absent
from benchsuite.testing import make_case, make_machine


def test_size_counts_what_is_pulled_in() -> None:
    """A package is at least as large as its own files, and larger where it needs others."""
    own = sum(file.size or 0 for file in metadata.files("jinja2") or ())
    needed = sum(file.size or 0 for file in metadata.files("markupsafe") or ())
    assert installed_bytes((("jinja2", ""),)) == own + needed


def test_unknown_size_says_why() -> None:
    """A package that is not here, or here in another version than the run's, has no size but a reason."""
    missing = installed_bytes((("no-such-runtime", ""),))
    assert isinstance(missing, Absent)
    assert "no-such-runtime is unknown: it is not installed" in missing.reason
    other = installed_bytes((("jinja2", "0.0.1"),))
    assert isinstance(other, Absent)
    assert "jinja2 0.0.1 is unknown" in other.reason


def test_versions_are_those_of_the_run() -> None:
    """The packages carry the versions that the run's machine had, under the distribution that it had."""
    assert setup_of(make_case(), make_machine()).packages == ("onnxruntime 1.32.0",)
    gpu = make_machine(packages={"onnxruntime-gpu": "1.31.0"})
    assert setup_of(make_case(), gpu).packages == ("onnxruntime-gpu 1.31.0",)
    assert setup_of(make_case(backend="ncnn"), make_machine()).packages == ("ncnn",)


@pytest.mark.parametrize(
    ("backend", "device", "gpu_driver", "driver"),
    [
        ("onnx", "cpu", "580.1", "none"), ("trt", "cuda:0", None, "NVIDIA driver"),
        ("torch", "cuda:0", "580.1", "NVIDIA driver (580.1 here)"),
    ],
)  # fmt: skip
def test_driver_is_needed_on_a_gpu_only(backend: str, device: str, gpu_driver: str | None, driver: str) -> None:
    """A CPU case needs no driver; a GPU case needs NVIDIA's."""
    setup = setup_of(make_case(backend=backend, device=device), make_machine(gpu_driver=gpu_driver))
    assert setup.driver == driver
