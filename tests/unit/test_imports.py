"""Importing the package and collecting tests load no runtime."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUNTIMES = (
    "torch", "ultralytics", "onnx", "onnxruntime", "openvino", "nncf", "ncnn", "pnnx", "tensorrt", "cv2", "plotly",
    "scipy",
)  # fmt: skip


def test_import_loads_no_runtime() -> None:
    """Neither the package nor its plugin nor its command loads a runtime."""
    code = f"import sys, benchsuite.plugin, benchsuite.commands.app; print([m for m in {RUNTIMES} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert found.stdout.strip() == "[]"


def test_collecting_the_benchmarks_loads_no_runtime() -> None:
    """`pytest bench/ --collect-only` knows every case without a runtime."""
    code = (
        "import sys, pytest; code = pytest.main(['bench/', '--collect-only', '-q']); "
        f"print(int(code), [m for m in {RUNTIMES} if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert "yolo26n_shapes-ncnn-int8-cpu-640-b1" in found.stdout
    assert found.stdout.strip().endswith("0 []")
