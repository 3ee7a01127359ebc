"""Service goals: absolute limits that a case must meet whatever any baseline says."""

from __future__ import annotations

from collections.abc import Iterator

from benchsuite.compare.findings import Finding, rerun_line
from benchsuite.options.chosen import Limits
from benchsuite.runs.figures import Figure, figure
from benchsuite.runs.folder import Run
from benchsuite.runs.records import Record
from benchsuite.terms.absence import NOT_SELECTED, Absent
from benchsuite.terms.said import said


def broken_limits(run: Run, record: Record, limits: Limits) -> tuple[Finding, ...]:
    """Return a failing finding for every limit that a measured metric breaks or cannot be shown to meet."""
    rerun = rerun_line(record.case, record.effort, run.options)
    return tuple(
        Finding(record.case.id, metric, "OVER_LIMIT", "", current, allowed, sentence, fails=True, rerun=rerun)
        for metric, current, allowed, sentence in _broken(record, limits)
    )


def _broken(record: Record, limits: Limits) -> Iterator[tuple[str, str, str, str]]:
    for limited, limit, name, sentence in _limits(limits):
        value, say = limited.read(record), limited.unit.say
        if isinstance(value, Absent):
            why = _unknown(record, limited, value, name)
            if why:
                yield limited.limit, "unknown", say(limit), why
        elif value > limit if limited.better == "less" else value < limit:
            yield limited.limit, say(value), say(limit), sentence


def _limits(limits: Limits) -> Iterator[tuple[Figure, float, str, str]]:
    """Yield each figure that has a limit, the limit, a percentile's name, and the sentence for a broken limit."""
    for name, limit_ns in limits.latency_ns.items():
        over = said("{1} of total latency is over --max-latency.", name)
        yield figure("latency" if name == "p50" else name), limit_ns, name, over
    if limits.memory_bytes is not None:
        yield figure("memory"), limits.memory_bytes, "", said("The worker's peak memory is over --max-memory.")
    if limits.map50_95 is not None:
        yield figure("map50_95"), limits.map50_95, "", said("mAP50-95 is under --min-map.")


def _unknown(record: Record, limited: Figure, value: Absent, name: str) -> str:
    """Say why a limit cannot be checked, or nothing where its figure was not asked for or could not be."""
    if limited.metric == "latency" and not isinstance(record.metrics.latency, Absent):
        return said("The limit on {1} of total latency cannot be checked: {2}; use more effort.", name, value.reason)
    # What was only built says itself why nothing here could score it.
    if limited.metric == "accuracy" and value != NOT_SELECTED and record.outcome != "built":
        return said("--min-map cannot be checked: {1}.", value.reason)
    return ""
