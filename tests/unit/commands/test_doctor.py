"""`benchsuite doctor` says what can run here, what cannot, and why."""

from __future__ import annotations

import email.message
import importlib.metadata
import math

import pytest

from benchsuite.backends import BACKENDS
from benchsuite.commands import doctor
from benchsuite.machine.facts import Gpu
from benchsuite.terms.errors import UsageError
from benchsuite.testing import make_machine
from tests.unit.commands.conftest import Command


def test_doctor_says_what_is_only_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a GPU and with TensorRT for RTX, the doctor's table says `builds`, and below it why."""
    packages = {"tensorrt-rtx-cu13-bindings": "1.7", "onnxruntime": "1.32"}
    monkeypatch.setattr(doctor, "read_machine", lambda _: make_machine(packages=packages))
    lines = list(doctor.report_lines(0))
    assert next(line for line in lines if line.startswith("trt cuda:0  ")).split()[2:] == ["builds"] * 4
    assert "trt cuda:0 fp32, fp16, bf16, int8: built here, not run: no GPU" in lines


@pytest.mark.parametrize("seconds", [math.inf, math.nan, -3.0, 1e9, 1e-12])
def test_doctor_watches_for_a_time_that_one_can_wait(seconds: float) -> None:
    """Endless, negative and empty watches are refused before anything is said."""
    with pytest.raises(UsageError, match=f"--seconds {seconds:g}".replace("+", "[+]")):
        next(doctor.report_lines(seconds))


def test_doctor_answers_for_the_gpu_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a GPU there is a row for each backend on it as well, and its reason once where it is every precision's."""
    monkeypatch.setattr(
        doctor, "read_machine", lambda _: make_machine(gpus=(Gpu("Example GPU", "uuid", 8 << 30),), packages={})
    )
    lines = list(doctor.report_lines(0))
    rows = [" ".join(line.split()[:2]) for line in lines if line.split()[2:] in (["no"] * 4, ["yes"] * 4)]
    assert [row for row in rows if row.endswith("cuda:0")] == [f"{name} cuda:0" for name in BACKENDS]
    assert sum(line.startswith("trt cuda:0 fp32, fp16, bf16, int8: ") for line in lines) == 1


def test_doctor_says_what_can_run(command: Command) -> None:
    """The doctor prints machine, a table of backends by precisions, and a reason for each `no`, in 80 columns."""
    found = command("doctor", "--seconds", "0.2")
    assert found.returncode == 0
    assert "CPU" in found.stdout
    assert "openvino" in found.stdout
    assert "turns of one case spread by" in found.stdout
    assert max(len(line) for line in found.stdout.splitlines()) <= 80


def test_doctor_names_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packages that are missing or too old come with the command that brings them, an extra with its own."""
    installed = {"numpy": "1.0", "onnxruntime-gpu": "1.30", "ruptures": "1.1.9"}
    asked = ["numpy>=1.26", "onnxruntime>=1.22", "ncnn>=1", "tomli; python_version < '3'",
             "pyarrow>=15; extra == 'report'", "ruptures>=1.1; extra == 'report'", "tox; extra == 'dev'"]  # fmt: skip

    def version(name: str) -> str:
        if name not in installed:
            raise importlib.metadata.PackageNotFoundError(name)
        return installed[name]

    metadata = email.message.Message()
    for extra in ("report", "dev"):
        metadata["Provides-Extra"] = extra
    monkeypatch.setattr(importlib.metadata, "requires", lambda _: asked)
    monkeypatch.setattr(importlib.metadata, "metadata", lambda _: metadata)
    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setattr(doctor, "read_machine", lambda _: make_machine())
    lines = list(doctor.report_lines(0))
    assert "Missing   numpy, ncnn: pip install 'numpy>=1.26' 'ncnn>=1'" in lines
    assert "Extra     report (pyarrow): pip install 'benchsuite[report]'" in lines
    assert not any("dev" in line for line in lines if line.startswith("Extra"))
