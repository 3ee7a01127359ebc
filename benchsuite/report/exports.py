"""A run's figures for other tools: a flat table, github-action-benchmark's and Bencher's JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchsuite.machine.files import write_whole
from benchsuite.measure.measurement import PHASES
from benchsuite.runs.folder import Run
from benchsuite.runs.records import Record
from benchsuite.terms.absence import Absent
from benchsuite.terms.errors import UsageError
from benchsuite.terms.quantities import NS_PER_MS

Value = str | int | float | None
# The formats whose rows say which run they are of.
_TABLES = ("csv", "parquet")
_PERCENTILES = ("p50", "p90", "p95", "p99")
_TEXTS = (
    "run", "started", "machine", "case", "model", "backend", "precision", "device", "head", "variant", "outcome",
    "reason", "ran", "runtime", "artifact_sha256", "recipe_digest",
)  # fmt: skip
# In the order of a row.
_COLUMNS = (
    "run", "started", "machine", "case", "model", "backend", "precision", "device", "imgsz", "batch", "threads", "head",
    "variant", "outcome", "reason", "ran", "runtime", "int8_mac_share", "artifact_sha256", "artifact_bytes", "build_s",
    "recipe_digest", *(f"{phase}_{name}_ns" for phase in PHASES for name in _PERCENTILES), "calls", "import_ns",
    "load_ns", "first_inference_ns", "images_per_s", "streams", "peak_rss_bytes", "gpu_bytes", "params", "gflops",
    "map50_95", "map50", "map50_95_small", "agreement", "energy_j_per_call",
)  # fmt: skip
_COUNTS = (
    "imgsz", "batch", "threads", "artifact_bytes", "calls", "import_ns", "load_ns", "first_inference_ns", "streams",
    "peak_rss_bytes", "gpu_bytes", "params",
)  # fmt: skip


def flat_rows(runs: Sequence[Run]) -> list[dict[str, Value]]:
    """Return a row a record, units in the columns' names; what is absent is None, and `reason` says why."""
    return [_row(run, record) for run in runs for record in run.records]


def export(runs: Sequence[Run], form: str, path: Path) -> None:
    """Write runs to a file in one of FORMATS; raises UsageError, as for several runs where cases go by name only."""
    if len(runs) > 1 and form not in _TABLES:
        raise UsageError(
            f"--format {form}: it tells cases by name only, and {len(runs)} runs were given; export each to a file of "
            f"its own, or use {' or '.join(_TABLES)}."
        )
    write_whole(path, FORMATS[form](runs))


def _row(run: Run, record: Record) -> dict[str, Value]:
    case, metrics = record.case, record.metrics
    ran, artifact = record.validity.ran, record.artifact
    row: dict[str, Value] = {
        "run": run.name,
        "started": run.started,
        "machine": run.machine.slug,
        "case": case.id,
        "model": case.model,
        "backend": case.backend,
        "precision": case.precision,
        "device": case.device,
        "imgsz": case.imgsz.plain,
        "batch": case.batch,
        "threads": case.threads,
        "head": case.head,
        "variant": case.variant,
        "outcome": record.outcome,
        "reason": record.reason,
        "ran": _get(record.validity.label, str),
        "runtime": _get(ran, lambda it: it.runtime),
        "int8_mac_share": _get(ran, lambda it: _get(it.int8_mac_share, float)),
        "artifact_sha256": _get(artifact, lambda it: it.sha256),
        "artifact_bytes": _get(artifact, lambda it: it.bytes),
        "build_s": _get(artifact, lambda it: _get(it.build_s, float)),
        "recipe_digest": _get(artifact, lambda it: it.recipe_digest),
    }
    for phase in PHASES:
        phase_ns = None if isinstance(metrics.latency, Absent) else getattr(metrics.latency, f"{phase}_ns")
        for name in _PERCENTILES:
            ns = None if phase_ns is None else getattr(phase_ns, name)
            row[f"{phase}_{name}_ns"] = _get(ns, float) if ns is not None else None
    row |= {
        "calls": _get(metrics.latency, lambda it: it.total_ns.n),
        "import_ns": _get(metrics.cold, lambda it: it.import_ns),
        "load_ns": _get(metrics.cold, lambda it: it.load_ns),
        "first_inference_ns": _get(metrics.cold, lambda it: it.first_inference_ns),
        "images_per_s": _get(metrics.throughput, lambda it: it.images_per_s),
        "streams": _get(metrics.throughput, lambda it: it.streams),
        "peak_rss_bytes": _get(metrics.memory, lambda it: it.peak_rss_bytes),
        "gpu_bytes": _get(metrics.memory, lambda it: _get(it.gpu_bytes, int)),
        "params": _get(metrics.complexity, lambda it: it.params),
        "gflops": _get(metrics.complexity, lambda it: it.gflops),
        "map50_95": _get(metrics.accuracy, lambda it: it.map50_95),
        "map50": _get(metrics.accuracy, lambda it: it.map50),
        "map50_95_small": _get(metrics.accuracy, lambda it: _get(it.map50_95_small, float)),
        "agreement": _get(metrics.parity, lambda it: it.agreement),
        "energy_j_per_call": _get(metrics.gpu, lambda it: _get(it.energy_j_per_call, float)),
    }
    return row


def _get(value: Any, part: Callable[[Any], Any]) -> Any:
    return None if isinstance(value, Absent) else part(value)


def _csv(runs: Sequence[Run]) -> str:
    rows = flat_rows(runs)
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _parquet(runs: Sequence[Run]) -> bytes:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise UsageError(
            "Parquet needs pyarrow, which is not installed: pip install 'benchsuite[report]', or use csv."
        ) from None
    rows = flat_rows(runs)
    # A column that is empty in this file keeps the type that it has in others.
    kinds = {
        name: pyarrow.string() if name in _TEXTS else pyarrow.int64() if name in _COUNTS else pyarrow.float64()
        for name in _COLUMNS
    }
    content = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, schema=pyarrow.schema(kinds)), content)
    return content.getvalue()


def _smaller(runs: Sequence[Run]) -> str:
    """Write github-action-benchmark's customSmallerIsBetter."""
    figures = []
    for record in _measured(runs):
        latency, memory = record.metrics.latency, record.metrics.memory
        if not isinstance(latency, Absent):
            total = latency.total_ns
            spread = None if isinstance(total.p50_ci95, Absent) else (total.p50_ci95[1] - total.p50_ci95[0]) / 2
            figures.append(_figure(record, "p50", "ms", total.p50 / NS_PER_MS, spread and spread / NS_PER_MS))
            if not isinstance(total.p95, Absent):
                figures.append(_figure(record, "p95", "ms", total.p95 / NS_PER_MS))
        if not isinstance(memory, Absent):
            figures.append(_figure(record, "peak memory", "bytes", memory.peak_rss_bytes))
        if not isinstance(record.artifact, Absent):
            figures.append(_figure(record, "artifact", "bytes", record.artifact.bytes))
    return json.dumps(figures, indent=1) + "\n"


def _bigger(runs: Sequence[Run]) -> str:
    """Write github-action-benchmark's customBiggerIsBetter."""
    figures = []
    for record in _measured(runs):
        throughput, accuracy = record.metrics.throughput, record.metrics.accuracy
        if not isinstance(throughput, Absent):
            figures.append(_figure(record, "throughput", "img/s", throughput.images_per_s))
        if not isinstance(accuracy, Absent):
            figures.append(_figure(record, "mAP50-95", "", accuracy.map50_95))
    return json.dumps(figures, indent=1) + "\n"


def _figure(record: Record, name: str, unit: str, value: float, spread: float | None = None) -> dict[str, Value]:
    figure: dict[str, Value] = {"name": f"{record.case.id} {name}", "unit": unit, "value": value}
    return figure if spread is None else {**figure, "range": f"± {spread:.3g}"}


def _bencher(runs: Sequence[Run]) -> str:
    """Write the Bencher Metric Format: benchmark, measure, value with its bounds."""
    found: dict[str, dict[str, Mapping[str, float]]] = {}
    for record in _measured(runs):
        measures: dict[str, Mapping[str, float]] = {}
        metrics = record.metrics
        if not isinstance(metrics.latency, Absent):
            total = metrics.latency.total_ns
            measures["latency"] = {"value": total.p50}
            if not isinstance(total.p50_ci95, Absent):
                low, high = total.p50_ci95
                measures["latency"] = {"value": total.p50, "lower_value": low, "upper_value": high}
        if not isinstance(metrics.throughput, Absent):
            measures["throughput"] = {"value": metrics.throughput.images_per_s}
        if not isinstance(metrics.memory, Absent):
            measures["peak-memory"] = {"value": metrics.memory.peak_rss_bytes}
        if not isinstance(record.artifact, Absent):
            measures["file-size"] = {"value": record.artifact.bytes}
        if not isinstance(metrics.accuracy, Absent):
            measures["map50-95"] = {"value": metrics.accuracy.map50_95}
        if measures:
            found[record.case.id] = measures
    return json.dumps(found, indent=1) + "\n"


def _measured(runs: Sequence[Run]) -> list[Record]:
    return [record for run in runs for record in run.records if record.outcome == "measured"]


FORMATS: Mapping[str, Callable[[Sequence[Run]], str | bytes]] = {
    "csv": _csv,
    "parquet": _parquet,
    "github-smaller": _smaller,
    "github-bigger": _bigger,
    "bencher": _bencher,
}
