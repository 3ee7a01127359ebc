"""A figure's names are what scripts, baselines and habits rely on: none of them changes by accident."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchsuite.compare.findings import Finding
from benchsuite.plugin.fixtures import BenchRun, ReplayTimer
from benchsuite.report.console import table_lines
from benchsuite.report.exports import FORMATS
from benchsuite.report.matrix import make_matrix, read_costs
from benchsuite.report.matrix_page import matrix_page
from benchsuite.report.page import render
from benchsuite.report.views import page_view
from benchsuite.runs.records import Record
from benchsuite.terms.said import said
from benchsuite.testing import make_case, make_record, make_run, make_site
from tests.support.order import in_order
from tests.support.page_reader import PageReader

MEASURED = make_record()
RUN = make_run([MEASURED])


def test_columns_of_the_csv() -> None:
    """Further figures may follow these columns; none goes, and none moves."""
    header = str(FORMATS["csv"]([])).strip().split(",")
    assert header[:53] == [
        "run", "started", "machine", "case", "model", "backend", "precision", "device", "imgsz", "batch", "threads",
        "head", "variant", "outcome", "reason", "ran", "runtime", "int8_mac_share", "artifact_sha256", "artifact_bytes",
        "build_s", "recipe_digest", "preprocess_p50_ns", "preprocess_p90_ns", "preprocess_p95_ns", "preprocess_p99_ns",
        "inference_p50_ns", "inference_p90_ns", "inference_p95_ns", "inference_p99_ns", "postprocess_p50_ns",
        "postprocess_p90_ns", "postprocess_p95_ns", "postprocess_p99_ns", "total_p50_ns", "total_p90_ns",
        "total_p95_ns", "total_p99_ns", "calls", "import_ns", "load_ns", "first_inference_ns", "images_per_s",
        "streams", "peak_rss_bytes", "gpu_bytes", "params", "gflops", "map50_95", "map50", "map50_95_small",
        "agreement", "energy_j_per_call",
    ]  # fmt: skip


def test_headings_of_the_page() -> None:
    """The deployment table, among whose columns there may be more, and the overview of several groups."""
    page = PageReader(render(page_view(make_run([MEASURED, make_record(make_case(imgsz=320))]), (), 1.0)))
    wanted = [
        "Case", "Ran", "Total latency per call: p50 ms", "Total latency per call: p95 ms",
        "Total latency per call: p99 ms", "Inference: p50 ms", "Turn by turn: speed × fastest", "Turn by turn: place",
        "Turn by turn: speed-up × as fast as onnx fp32",
        "Saturated: throughput img/s", "Memory: peak MB", "Network: artifact MB", "Network: params M",
        "Network: GFLOPs", "Accuracy: mAP50-95", "Accuracy: mAP50", "Accuracy: small mAP50-95",
        "Parity: with torch fp32 %", "Set-up: packages", "Set-up: installed MB", "Set-up: driver",
    ]  # fmt: skip
    assert in_order(wanted, page.table("Case", "Ran").headings)
    assert page.table("Group").headings == [
        "Group", "Recommended", "p50 total ms", "speed-up × as fast as onnx fp32", "throughput img/s", "mAP50-95",
        "peak memory MB", "artifact MB",
    ]  # fmt: skip


def test_headings_of_the_terminal() -> None:
    """Five figures fit beside a name in 80 columns, with the row's speed and place among the others."""
    assert table_lines([MEASURED], 1.0)[2:4] == [
        "                   p50 ms  p95 ms         × fastest place  img/s  RAM MB    mAP",
        "onnx fp32            40.0    46.0                 –     –   30.0     189  0.650",
    ]


def test_choices_of_the_matrix() -> None:
    """What runs side by side, and over time, can show."""
    page = matrix_page(make_matrix([RUN, RUN], 0, read_costs("65,65", "1,1", 2)))
    choices = page[page.index('<select id="metric">') : page.index('<select id="form">')]
    assert re.findall(r"<option[^>]*>(.*?)</option>", choices) == [
        "p50 latency, ms", "p95 latency, ms", "throughput, images/s", "peak memory, MB", "artifact, MB", "mAP50-95",
        "images per joule, 1/J", "images per dollar, 1/$", "mAP points per watt, 1/W",
        "mAP points per dollar an hour, h/$",
    ]  # fmt: skip


def test_names_for_other_tools() -> None:
    """github-action-benchmark's names with their units, and Bencher's measures."""
    by_form = {form: json.loads(FORMATS[form]([RUN])) for form in ("github-smaller", "github-bigger", "bencher")}
    prefix = f"{MEASURED.case.id} "
    named = {
        form: [(it["name"].removeprefix(prefix), it["unit"], it["value"]) for it in by_form[form]]
        for form in ("github-smaller", "github-bigger")
    }
    assert named == {
        "github-smaller": [
            ("p50", "ms", 40.0), ("p95", "ms", 46.0), ("peak memory", "bytes", 180 << 20),
            ("artifact", "bytes", 9_800_000),
        ],
        "github-bigger": [("throughput", "img/s", 30.0), ("mAP50-95", "", 0.65)],
    }  # fmt: skip
    (measures,) = by_form["bencher"].values()
    assert list(measures) == ["latency", "throughput", "peak-memory", "file-size", "map50-95"]


@pytest.mark.parametrize(
    ("metric", "title"),
    [
        ("artifact_bytes", "artifact size"), ("params", "parameters"), ("gflops", "GFLOPs"),
        ("kernels", "kernel counts"), ("map50_95", "mAP50-95"), ("map50", "mAP50"),
        ("parity", "parity with the reference"), ("latency", "total latency"), ("memory", "peak memory"),
        ("accuracy", "mAP50-95"), ("throughput", "throughput"), ("p95", "95th percentile"), ("p99", "99th percentile"),
        ("waiver", "waiver"), ("case", "the whole case"), ("something newer", "something newer"),
    ],
)  # fmt: skip
def test_titles_of_findings(metric: str, title: str) -> None:
    """What a finding is about, as people say it; an unknown metric, as of a newer version, goes by its own name."""
    assert Finding("case", metric, "PASS", "", "", "", "").title == title


class _Recorded:
    """A run that has its record already."""

    def __init__(self, folder: Path, record: Record = MEASURED) -> None:
        self._record = record
        (folder / "samples").mkdir()
        np.savez(folder / MEASURED.metrics.latency.samples_file, total_ns=[40_000_000] * 3)  # type: ignore[union-attr]
        self.site = make_site(folder)

    def recorded(self, _: object) -> object:
        return self._record


def test_what_ran_is_a_text_to_pytest_benchmark(tmp_path: Path) -> None:
    """A label of two precisions stands in its JSON as people read it."""
    label = said("{1} storage, {2} compute", "fp16", "fp32")
    runner: Any = _Recorded(tmp_path, replace(MEASURED, validity=replace(MEASURED.validity, label=label)))
    benchmark = _Benchmark()
    BenchRun(runner, ReplayTimer()).latency(MEASURED.case).replay(benchmark)
    assert json.dumps(benchmark.extra_info["ran"]) == '"fp16 storage, fp32 compute"'


def test_properties_of_junit_and_pytest_benchmark(tmp_path: Path) -> None:
    """Each measurement tells its figures, units in their names; phases stand beside the samples of a latency."""
    told: dict[str, list[str]] = {}
    runner: Any = _Recorded(tmp_path)
    for metric in ("latency", "cold", "throughput", "memory", "artifact", "complexity", "proof", "accuracy", "parity"):
        properties: list[tuple[str, object]] = []
        measured = getattr(BenchRun(runner, ReplayTimer(), properties.append), metric)(MEASURED.case)
        told[metric] = [name for name, _ in properties]
        if metric == "latency":
            benchmark = _Benchmark()
            measured.replay(benchmark)
            assert set(benchmark.extra_info) == {
                "case", "ran", "preprocess_p50_ns", "inference_p50_ns", "postprocess_p50_ns", "artifact_bytes",
                "artifact_sha256",
            }  # fmt: skip
            assert benchmark.extra_info["inference_p50_ns"] == 36e6
            assert dict(properties)["p95_ns"] == 46e6
    assert told == {
        "latency": ["case", "p50_ns", "p95_ns", "p99_ns"],
        "cold": ["case", "load_ns", "first_inference_ns"],
        "throughput": ["case", "images_per_s"],
        "memory": ["case", "peak_rss_bytes"],
        "artifact": ["case", "artifact_bytes"],
        "complexity": ["case", "params", "gflops"],
        "proof": ["case", "kernels", "ran"],
        "accuracy": ["case", "map50_95", "map50"],
        "parity": ["case", "agreement"],
    }


class _Benchmark:
    """What a measurement needs of pytest-benchmark's fixture."""

    def __init__(self) -> None:
        self.extra_info: dict[str, object] = {}

    def pedantic(self, *_: object, **__: object) -> None:
        pass
