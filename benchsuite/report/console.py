"""A run on a terminal of 80 columns: one line a case while it runs, one table at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from benchsuite.report.terminal import WIDTH, aligned, fit, fit_id, wrap
from benchsuite.runs import figures
from benchsuite.runs.figures import Figure, figure
from benchsuite.runs.records import Record, accuracy_notes
from benchsuite.runs.worth import Doubts, doubts_of, reference_of, worth_of
from benchsuite.terms.absence import NOT_SELECTED, Absent, shown
from benchsuite.terms.cases import heading

# The first column of the tables, and those beside it; seven fit where each is a character narrower.
_LABEL = 22
_COLUMN = 9
_LONGEST_LABEL = 50
# What stands behind an id must have room.
_LONGEST_ID = 60
_REASON_LINES = 4
# What one line says of a case.
_TOLD = ("latency", "throughput", "map50_95")


def case_line(record: Record) -> str:
    """Say in one line how a case ended."""
    if record.outcome in ("skipped", "failed"):
        reason = record.reason.splitlines()[0] if record.reason else "no reason was recorded"
        return fit(f"{fit_id(record.case.id, _LONGEST_ID)}  {record.outcome}: {reason}")
    parts = []
    if record.outcome == "built" and not isinstance(record.artifact, Absent):
        seconds = record.artifact.build_s
        took = "" if isinstance(seconds, Absent) else f" in {seconds:.1f} s"
        parts.append(f"built {figure('artifact_bytes').unit.say(record.artifact.bytes)}{took}")
    for it in map(figure, _TOLD):
        value, unit = it.read(record), it.unit
        if not isinstance(value, Absent):
            parts.append(unit.say(value) if unit.text else f"{it.names.terminal} {unit.show(value)}")
    told = "  ".join(parts) or "measured"
    return f"{fit_id(record.case.id, WIDTH - len(told) - 2)}  {told}"


def table_lines(records: Sequence[Record], max_map_drop: float) -> list[str]:
    """Return a table a group of comparable rows; times are total latency, mAP is mAP50-95.

    Below it stands why rows were skipped, and which of them do not keep the accuracy or cannot be told to.
    """
    lines = []
    columns = [it for it in figures.FIGURES if it.names.terminal]
    for title, group in _groups(records):
        names = _names(group)
        measured = [record for record in group if record.outcome in ("measured", "built")]
        lines += [fit(title), ""]
        if measured:
            # Long names of variants take the room between the columns.
            widest = max(len(names[record.case.id]) for record in measured)
            width = min(_COLUMN if widest < _LABEL else _COLUMN - 1, (WIDTH - _LABEL) // len(columns))
            label = _LABEL if widest < _LABEL else WIDTH - width * len(columns)
            widths = [label, *(width for _ in columns)]
            lines.append(aligned(("", *(it.names.terminal for it in columns)), widths))
            lines += [aligned(_cells(record, names[record.case.id], columns), widths) for record in measured]
            stored = dict.fromkeys(filter(None, map(_only_stored, measured)))
            lines += wrap("; ".join(stored), "* ", "  ")
        for note in dict.fromkeys(note for record in measured for note in accuracy_notes(record)):
            lines += wrap(note, "mAP: ", "  ", most_lines=_REASON_LINES)
        lines += [*_reason_lines(group, names, max_map_drop), ""]
    return lines


def _groups(records: Iterable[Record]) -> Iterable[tuple[str, list[Record]]]:
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(heading(record.case), []).append(record)
    return groups.items()


def _names(records: Sequence[Record]) -> Mapping[str, str]:
    """Return the name of each row by its case's id, with its device where another row has the same name."""
    counts = Counter(record.row_name for record in records)
    return {
        record.case.id: record.row_name if counts[record.row_name] == 1 else f"{record.row_name} {record.case.device}"
        for record in records
    }


def _cells(record: Record, name: str, columns: Sequence[Figure]) -> list[str]:
    note = "*" if _only_stored(record) else ""
    return [name + note, *(_cell(it, record) for it in columns)]


def _only_stored(record: Record) -> str:
    """Return what a case ran where its precision is only stored, which must not be read as one that was computed in."""
    label = record.validity.label
    return label if not isinstance(label, Absent) and "storage" in label else ""


def _cell(column: Figure, record: Record) -> str:
    decimals = column.terminal_decimals
    unit = column.unit if decimals is None else replace(column.unit, decimals=decimals)
    return shown(column.read(record), unit.show)


def _reason_lines(records: Sequence[Record], row_names: Mapping[str, str], max_map_drop: float) -> list[str]:
    """Say of each record why it was not measured or what is wrong with its accuracy, once for all that share it."""
    shared: dict[str, list[str]] = {}
    reference, doubts = reference_of(records), doubts_of(records)
    for record in records:
        for text in _accuracy_lines(record, max_map_drop, reference, doubts):
            shared.setdefault(text, []).append(record.case.row_name)
        if record.outcome != "measured":
            # What was built says so itself.
            outcome = "" if record.outcome == "built" else f"{record.outcome}: "
            shared.setdefault(outcome + record.reason, []).append(row_names[record.case.id])
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


def _accuracy_lines(record: Record, max_map_drop: float, reference: Record | None, doubts: Doubts) -> Iterable[str]:
    """Say why a case that was measured or built has no accuracy or no parity, or what its accuracy is worth."""
    if record.outcome not in ("measured", "built"):
        return
    accuracy, parity = record.metrics.accuracy, record.metrics.parity
    if isinstance(accuracy, Absent):
        yield from _absent("no mAP", accuracy, record)
    elif worth := worth_of(record, max_map_drop, reference, doubts).sentence:
        yield worth
    if isinstance(parity, Absent):
        yield from _absent("no parity", parity, record)


def _absent(what: str, value: Absent, record: Record) -> Iterable[str]:
    # What was only built says itself why nothing here runs it.
    if value != NOT_SELECTED and not value.reason.startswith(record.reason or " "):
        yield f"{what}: {value.reason}"
