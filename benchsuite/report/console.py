"""A run on a terminal of 80 columns: one line a case while it runs, one table at the end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchsuite.report.terminal import WIDTH, aligned, fit, wrap
from benchsuite.runs.records import Record
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import heading
from benchsuite.terms.quantities import megabytes, milliseconds, significant

# The first column of the tables.
_LABEL = 22
_LONGEST_LABEL = 50
_ABSENT = "–"
_REASON_LINES = 4
_HEADINGS = ("p50 ms", "p95 ms", "img/s", "RAM MB", "file MB", "mAP")


def case_line(record: Record) -> str:
    """Say in one line how a case ended."""
    if record.outcome in ("skipped", "failed"):
        reason = record.reason.splitlines()[0] if record.reason else "no reason was recorded"
        return fit(f"{record.case.id}  {record.outcome}: {reason}")
    metrics = record.metrics
    parts = []
    if record.outcome == "built" and not isinstance(record.artifact, Absent):
        seconds = record.artifact.build_s
        took = "" if isinstance(seconds, Absent) else f" in {seconds:.1f} s"
        parts.append(f"built {megabytes(record.artifact.bytes)} MB{took}")
    if not isinstance(metrics.latency, Absent):
        parts.append(f"{milliseconds(metrics.latency.total_ns.p50)} ms")
    if not isinstance(metrics.throughput, Absent):
        parts.append(f"{significant(metrics.throughput.images_per_s)} img/s")
    if not isinstance(metrics.accuracy, Absent):
        parts.append(f"mAP {metrics.accuracy.map50_95:.3f}")
    return fit(f"{record.case.id}  {'  '.join(parts) or 'measured'}")


def table_lines(records: Sequence[Record]) -> list[str]:
    """Return a table a group of comparable rows; times are total latency, mAP is mAP50-95, skipped rows say why."""
    lines = []
    for title, group in _groups(records):
        measured = [record for record in group if record.outcome in ("measured", "built")]
        lines += [fit(title), ""]
        if measured:
            # Long names of variants take the room between the columns.
            widest = max(len(record.case.scheme) for record in measured)
            width = 9 if widest < _LABEL else 8
            label = _LABEL if widest < _LABEL else WIDTH - width * len(_HEADINGS)
            widths = [label, *(width for _ in _HEADINGS)]
            lines.append(aligned(("", *_HEADINGS), widths))
            lines += [aligned(_cells(record), widths) for record in measured]
        lines += [*_reason_lines(group), ""]
    return lines


def _groups(records: Iterable[Record]) -> Iterable[tuple[str, list[Record]]]:
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(heading(record.case), []).append(record)
    return groups.items()


def _cells(record: Record) -> list[str]:
    metrics, latency = record.metrics, record.metrics.latency
    cells = [_ABSENT] * len(_HEADINGS)
    if not isinstance(latency, Absent):
        p95 = latency.total_ns.p95
        cells[0] = milliseconds(latency.total_ns.p50)
        cells[1] = _ABSENT if isinstance(p95, Absent) else milliseconds(p95)
    if not isinstance(metrics.throughput, Absent):
        cells[2] = significant(metrics.throughput.images_per_s)
    if not isinstance(metrics.memory, Absent):
        cells[3] = f"{metrics.memory.peak_rss_bytes / 1e6:.0f}"
    if not isinstance(record.artifact, Absent):
        cells[4] = megabytes(record.artifact.bytes)
    if not isinstance(metrics.accuracy, Absent):
        cells[5] = f"{metrics.accuracy.map50_95:.3f}"
    label = record.validity.label
    # A precision that is only stored must not be read as one that was computed in.
    note = "*" if not isinstance(label, Absent) and "storage" in label else ""
    return [record.case.scheme + note, *cells]


def _reason_lines(records: Iterable[Record]) -> list[str]:
    """Say of each record that was not measured why, once for all that share the reason."""
    shared: dict[str, list[str]] = {}
    for record in records:
        if record.outcome != "measured":
            # What was built says so itself.
            outcome = "" if record.outcome == "built" else f"{record.outcome}: "
            shared.setdefault(outcome + record.reason, []).append(record.case.scheme)
    lines = []
    for text, names in shared.items():
        label = ", ".join(names)
        # One name stands in the table's first column.
        first = f"{label:{_LABEL}}" if len(names) == 1 else f"{label}  "
        if len(first) > _LONGEST_LABEL:
            lines += wrap(label, then="  ")
            first = " " * _LABEL
        lines += wrap(text, first, " " * _LABEL, most_lines=_REASON_LINES)
    return lines
