"""The figures of a record that pages of several runs show, each as one number in the unit that people read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchsuite.runs.records import Record
from benchsuite.terms.absence import Absent
from benchsuite.terms.quantities import NS_PER_MS

Figure = float | None


@dataclass(frozen=True)
class Metric:
    """One figure that the matrix can show; `smaller` says which way is better.

    `speed` says that it counts only where the accuracy of the same artifact is known and passed.
    """

    key: str
    heading: str
    unit: str
    smaller: bool
    speed: bool = False


@dataclass(frozen=True)
class Costs:
    """What a run's machine takes while it works, where that is known."""

    watts: float | None = None
    usd_per_hour: float | None = None


Read = Callable[[Record, Costs], Figure]
METRICS: tuple[tuple[Metric, Read], ...] = (
    (Metric("p50", "p50 latency", "ms", True, speed=True), lambda record, _: _latency(record, "p50")),
    (Metric("p95", "p95 latency", "ms", True, speed=True), lambda record, _: _latency(record, "p95")),
    (Metric("throughput", "throughput", "images/s", False, speed=True), lambda record, _: _rate(record)),
    (Metric("memory", "peak memory", "MB", True), lambda record, _: _memory(record)),
    (Metric("size", "artifact", "MB", True), lambda record, _: _size(record)),
    (Metric("map", "mAP50-95", "", False), lambda record, _: _map(record)),
    (
        Metric("per_joule", "images per joule", "1/J", False, speed=True),
        lambda record, costs: _over(_rate(record), costs.watts),
    ),
    (
        Metric("per_usd", "images per dollar", "1/$", False, speed=True),
        lambda record, costs: _over(_rate(record), costs.usd_per_hour, 3600),
    ),
    (Metric("map_per_watt", "mAP points per watt", "1/W", False), lambda record, costs: _points(record, costs.watts)),
    (
        Metric("map_per_usd", "mAP points per dollar an hour", "h/$", False),
        lambda record, costs: _points(record, costs.usd_per_hour),
    ),
)  # fmt: skip


def _latency(record: Record, name: str) -> Figure:
    latency = record.metrics.latency
    value = latency if isinstance(latency, Absent) else getattr(latency.total_ns, name)
    return None if isinstance(value, Absent) else value / NS_PER_MS


def _rate(record: Record) -> Figure:
    throughput = record.metrics.throughput
    return None if isinstance(throughput, Absent) else throughput.images_per_s


def _memory(record: Record) -> Figure:
    memory = record.metrics.memory
    return None if isinstance(memory, Absent) else memory.peak_rss_bytes / 1e6


def _size(record: Record) -> Figure:
    return None if isinstance(record.artifact, Absent) else record.artifact.bytes / 1e6


def _map(record: Record) -> Figure:
    accuracy = record.metrics.accuracy
    return None if isinstance(accuracy, Absent) else accuracy.map50_95


def _over(figure: Figure, cost: float | None, factor: float = 1.0) -> Figure:
    return None if figure is None or not cost else figure * factor / cost


def _points(record: Record, cost: float | None) -> Figure:
    points = _map(record)
    return None if points is None else _over(points * 100, cost)


def figure(read: Read, record: Record, costs: Costs) -> Figure:
    """Return a record's figure; what a case that failed has left is none."""
    return None if record.outcome == "failed" else read(record, costs)
