"""Studies and searches as their users start them: real artifacts, real runtimes, at 64 px to be quick."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchsuite.artifacts.exporters import RANGES_FILE
from benchsuite.artifacts.store import Store
from benchsuite.backends.tools import OBSERVED
from benchsuite.commands.init import scaffold
from benchsuite.data.shapes import ShapesSpec, shapes_data
from benchsuite.machine.facts import read_machine
from benchsuite.quantize.ranges import load_observed
from benchsuite.runs import records
from benchsuite.study.rows import Study, StudyRow, read_studies
from benchsuite.terms.absence import Absent

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
SIZE = ("--imgsz", "64", "--effort", "quick")
Call = Callable[..., tuple[int, str]]


@pytest.fixture
def call(tmp_path: Path, cache: Path, locks: Path) -> Call:
    """Run a module's command in a folder of its own and return exit code and output."""
    environment = {
        **os.environ,
        "BENCHSUITE_CACHE": str(cache),
        "PYTHONPATH": str(ROOT),
        "BENCHSUITE_LOCK": str(locks / "lock"),
    }

    def call(module: str, *arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=tmp_path, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=500,
        )  # fmt: skip
        return done.returncode, done.stdout

    return call


def the_study(folder: Path) -> Study:
    """Return the one study that was kept."""
    ((study,), _) = read_studies(folder / "reports")
    return study


def test_schemes_are_compared_with_fp32(call: Call, tmp_path: Path) -> None:
    """Each scheme has a row with its size, time, loss and proof; one that is INT8 in name only says so."""
    data = shapes_data(tmp_path / "drawn", ShapesSpec(train=1, val=8, calib=8))
    few = ("--data", str(data), "--calib-size", "8")
    code, output = call("benchsuite", "study", "schemes", "--backend", "onnx,ncnn", *few, *SIZE)
    assert code == 0, output
    rows: dict[str, StudyRow] = {row.scheme: row for row in the_study(tmp_path).rows}
    assert {"qdq-u8s8", "qop-u8s8", "dynamic-u8u8", "ultralytics", "ncnn-w8"} <= set(rows)
    # On x86 ONNX Runtime turns part of the s8 activations into u8, and leaves the convolutions between in float.
    in_name_only = {"ultralytics", "qdq-s8s8"} if read_machine().is_x86 else {"ultralytics"}
    for scheme, row in rows.items():
        assert row.reason == "", scheme
        assert not isinstance(row.timed, Absent)
        assert not isinstance(row.loss, Absent)
        assert bool(row.conflict) == (scheme in in_name_only), scheme
    assert "only 2% of its convolutions' multiply-adds ran in integer kernels" in rows["ultralytics"].conflict
    page = next((tmp_path / "reports").glob("study-schemes-*/index.html")).read_text()
    assert "onnx int8 qdq-u8s8-pertensor" in page
    assert not list(tmp_path.glob("*.onnx"))


def test_what_subsets_share_is_what_they_would_have_seen(call: Call, cache: Path, tmp_path: Path) -> None:
    """A subset put together from blocks has the counts of its own pass over its images; a second run only times."""
    plan = ("--sizes", "50,100", "--methods", "minmax,percentile", "--seeds", "1", "--pool", "100")
    code, output = call("benchsuite", "study", "calibration", *plan, *SIZE)
    assert code == 0, output
    assert "observing block 1 of 2" in output
    points = the_study(tmp_path).points
    assert [(point.method, point.size) for point in points] == [
        ("minmax", 50), ("minmax", 100), ("percentile", 50), ("percentile", 100),
    ]  # fmt: skip
    assert all(0 < point.observe_s < 60 and point.peak_bytes < 4e9 for point in points)

    store = Store(cache)
    (subset,) = (
        entry
        for entry in store.entries()[0]
        if entry.recipe.precision == OBSERVED and entry.recipe.calibration and entry.recipe.calibration.size == 100
    )
    listed = next((tmp_path / "reports").glob("study-calibration-*/pool/100-seed0.txt")).read_text().split()
    stored = store.find(subset.recipe)
    assert stored is not None
    fresh = Store(tmp_path / "fresh")
    direct, _ = fresh.get(
        subset.recipe, ROOT / "benchsuite" / "networks" / "yolo26n_shapes.pt", [Path(path) for path in sorted(listed)]
    )
    ours, theirs = (load_observed(Path(folder) / RANGES_FILE) for folder in (stored.folder, direct.folder))
    assert list(ours) == list(theirs)
    for name, found in theirs.items():
        assert found.bounds("minmax") == ours[name].bounds("minmax")
        assert np.array_equal(found.counts, ours[name].counts)

    code, output = call("benchsuite", "study", "calibration", *plan, *SIZE)
    assert code == 0
    assert "observing" not in output
    assert "building" not in output


def test_auto_finds_a_scheme_and_says_how(call: Call, tmp_path: Path) -> None:
    """The record names the scheme that was chosen and everything that was tried; a gate refuses to search."""
    scaffold(tmp_path)
    options = ("--backend", "onnx", "--precision", "int8", "--quant-scheme", "auto", *SIZE)
    code, output = call("pytest", "bench/", *options, "--search-budget", "60s", "-p", "no:cacheprovider")
    assert code == 0, output
    (record,) = records.read(next((tmp_path / "reports").glob("2*/records.jsonl")))[0]
    search = record.validity.search
    assert not isinstance(search, Absent)
    assert not isinstance(record.artifact, Absent)
    assert record.artifact.recipe.scheme == search.chosen
    assert len(search.points) > 3
    assert search.chosen in next((tmp_path / "reports").glob("2*/index.html")).read_text()
    code, output = call("benchsuite", "gate", "--against", f"env:{sys.executable}", *options)
    assert code == 2
    assert "--quant-scheme auto: a gate times fixed artifacts" in " ".join(output.split())


def test_too_few_images_and_broken_ones_are_said(call: Call, tmp_path: Path) -> None:
    """Fewer calibration images than asked for are a warning; one that cannot be decoded is named."""
    scaffold(tmp_path)
    pixels = np.full((64, 64, 3), 90, np.uint8)
    import cv2

    for name in ("a.png", "b.png"):
        cv2.imwrite(str(tmp_path / name), pixels)
    (tmp_path / "few.yaml").write_text(json.dumps({"names": ["x"], "val": ["."], "calib": "few.txt"}))
    (tmp_path / "few.txt").write_text("./a.png\n./b.png\n")
    options = ("bench/", "--backend", "ncnn", "--precision", "int8", "--calib", "few.yaml", *SIZE)
    code, output = call("pytest", *options, "-p", "no:cacheprovider")
    assert code == 0, output
    (record,) = records.read(next((tmp_path / "reports").glob("2*/records.jsonl")))[0]
    assert any("images were asked for and few.yaml has 2" in warning for warning in record.validity.warnings)
    (tmp_path / "b.png").write_bytes(b"no picture")
    code, output = call("pytest", *options, "-p", "no:cacheprovider")
    assert code == 4
    assert "b.png" in output
