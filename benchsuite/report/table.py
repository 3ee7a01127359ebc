"""The deployment table: one row a measured or built case, every cell a text with what stands behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from benchsuite.detect.accuracy import Accuracy
from benchsuite.detect.parity import Parity
from benchsuite.measure.measurement import Complexity, Distribution, Latency, Memory, Throughput
from benchsuite.report.deployment import Setup
from benchsuite.runs.records import ArtifactFacts, Record
from benchsuite.terms.absence import Absent
from benchsuite.terms.quantities import megabytes, milliseconds, significant

ABSENT = "–"
T = TypeVar("T")


@dataclass(frozen=True)
class Cell:
    """One cell: its text, a second line, what stands behind it, and the number of its footnote (0 for none)."""

    text: str
    detail: str = ""
    title: str = ""
    note: int = 0
    void: bool = False


@dataclass(frozen=True)
class Column:
    """One column of the deployment table; `key` names its cell in a row."""

    key: str
    heading: str
    unit: str = ""


# Headings over several columns, and the columns under each.
COLUMNS: tuple[tuple[str, tuple[Column, ...]], ...] = (
    ("Total latency per call", (Column("p50", "p50", "ms"), Column("p95", "p95", "ms"), Column("p99", "p99", "ms"))),
    ("Inference", (Column("inference", "p50", "ms"),)),
    ("Speed-up", (Column("speedup", "of p50", "× torch fp32"),)),
    ("Saturated", (Column("throughput", "throughput", "img/s"),)),
    ("Memory", (Column("memory", "peak", "MB"),)),
    ("Network", (Column("size", "artifact", "MB"), Column("params", "params", "M"), Column("gflops", "GFLOPs"))),
    ("Accuracy", (Column("map50_95", "mAP50-95"), Column("map50", "mAP50"), Column("small", "small", "mAP50-95"))),
    ("Parity", (Column("parity", "with torch fp32", "%"),)),
    (
        "Set-up",
        (Column("packages", "packages"), Column("installed", "installed", "MB"), Column("driver", "driver")),
    ),
)
_SPEED = ("p50", "p95", "p99", "inference", "speedup", "throughput")


@dataclass(frozen=True)
class Row:
    """One measured or built case."""

    case_id: str
    name: str
    ran: Cell
    cells: Mapping[str, Cell]
    recommended: bool
    void: str


@dataclass
class Notes:
    """Number the reasons of absent values, each reason once."""

    texts: list[str] = field(default_factory=list)

    def number(self, text: str) -> int:
        if text not in self.texts:
            self.texts.append(text)
        return self.texts.index(text) + 1


def make_row(record: Record, reference: Record | None, void: str, setup: Setup, recommended: bool, notes: Notes) -> Row:
    metrics = record.metrics
    cells = {
        **_latency_cells(metrics.latency, notes),
        "speedup": _speedup(record, reference, notes),
        "throughput": _cell(metrics.throughput, notes, _throughput),
        "memory": _cell(metrics.memory, notes, _memory),
        "size": _cell(record.artifact, notes, _size),
        "params": _cell(metrics.complexity, notes, _params),
        "gflops": _cell(metrics.complexity, notes, _gflops),
        "map50_95": _cell(metrics.accuracy, notes, lambda it: Cell(f"{it.map50_95:.3f}", title=_evaluated(it))),
        "map50": _cell(metrics.accuracy, notes, lambda it: Cell(f"{it.map50:.3f}", title=_evaluated(it))),
        "small": _small(metrics.accuracy, notes),
        "parity": _cell(metrics.parity, notes, _parity),
        "packages": Cell(", ".join(setup.packages)),
        "installed": _cell(setup.installed_bytes, notes, lambda size: Cell(megabytes(size), title=_WITH_DEPENDENCIES)),
        "driver": Cell(setup.driver),
    }
    if void:
        note = notes.number(void)
        for key in _SPEED:
            if cells[key].text != ABSENT:
                cells[key] = Cell(cells[key].text, cells[key].detail, void, note, void=True)
    label = record.validity.label
    ran = _cell(label, notes, lambda text: Cell(text, title=_runtime(record)))
    if record.outcome == "built":
        ran = replace(ran, text=f"{ran.text}, only built")
        _note_stand_in(cells, notes)
    return Row(record.case.id, record.case.scheme, ran, cells, recommended, void)


def _note_stand_in(cells: dict[str, Cell], notes: Notes) -> None:
    """Say what was evaluated where the artifact itself cannot run."""
    for key in ("map50_95", "map50", "small", "parity"):
        if cells[key].text != ABSENT:
            cells[key] = replace(cells[key], note=notes.number(_STAND_IN))


_STAND_IN = "of the ONNX file that the engine was built from, run by ONNX Runtime on the CPU"
_WITH_DEPENDENCIES = "bytes on disk with everything that the packages pull in, stands for the download"


def _cell(value: T | Absent, notes: Notes, show: Callable[[T], Cell]) -> Cell:
    if isinstance(value, Absent):
        return Cell(ABSENT, title=value.reason, note=notes.number(value.reason))
    return show(value)


def _latency_cells(latency: Latency | Absent, notes: Notes) -> dict[str, Cell]:
    if isinstance(latency, Absent):
        return dict.fromkeys(("p50", "p95", "p99", "inference"), _cell(latency, notes, lambda _: Cell("")))
    total = latency.total_ns
    return {
        "p50": _median(total),
        "p95": _cell(total.p95, notes, lambda ns: Cell(milliseconds(ns))),
        "p99": _cell(total.p99, notes, lambda ns: Cell(milliseconds(ns))),
        "inference": _median(latency.inference_ns),
    }


def _median(distribution: Distribution) -> Cell:
    interval = distribution.p50_ci95
    title = f"median of {distribution.n} calls"
    if isinstance(interval, Absent):
        return Cell(milliseconds(distribution.p50), title=f"{title}; {interval.reason}")
    low, high = (milliseconds(ns) for ns in interval)
    return Cell(milliseconds(distribution.p50), f"{low}–{high}", f"{title}; 95 % interval {low} to {high} ms")


def _speedup(record: Record, reference: Record | None, notes: Notes) -> Cell:
    latency = record.metrics.latency
    if isinstance(latency, Absent):
        return _cell(latency, notes, lambda _: Cell(""))
    base = Absent("torch fp32 was not measured beside it") if reference is None else reference.metrics.latency
    if isinstance(base, Absent):
        return _cell(base, notes, lambda _: Cell(""))
    return Cell(significant(base.total_ns.p50 / latency.total_ns.p50))


def _throughput(throughput: Throughput) -> Cell:
    how = f"best of {len(throughput.sweep)}: {throughput.streams} streams × {throughput.threads} threads"
    return Cell(significant(throughput.images_per_s), f"{throughput.streams} × {throughput.threads}", how)


def _memory(memory: Memory) -> Cell:
    title = (
        f"import {megabytes(memory.import_rss_bytes)} MB, loading adds {megabytes(memory.load_added_bytes)} MB, "
        f"inference {megabytes(memory.inference_added_bytes)} MB"
    )
    gpu = "" if isinstance(memory.gpu_bytes, Absent) else f"GPU {megabytes(memory.gpu_bytes)}"
    return Cell(megabytes(memory.peak_rss_bytes), gpu, title)


def _size(artifact: ArtifactFacts) -> Cell:
    built = "" if isinstance(artifact.build_s, Absent) else f"{significant(artifact.build_s)} s to build"
    return Cell(megabytes(artifact.bytes), built, f"{artifact.bytes:,} bytes, sha256 {artifact.sha256[:12]}")


def _params(complexity: Complexity) -> Cell:
    return Cell(significant(complexity.params / 1e6), title=f"{complexity.params:,} parameters")


def _gflops(complexity: Complexity) -> Cell:
    return Cell(significant(complexity.gflops))


def _evaluated(accuracy: Accuracy) -> str:
    return f"{accuracy.labels:,} labels on {accuracy.images:,} images"


def _small(accuracy: Accuracy | Absent, notes: Notes) -> Cell:
    value = accuracy if isinstance(accuracy, Absent) else accuracy.map50_95_small
    return _cell(value, notes, lambda it: Cell(f"{it:.3f}", title="objects under 32 × 32 px"))


def _parity(parity: Parity) -> Cell:
    title = (
        f"against {parity.reference} on {parity.images} images: {parity.matched:,} boxes matched, "
        f"{parity.added:,} added, {parity.dropped:,} dropped"
    )
    if not isinstance(parity.worst_class, Absent) and not isinstance(parity.worst_class_agreement, Absent):
        title += f"; worst class {parity.worst_class} {parity.worst_class_agreement * 100:.1f} %"
    return Cell(f"{parity.agreement * 100:.1f}", title=title)


def _runtime(record: Record) -> str:
    ran = record.validity.ran
    if isinstance(ran, Absent):
        return ""
    kernels = ", ".join(f"{kind} {count}" for kind, count in sorted(ran.kernels.items()))
    return f"{ran.runtime}: {kernels}" if kernels else ran.runtime
