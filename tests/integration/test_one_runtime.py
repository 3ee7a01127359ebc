"""An environment with PyTorch and ONNX Runtime alone, as the page on installing makes one."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from benchsuite.commands.init import scaffold
from benchsuite.runs.folder import read_run

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
ABSENT = {"openvino", "nncf", "ncnn", "pnnx", "tensorrt", "tensorrt-rtx-cu13-bindings", "tensorrt-rtx-cu13-libs"}
Call = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def call(tmp_path: Path, locks: Path, cache: Path) -> Call:
    """Run Python in an environment that has this one's packages, but for those of other runtimes."""
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    python = tmp_path / "venv" / "bin" / "python"
    packages = Path(sysconfig.get_path("purelib"))
    hidden = {
        entry
        for entry in packages.iterdir()
        if canonicalize_name(entry.name.partition("-")[0]) in ABSENT | {"openvino-telemetry"}
        or entry.name in ("tensorrt_rtx", "tensorrt_rtx_bindings", "tensorrt_rtx_libs")
    }
    assert {"openvino", "ncnn"} <= {entry.name for entry in hidden}
    (site,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    for entry in set(packages.iterdir()) - hidden:
        # Files that change sys.path name the folder that they lie in.
        if entry.suffix != ".pth":
            (site / entry.name).symlink_to(entry)
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "BENCHSUITE_CACHE": str(cache), "TMPDIR": str(locks), "COLUMNS": "80",
    }  # fmt: skip

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(python), "-m", *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=900
        )

    return run


def test_runtimes_that_are_there_are_measured_and_the_others_skipped(call: Call, tmp_path: Path) -> None:
    """FP32 and INT8 run on ONNX Runtime; each other runtime's row says what to install, and so does the doctor."""
    scaffold(tmp_path)
    options = ("--precision", "fp32,int8", "--imgsz", "64", "--effort", "quick", "-p", "no:cacheprovider")
    found = call("pytest", "bench/", "--backend", "torch,onnx,openvino,ncnn", *options)
    assert found.returncode == 0, found.stdout + found.stderr
    outcomes = {
        f"{it.case.backend} {it.case.precision}": (it.outcome, it.reason)
        for it in read_run(tmp_path / "reports" / "latest").records
    }
    assert {name for name, (outcome, _) in outcomes.items() if outcome == "measured"} == {
        "torch fp32", "onnx fp32", "onnx int8",
    }  # fmt: skip
    assert outcomes["openvino int8"] == ("skipped", "openvino is not installed: pip install openvino")
    assert outcomes["ncnn fp32"] == ("skipped", "ncnn is not installed: pip install ncnn")
    if importlib.metadata.requires("benchsuite"):
        assert (
            "Missing   ncnn, nncf, openvino, pnnx: pip install" in call("benchsuite", "doctor", "--seconds", "0").stdout
        )
