"""The deployment table: one row a measured or built case, every cell a text with what stands behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from benchsuite.detect.accuracy import Accuracy
from benchsuite.detect.parity import Parity
from benchsuite.measure.measurement import ALONE, AccuracyLoss, Complexity, Memory, Throughput
from benchsuite.measure.ranking import Ratio
from benchsuite.report import quoted
from benchsuite.report.deployment import Setup
from benchsuite.report.recommendation import Recommendation
from benchsuite.runs import figures
from benchsuite.runs.figures import Figure
from benchsuite.runs.ranking import RankedRow, RankedRows
from benchsuite.runs.records import ArtifactFacts, Record
from benchsuite.runs.worth import with_calibration
from benchsuite.terms.absence import DASH, Absent, part_of
from benchsuite.terms.quantities import megabytes, signed, significant
from benchsuite.terms.said import joined, said

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


# What is no figure of one record alone.
SPEED_UP = "speedup"
FASTEST = "fastest"
PLACE = "place"
_SET_UP = (Column("packages", "packages"), Column("installed", "installed", "MB"), Column("driver", "driver"))
# Speed-up stands beside it.
_FASTER = "inference"


def columns(speed_up: str) -> tuple[tuple[str, tuple[Column, ...]], ...]:
    """Return the headings over several columns, and the columns under each; `speed_up` says what is as fast as what."""
    groups: dict[str, list[Column]] = {}
    for figure in _columned():
        own = Column(figure.key, figure.names.heading, figure.unit.text)
        groups.setdefault(figure.names.group, []).append(own)
        if figure.key == _FASTER:
            groups["Turn by turn"] = [
                Column(FASTEST, "speed", "× fastest"), Column(PLACE, "place"), Column(SPEED_UP, "speed-up", speed_up)
            ]  # fmt: skip
    groups["Set-up"] = list(_SET_UP)
    return tuple((heading, tuple(under)) for heading, under in groups.items())


def _columned() -> tuple[Figure, ...]:
    return tuple(figure for figure in figures.FIGURES if figure.names.heading)


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


def make_row(
    record: Record, reference: Record | None, void: str, setup: Setup, recommendation: Recommendation, notes: Notes
) -> Row:
    """Return the row of a record; `reference` is the row that speeds are held against beside the fastest."""
    ranked = recommendation.ranked
    recommended = recommendation.record is not None and recommendation.record.case.id == record.case.id
    cells = {}
    for figure in _columned():
        cells[figure.key] = _cell(figure.read(record), notes, partial(_figure, figure, record))
        if figure.key == _FASTER:
            cells |= _held(record, reference, ranked, notes)
    cells |= {
        "packages": Cell(", ".join(setup.packages)),
        "installed": _cell(setup.installed_bytes, notes, lambda size: Cell(megabytes(size), title=_WITH_DEPENDENCIES)),
        "driver": Cell(setup.driver),
    }
    if void:
        note = notes.number(void)
        for key in (SPEED_UP, FASTEST, PLACE, *(figure.key for figure in _columned() if figure.speed)):
            if cells[key].text != DASH:
                cells[key] = Cell(cells[key].text, cells[key].detail, void, note, void=True)
    label = record.validity.label
    ran = _cell(label, notes, lambda text: Cell(text, title=_runtime(record)))
    if record.outcome == "built":
        ran = replace(ran, text=said("{1}, only built", ran.text))
        _note_stand_in(cells, notes)
    return Row(record.case.id, record.row_name, ran, cells, recommended, void)


def _note_stand_in(cells: dict[str, Cell], notes: Notes) -> None:
    """Say what was evaluated where the artifact itself cannot run."""
    for figure in _columned():
        if figure.metric in ("accuracy", "parity") and cells[figure.key].text != DASH:
            cells[figure.key] = replace(cells[figure.key], note=notes.number(_STAND_IN))


_NO_TORCH = Absent("torch fp32 was not measured beside it")
_NONE_KEEPS = Absent("no row keeps the accuracy")
_NO_PLACE = Absent("only rows that keep the accuracy have a place")
_ANOTHER_TIMING = Absent("it was not timed together with the other rows")
_PLACES = "rows that simultaneous 99 % intervals over all rows do not tell apart share places"
_STAND_IN = "of the ONNX file that the engine was built from, run by ONNX Runtime on the CPU"
_WITH_DEPENDENCIES = "bytes on disk with everything that the packages pull in, stands for the download"


def _cell(value: T | Absent, notes: Notes, show: Callable[[T], Cell]) -> Cell:
    if isinstance(value, Absent):
        return Cell(DASH, title=value.reason, note=notes.number(value.reason))
    return show(value)


def _held(record: Record, reference: Record | None, ranked: RankedRows | Absent, notes: Notes) -> Mapping[str, Cell]:
    """Return how fast a row is against the fastest and the reference, with its place; only turns tell that."""
    row = _ranked(record, ranked)
    if isinstance(row, Absent) or isinstance(ranked, Absent):
        return {key: _cell(row, notes, lambda _: Cell("")) for key in (FASTEST, PLACE, SPEED_UP)}
    base: Ratio | Absent = _NO_TORCH
    if reference is not None and reference.case.id not in ranked.rows:
        base = Absent(said("{1} was not timed together with it", reference.row_name))
    elif reference is not None:
        base = ranked.speed(record.case.id, reference.case.id)
    return {
        FASTEST: _cell(row.speed or _NONE_KEEPS, notes, _ratio),
        PLACE: _cell(row.place or _NO_PLACE, notes, lambda it: Cell(quoted.place(it), title=_PLACES)),
        SPEED_UP: _cell(base, notes, _ratio),
    }


def _ranked(record: Record, ranked: RankedRows | Absent) -> RankedRow | Absent:
    latency = record.metrics.latency
    if isinstance(latency, Absent) or isinstance(ranked, Absent):
        return latency if isinstance(latency, Absent) else ALONE
    return ranked.rows.get(record.case.id) or (
        latency.together if isinstance(latency.together, Absent) else _ANOTHER_TIMING
    )


def _ratio(ratio: Ratio) -> Cell:
    if ratio.low == ratio.high == 1:
        return Cell("1.00")
    low, high = f"{ratio.low:.2f}", f"{ratio.high:.2f}"
    title = said("95 % interval {1} to {2}, over launches and sessions", low, high)
    return Cell(f"{ratio.times:.2f}", f"{low}–{high}", title)


def _figure(figure: Figure, record: Record, value: float) -> Cell:
    return Cell(figure.unit.show(value), *_behind(figure, record))


def _behind(figure: Figure, record: Record) -> tuple[str, str]:
    if figure.interval:
        return _median(figure, record, figure.interval(record))
    behind = _BEHIND[figure.key](record) if figure.key in _BEHIND else ("", "")
    return ("", "") if isinstance(behind, Absent) else behind


def _median(figure: Figure, record: Record, interval: tuple[float, float] | Absent) -> tuple[str, str]:
    title = said("median of {1} calls", figures.figure("calls").read(record))
    if isinstance(interval, Absent):
        return "", joined("; ", (title, interval.reason))
    low, high = map(figure.unit.show, interval)
    bounds = said("95 % interval {1} to {2} {3}", low, high, figure.unit.text)
    return f"{low}–{high}", joined("; ", (title, bounds))


def _throughput(throughput: Throughput) -> tuple[str, str]:
    points = len(throughput.sweep)
    how = said("best of {1}: {2} streams × {3} threads", points, throughput.streams, throughput.threads)
    return f"{throughput.streams} × {throughput.threads}", how


def _memory(memory: Memory) -> tuple[str, str]:
    steps = (memory.import_rss_bytes, memory.load_added_bytes, memory.inference_added_bytes)
    title = said("import {1} MB, loading adds {2} MB, inference {3} MB", *map(megabytes, steps))
    return "" if isinstance(memory.gpu_bytes, Absent) else f"GPU {megabytes(memory.gpu_bytes)}", title


def _size(artifact: ArtifactFacts) -> tuple[str, str]:
    built = "" if isinstance(artifact.build_s, Absent) else said("{1} s to build", significant(artifact.build_s))
    return built, said("{1} bytes, sha256 {2}", f"{artifact.bytes:,}", artifact.sha256[:12])


def _parameters(complexity: Complexity) -> tuple[str, str]:
    return "", said("{1} parameters", f"{complexity.params:,}")


def _evaluated(accuracy: Accuracy) -> tuple[str, str]:
    counts = said("{1} labels on {2} images", f"{accuracy.labels:,}", f"{accuracy.images:,}")
    return "", joined("; ", (counts, *accuracy.notes))


def _scored(accuracy: Accuracy, loss: AccuracyLoss | Absent) -> tuple[str, str]:
    """Return by how many points the score may lie off the reference's."""
    _, title = _evaluated(accuracy)
    if isinstance(loss, Absent):
        return "", title
    low, high = signed(-loss.ci95[1], 2), signed(-loss.ci95[0], 2)
    against = said("95 % interval {1} to {2} points against {3}", low, high, loss.reference)
    return said("{1} to {2} points", low, high), joined("; ", (with_calibration(against, loss), title))


def _parity(parity: Parity) -> tuple[str, str]:
    boxes = (f"{number:,}" for number in (parity.matched, parity.added, parity.dropped))
    against = "against {1} on {2} images: {3} boxes matched, {4} added, {5} dropped"
    parts = [said(against, parity.reference, parity.images, *boxes)]
    if not isinstance(parity.worst_class, Absent) and not isinstance(parity.worst_class_agreement, Absent):
        agreement = f"{parity.worst_class_agreement * 100:.1f}"
        parts.append(said("worst class {1} {2} %", parity.worst_class, agreement))
    return "", joined("; ", parts)


# A second line, and what the figure rests on.
_BEHIND: Mapping[str, Callable[[Record], tuple[str, str] | Absent]] = {
    "throughput": lambda record: part_of(record.metrics.throughput, _throughput),
    "memory": lambda record: part_of(record.metrics.memory, _memory),
    "artifact_bytes": lambda record: part_of(record.artifact, _size),
    "params": lambda record: part_of(record.metrics.complexity, _parameters),
    "map50_95": lambda record: part_of(record.metrics.accuracy, lambda it: _scored(it, record.metrics.loss)),
    "map50": lambda record: part_of(record.metrics.accuracy, _evaluated),
    "map50_95_small": lambda _: ("", "objects under 32 × 32 px"),
    "parity": lambda record: part_of(record.metrics.parity, _parity),
}


def _runtime(record: Record) -> str:
    ran = record.validity.ran
    if isinstance(ran, Absent):
        return ""
    kernels = ", ".join(f"{kind} {count}" for kind, count in sorted(ran.kernels.items()))
    return f"{ran.runtime}: {kernels}" if kernels else ran.runtime
