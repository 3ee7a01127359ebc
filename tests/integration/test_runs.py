"""Whole runs: real exports, real runtimes, real workers, at 64 px to be quick."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from benchsuite.commands.init import scaffold
from benchsuite.runs import records
from benchsuite.runs.records import Record
from benchsuite.terms.absence import Absent

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
QUICK = ("bench/", "--imgsz", "64", "--effort", "quick", "-p", "no:cacheprovider")
FP32 = "yolo26n_shapes-onnx-fp32-cpu-64-b1"
FP16 = "yolo26n_shapes-onnx-fp16-cpu-64-b1"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Give a repository of a user's own."""
    scaffold(tmp_path)
    return tmp_path


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a user an empty home."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def environment(cache: Path, home: Path, locks: Path) -> dict[str, str]:
    """Give the variables that runs here share."""
    own = {
        "HOME": str(home), "BENCHSUITE_LOCK": str(locks / "lock"), "BENCHSUITE_CACHE": str(cache),
        "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    # A worker of pytest-xdist runs these tests at times, and pytest-benchmark would think that it runs theirs too.
    return {name: text for name, text in os.environ.items() if not name.startswith("PYTEST_XDIST")} | own


@pytest.fixture
def start(project: Path, environment: dict[str, str]) -> Callable[..., subprocess.Popen[str]]:
    """Start a run and return its process."""

    def start(*arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", *QUICK, *arguments],
            cwd=project, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip

    return start


@pytest.fixture
def bench(start: Callable[..., subprocess.Popen[str]]) -> Callable[..., tuple[int, str]]:
    """Run to the end and return exit code and output."""

    def bench(*arguments: str) -> tuple[int, str]:
        process = start(*arguments)
        output, _ = process.communicate(timeout=400)
        return process.returncode, output

    return bench


def _records(project: Path) -> dict[str, Record]:
    found, _ = records.read(project / "reports" / "latest" / "records.jsonl")
    return {record.case.id: record for record in found}


def _wait_for(condition: Callable[[], Any], seconds: float = 120) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("waited in vain")


def _worker_of(process: subprocess.Popen[str]) -> psutil.Process | None:
    for child in psutil.Process(process.pid).children(recursive=True):
        # Children of the start-up come and go between the listing and the look.
        with suppress(psutil.Error):
            if "benchsuite.measure.worker" in " ".join(child.cmdline()):
                return child
    return None


def test_run_measures_every_metric_and_leaves_its_files_only(
    project: Path, home: Path, bench: Callable[..., tuple[int, str]]
) -> None:
    """A run leaves a record with every metric, a page and samples that pytest-benchmark reads; at home nothing."""
    before = set(project.iterdir())
    code, output = bench("--backend", "onnx", "--precision", "fp32", "--benchmark-json", "bench.json")
    assert list(home.rglob("*")) == []
    left = {path.name for path in set(project.iterdir()) - before}
    assert left <= {"reports", "bench.json", ".benchmarks", "__pycache__"}
    assert code == 0, output
    record = _records(project)[FP32]
    metrics = record.metrics
    for name in ("latency", "cold", "throughput", "memory", "complexity", "accuracy", "parity"):
        assert not isinstance(getattr(metrics, name), Absent), name
    assert not isinstance(record.validity.ran, Absent)
    folder = project / "reports" / "latest"
    for name in ("index.html", "summary.md", "environment.json", "run.json", metrics.latency.samples_file):
        assert (folder / name).is_file(), name
    (shown,) = json.loads((project / "bench.json").read_text())["benchmarks"]
    assert shown["param"] == FP32
    assert shown["stats"]["rounds"] == metrics.latency.total_ns.n
    assert shown["stats"]["median"] == pytest.approx(metrics.latency.total_ns.p50 / 1e9)
    assert shown["extra_info"]["case"] == FP32
    compared = subprocess.run(
        [sys.executable, "-m", "pytest_benchmark", "compare", "bench.json"],
        cwd=project, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert FP32 in compared.stdout
    assert FP32 in output


def test_promoted_baseline_is_compared_with(project: Path, bench: Callable[..., tuple[int, str]]) -> None:
    """After promote a second run passes; a baseline of fewer parameters fails it with both values and both lines."""
    arguments = ("--backend", "onnx", "--precision", "fp32", "-k", "complexity or accuracy")
    assert bench(*arguments)[0] == 0
    promoted = subprocess.run(
        [sys.executable, "-m", "benchsuite", "promote", "reports/latest", "--machine", "here"],
        cwd=project, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert promoted.returncode == 0, promoted.stderr
    code, output = bench(*arguments, "--machine", "here")
    assert code == 0, output
    path = project / "baselines" / "here" / "yolo26n_shapes.json"
    text = path.read_text()
    params = _records(project)[FP32].metrics.complexity.params
    path.write_text(text.replace(str(params), str(params - 1000)))
    code, output = bench(*arguments, "--machine", "here")
    assert code == 1
    for part in ("REGRESSED", "parameters", f"{params:,}", f"{params - 1000:,}", "pytest bench/ --case", "promote"):
        assert part in output


def test_killed_run_is_resumed_without_measuring_again(
    project: Path, start: Callable[..., subprocess.Popen[str]], bench: Callable[..., tuple[int, str]]
) -> None:
    """After kill -9 the finished case keeps its record and samples, and only the other one is measured."""
    process = start("--backend", "onnx", "--precision", "fp32,fp16", "-k", "latency", "--turns", "off")
    path = project / "reports" / "latest" / "records.jsonl"
    _wait_for(lambda: path.is_file() and FP32 in path.read_text())
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    with path.open("a") as file:
        file.write('{"schema": 1, "case"')
    first = _records(project)[FP32]
    code, output = bench("--resume", "-k", "latency")
    assert code == 0, output
    assert "unterminated" in output
    assert len(list((project / "reports").glob("2*"))) == 1
    found = _records(project)
    assert set(found) == {FP32, FP16}
    assert found[FP32].metrics.latency.samples_sha256 == first.metrics.latency.samples_sha256
    assert path.read_text().count(f'"id":"{FP32}"') == 1


def test_run_that_was_killed_after_its_turns_does_not_take_them_again(
    project: Path, start: Callable[..., subprocess.Popen[str]], bench: Callable[..., tuple[int, str]]
) -> None:
    """Times that a whole group has taken are kept, though no case has a record yet."""
    process = start("--backend", "onnx", "--precision", "fp32,fp16", "-k", "latency or throughput")
    _wait_for(lambda: bool(list((project / "reports").glob("2*/timing/turns-1.json"))))
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    (kept,) = (project / "reports").glob("2*/timing/turns-1.json")
    before = kept.read_bytes()
    code, output = bench("--resume", "-k", "latency or throughput")
    assert code == 0, output
    assert [path.name for path in sorted(kept.parent.glob("turns-*.json"))] == ["turns-1.json"]
    assert kept.read_bytes() == before
    assert {record.metrics.latency.together.timing for record in _records(project).values()} == {"turns-1"}


def test_killed_worker_costs_one_case(project: Path, start: Callable[..., subprocess.Popen[str]]) -> None:
    """A worker killed while it measures leaves a failed record with the cause, and the next case is measured."""
    process = start("--backend", "onnx", "--precision", "fp32,fp16", "-k", "latency")
    worker = _wait_for(lambda: _worker_of(process))
    time.sleep(1.5)
    worker.kill()
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 1
    found = _records(project)
    assert found[FP32].outcome == "failed"
    assert "SIGKILL" in found[FP32].reason
    assert found[FP16].outcome == "measured"
    assert "SIGKILL" in output
    assert "Traceback" not in output
    assert "another exception" not in output
    assert "warnings summary" not in output


def test_altered_artifact_is_rebuilt_and_reported(
    project: Path, bench: Callable[..., tuple[int, str]], environment: dict[str, str], tmp_path: Path
) -> None:
    """An artifact whose bytes changed on disk is built anew, and the record says so."""
    cache = tmp_path / "cache"
    environment["BENCHSUITE_CACHE"] = str(cache)
    arguments = ("--backend", "onnx", "--precision", "fp32", "-k", "complexity")
    assert bench(*arguments)[0] == 0
    before = _records(project)[FP32].artifact
    (folder,) = (cache / "artifacts").glob(f"{before.recipe_digest}/files")
    model = next(path for path in folder.rglob("*") if path.suffix == ".onnx")
    model.write_bytes(model.read_bytes()[:1000])
    assert bench(*arguments)[0] == 0
    after = _records(project)[FP32]
    assert after.artifact.bytes == before.bytes
    assert any("truncated or altered" in warning for warning in after.validity.warnings)


def test_second_run_waits_for_the_first(start: Callable[..., subprocess.Popen[str]]) -> None:
    """Two runs started together both succeed, one after the other, on one store."""
    arguments = ("--backend", "onnx", "--precision", "fp32", "-k", "latency")
    processes = [start(*arguments, "--report", f"reports{number}") for number in range(2)]
    outputs = [process.communicate(timeout=300)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    assert sum("waiting for another benchsuite run" in output for output in outputs) == 1
