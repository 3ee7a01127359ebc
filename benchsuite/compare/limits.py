"""Service goals: absolute limits that a case must meet whatever any baseline says."""

from __future__ import annotations

from collections.abc import Iterator

from benchsuite.compare.findings import Finding, rerun_line
from benchsuite.options.chosen import Limits
from benchsuite.runs.folder import Run
from benchsuite.runs.records import Record
from benchsuite.terms.absence import NOT_SELECTED, Absent
from benchsuite.terms.quantities import megabytes, milliseconds


def broken_limits(run: Run, record: Record, limits: Limits) -> tuple[Finding, ...]:
    """Return a failing finding for every limit that a measured metric breaks or cannot be shown to meet."""
    rerun = rerun_line(record.case, record.effort, run.options)
    return tuple(
        Finding(record.case.id, metric, "OVER_LIMIT", "", current, allowed, sentence, fails=True, rerun=rerun)
        for metric, current, allowed, sentence in _broken(record, limits)
    )


def _broken(record: Record, limits: Limits) -> Iterator[tuple[str, str, str, str]]:
    metrics = record.metrics
    if not isinstance(metrics.latency, Absent):
        for name, limit_ns in limits.latency_ns.items():
            value, allowed = getattr(metrics.latency.total_ns, name), f"{milliseconds(limit_ns)} ms"
            if isinstance(value, Absent):
                why = f"The limit on {name} of total latency cannot be checked: {value.reason}; use more effort."
                yield "latency", "unknown", allowed, why
            elif value > limit_ns:
                yield "latency", f"{milliseconds(value)} ms", allowed, f"{name} of total latency is over --max-latency."
    if limits.memory_bytes is not None and not isinstance(metrics.memory, Absent):
        peak, allowed = metrics.memory.peak_rss_bytes, f"{megabytes(limits.memory_bytes)} MB"
        if peak > limits.memory_bytes:
            yield "memory", f"{megabytes(peak)} MB", allowed, "The worker's peak memory is over --max-memory."
    if limits.map50_95 is not None and metrics.accuracy != NOT_SELECTED:
        allowed = f"{limits.map50_95:.4f}"
        if isinstance(metrics.accuracy, Absent):
            # What was only built says itself why nothing here could score it.
            if record.outcome != "built":
                why = f"--min-map cannot be checked: {metrics.accuracy.reason}."
                yield "accuracy", "unknown", allowed, why
        elif metrics.accuracy.map50_95 < limits.map50_95:
            yield "accuracy", f"{metrics.accuracy.map50_95:.4f}", allowed, "mAP50-95 is under --min-map."
