"""TensorRT engines built for real on a machine that cannot run them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchsuite.artifacts.store import Store
from benchsuite.backends import backend
from benchsuite.backends.interface import RunPolicy
from benchsuite.backends.offers import recorded_packages
from benchsuite.backends.schemes import SYMMETRIC
from benchsuite.backends.tensorrt.flavours import ENGINE_FILE, RTX, build_engine, installed_flavours
from benchsuite.commands.init import scaffold
from benchsuite.machine.facts import read_machine
from benchsuite.runs import records
from benchsuite.terms.absence import Absent
from benchsuite.terms.errors import BuildError, SessionError
from benchsuite.testing import make_case

MACHINE = read_machine(recorded_packages())
ROOT = Path(__file__).resolve().parents[2]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(RTX not in installed_flavours(MACHINE.packages), reason="tensorrt-rtx is not installed"),
    pytest.mark.skipif(bool(MACHINE.gpus), reason="this machine has a GPU, so engines would not only be built"),
]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> tuple[Path, str]:
    """Run the benchmarks of TensorRT and return their folder and what they printed."""
    folder = tmp_path_factory.mktemp("engines")
    # A store of its own, which tests look into; the drawn data is everybody's.
    (folder / "cache").mkdir()
    (cache / "data").mkdir(exist_ok=True)
    (folder / "cache" / "data").symlink_to(cache / "data")
    scaffold(folder)
    code, output = run(folder)
    assert code == 0, output
    return folder, output


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run the benchmarks of TensorRT in a folder and return exit code and output."""
    options = ("--backend", "trt", "--imgsz", "64", "--effort", "quick", "-rs", "--min-map", "0.01",
               "--quant-scheme", "auto")  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "bench/", *options, *arguments],
        cwd=folder,
        env={
            **os.environ,
            "BENCHSUITE_CACHE": str(folder / "cache"),
            "PYTHONPATH": str(ROOT),
            "BENCHSUITE_LOCK": str(folder / "lock"),
            "GITHUB_STEP_SUMMARY": str(folder / "step.md"),
        },
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=300,
    )
    return done.returncode, done.stdout


def test_engines_are_built_and_nothing_is_said_to_have_run(built: tuple[Path, str]) -> None:
    """Each precision has an engine with its size and build time; whatever needs a GPU is absent with that reason."""
    folder, output = built
    found = {record.case.precision: record for record in records.read(folder / "reports/latest/records.jsonl")[0]}
    assert list(found) == ["fp32", "fp16", "bf16", "int8"]
    for record in found.values():
        assert (record.outcome, record.reason) == ("built", "built here, not run: no GPU")
        assert not isinstance(record.artifact, Absent)
        assert record.artifact.bytes > 1_000_000
        assert not isinstance(record.artifact.build_s, Absent)
        assert 0 < record.artifact.build_s < 60
        metrics = record.metrics
        for timed in (metrics.latency, metrics.throughput, metrics.cold, metrics.memory):
            assert timed == Absent("built here, not run: no GPU")
    sizes = {name: record.artifact.bytes for name, record in found.items() if not isinstance(record.artifact, Absent)}
    assert sizes["fp16"] < 0.75 * sizes["fp32"]
    assert "18 passed, 18 skipped" in output
    assert "4 of 4 cases to build" in output
    assert list((folder / "cache" / "artifacts").glob(f"*/files/{ENGINE_FILE}"))


def test_what_stands_in_for_an_engine_is_scored_and_its_account_is_the_graph_s(built: tuple[Path, str]) -> None:
    """mAP and parity are those of the ONNX file, and the proof counts its convolutions and says that nothing ran."""
    folder, _ = built
    found = {record.case.precision: record for record in records.read(folder / "reports/latest/records.jsonl")[0]}
    for precision, record in found.items():
        assert not isinstance(record.validity.ran, Absent)
        assert record.validity.ran.runtime.endswith("built and not run")
        assert record.validity.label == precision
        assert isinstance(record.metrics.accuracy, Absent) == (precision == "bf16")
        assert isinstance(record.metrics.parity, Absent) == (precision == "bf16")
    int8 = found["int8"].validity.ran
    assert not isinstance(int8, Absent)
    assert not isinstance(int8.int8_mac_share, Absent)
    assert int8.int8_mac_share > 0.8
    assert int8.kernels["Conv int8"] > 4 * int8.kernels["Conv fp16"]
    bf16 = found["bf16"].metrics.accuracy
    assert isinstance(bf16, Absent)
    assert "nor does its ONNX file: ONNX Runtime has no bf16" in bf16.reason


def test_a_resumed_run_keeps_what_was_built(built: tuple[Path, str]) -> None:
    """Recorded engines are not built again, and what they lack is skipped as it was at first."""
    folder, _ = built
    (folder / "step.md").write_text("earlier\n")
    code, output = run(folder, "--resume", str(next((folder / "reports").glob("2*"))), "--junitxml", "junit.xml")
    assert code == 0, output
    assert "18 passed, 18 skipped" in output
    assert "0 of 4 cases to measure" in output
    # Continuous integration gets the figures in its own places.
    assert (folder / "step.md").read_text().startswith("earlier\n")
    assert "BUILT, NOT MEASURED" in (folder / "step.md").read_text()
    properties = re.findall(r'<property name="map50_95" value="([\d.]+)"', (folder / "junit.xml").read_text())
    assert len(properties) == 3


def test_one_engine_takes_every_batch_of_its_profile(built: tuple[Path, str]) -> None:
    """Cases of several batches share one engine of an ONNX file whose batch is open, in INT8 too; rebuilds do not."""
    folder, _ = built
    code, output = run(folder, "--trt-batches", "1,2,4", "--batch", "1,4", "--rebuilds", "2", "--precision",
                       "fp32,int8", "-k", "b1 or (b4 and not rebuild2)")  # fmt: skip
    assert code == 0, output
    found = {record.case.row_name: record for record in records.read(folder / "reports/latest/records.jsonl")[0]}
    assert list(found) == ["trt fp32", "trt fp32 rebuild2", "trt int8", "trt int8 rebuild2"]
    everything = records.read(folder / "reports/latest/records.jsonl")[0]
    engines: dict[tuple[str, str], set[str]] = {}
    for record in everything:
        assert not isinstance(record.artifact, Absent)
        assert not isinstance(record.metrics.accuracy, Absent)
        assert record.artifact.recipe.batch == 2
        engines.setdefault((record.case.precision, record.case.variant), set()).add(record.artifact.recipe_digest)
    assert len(everything) == 6
    assert [len(digests) for digests in engines.values()] == [1, 1, 1, 1]
    assert len(set.union(*engines.values())) == 4


def test_no_gpu_is_told_where_an_engine_is_loaded(built: tuple[Path, str]) -> None:
    """The real libraries, asked to run an engine on a machine without a driver, come out as one sentence."""
    entries, _ = Store(built[0] / "cache").entries()
    entry = next(it for it in entries if it.recipe.format == "trt")
    folder = built[0] / "cache" / "artifacts" / entry.digest / "files"
    case = make_case(backend="trt", device="cuda:0", imgsz=64)
    assert backend("trt").modules(folder) == ("tensorrt_rtx_bindings",)
    with pytest.raises(SessionError, match="no NVIDIA driver is loaded"):
        backend("trt").open(folder, case, RunPolicy(1))


def test_what_the_parser_refuses_is_said_with_its_node(built: tuple[Path, str], tmp_path: Path) -> None:
    """Asymmetric Q/DQ and a file that is no ONNX are refused in the parser's own words."""
    onnx: Any = pytest.importorskip("onnx")
    entries, _ = Store(built[0] / "cache").entries()
    entry = next(it for it in entries if (it.recipe.format, it.recipe.scheme) == ("onnx", SYMMETRIC))
    model = onnx.load(built[0] / "cache" / "artifacts" / entry.digest / "files" / "model.onnx")
    node = next(node for node in model.graph.node if node.op_type == "QuantizeLinear")
    (zero_point,) = (tensor for tensor in model.graph.initializer if tensor.name == node.input[2])
    zero_point.CopyFrom(onnx.numpy_helper.from_array(np.array(3, np.int8), zero_point.name))
    onnx.save(model, tmp_path / "asymmetric.onnx")
    refused = rf"TensorRT for RTX .* cannot read the ONNX file: node {node.name} .*Non-zero zero point is not supported"
    with pytest.raises(BuildError, match=refused):
        build_engine(RTX, tmp_path / "asymmetric.onnx", tmp_path / ENGINE_FILE)
    (tmp_path / "text.onnx").write_text("no network")
    with pytest.raises(BuildError, match="TensorRT for RTX"):
        build_engine(RTX, tmp_path / "text.onnx", tmp_path / ENGINE_FILE)
    assert not (tmp_path / ENGINE_FILE).exists()
