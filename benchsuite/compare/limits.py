"""Service goals: absolute limits that a case must meet whatever any baseline says."""

from __future__ import annotations

from collections.abc import Iterator

from benchsuite.compare.findings import Finding, rerun_line
from benchsuite.options.chosen import Limits
from benchsuite.runs.figures import Figure, figure
from benchsuite.runs.folder import Run
from benchsuite.runs.records import Record
from benchsuite.terms.absence import NOT_SELECTED, Absent


def broken_limits(run: Run, record: Record, limits: Limits) -> tuple[Finding, ...]:
    """Return a failing finding for every limit that a measured metric breaks or cannot be shown to meet."""
    rerun = rerun_line(record.case, record.effort, run.options)
    return tuple(
        Finding(record.case.id, metric, "OVER_LIMIT", "", current, allowed, sentence, fails=True, rerun=rerun)
        for metric, current, allowed, sentence in _broken(record, limits)
    )


def _broken(record: Record, limits: Limits) -> Iterator[tuple[str, str, str, str]]:
    for limited, limit, called, option in _limits(limits):
        value, say = limited.read(record), limited.unit.say
        if isinstance(value, Absent):
            why = _unknown(record, limited, value, called, option)
            if why:
                yield limited.limit, "unknown", say(limit), why
        elif limited.better == "less" and value > limit:
            yield limited.limit, say(value), say(limit), f"{called} is over {option}."
        elif limited.better == "more" and value < limit:
            yield limited.limit, say(value), say(limit), f"{called} is under {option}."


def _limits(limits: Limits) -> Iterator[tuple[Figure, float, str, str]]:
    """Yield each figure that has a limit, the limit, what a sentence calls it and the option that set it."""
    for name, limit_ns in limits.latency_ns.items():
        yield figure("latency" if name == "p50" else name), limit_ns, f"{name} of total latency", "--max-latency"
    if limits.memory_bytes is not None:
        yield figure("memory"), limits.memory_bytes, "The worker's peak memory", "--max-memory"
    if limits.map50_95 is not None:
        yield figure("map50_95"), limits.map50_95, "mAP50-95", "--min-map"


def _unknown(record: Record, limited: Figure, value: Absent, called: str, option: str) -> str:
    """Say why a limit cannot be checked, or nothing where its figure was not asked for or could not be."""
    if limited.metric == "latency" and not isinstance(record.metrics.latency, Absent):
        return f"The limit on {called} cannot be checked: {value.reason}; use more effort."
    # What was only built says itself why nothing here could score it.
    if limited.metric == "accuracy" and value != NOT_SELECTED and record.outcome != "built":
        return f"{option} cannot be checked: {value.reason}."
    return ""
