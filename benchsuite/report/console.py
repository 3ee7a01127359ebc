"""A run on a terminal of 80 columns: one line a case while it runs, one table at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

from benchsuite.compare.findings import Finding
from benchsuite.report import quoted
from benchsuite.report.recommendation import Recommendation, name_of, recommend
from benchsuite.report.terminal import WIDTH, aligned, fit, fit_id, wrap
from benchsuite.runs import figures
from benchsuite.runs.figures import Figure, figure
from benchsuite.runs.ranking import RankedRows, noise_of
from benchsuite.runs.records import Record, accuracy_notes
from benchsuite.runs.worth import Doubts, doubts_of, reference_of, worth_of
from benchsuite.terms.absence import DASH, NOT_SELECTED, Absent, shown
from benchsuite.terms.cases import heading

# The first column of the tables where no name is longer, and where reasons begin.
_LABEL = 17
_REASONS = 22
_NARROWEST = 7
# A column of the table: its heading, the least width, and a record's cell.
Columns = Sequence[tuple[str, int, Callable[[Record], str]]]
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


def table_lines(records: Sequence[Record], max_map_drop: float, findings: Sequence[Finding] = ()) -> list[str]:
    """Return a table a group of comparable rows; times are total latency, mAP is mAP50-95.

    Below it stand the recommendation and how sure it is, what the machine was like, why rows were skipped, and which of
    them do not keep the accuracy or cannot be told to.
    """
    lines = []
    for title, group in _groups(records):
        measured = [record for record in group if record.outcome in ("measured", "built")]
        lines += [fit(title), ""]
        if measured:
            advice = recommend(measured, findings, max_map_drop)
            lines += _table(measured, advice.ranked)
            stored = dict.fromkeys(filter(None, map(_only_stored, measured)))
            lines += wrap("; ".join(stored), "* ", "  ")
            lines += ["", *_advice_lines(advice, measured), ""]
        for note in dict.fromkeys(note for record in measured for note in accuracy_notes(record)):
            lines += wrap(note, "mAP: ", "  ", most_lines=_REASON_LINES)
        lines += [*_reason_lines(group, max_map_drop), ""]
    return lines


def _table(records: Sequence[Record], ranked: RankedRows | Absent) -> list[str]:
    names = [_name(record) for record in records]
    widest = max(_LABEL, *(len(name) + 1 for name in names))
    columns = _columns(ranked, brief=False)
    if widest + _width(columns) > WIDTH:
        columns = _columns(ranked, brief=True)
    label = min(widest, WIDTH - _width(columns))
    widths = (label, *(width for _, width, _ in columns))
    lines = [aligned(("", *(heading for heading, _, _ in columns)), widths)]
    for name, record in zip(names, records, strict=True):
        lines.append(aligned((fit(name, label), *(cell(record) for _, _, cell in columns)), widths))
    return lines


def _width(columns: Columns) -> int:
    return sum(width for _, width, _ in columns)


def _columns(ranked: RankedRows | Absent, brief: bool) -> Columns:
    """Return the columns beside the names; where names are long, they are narrow and speeds have no intervals."""
    columns: list[tuple[str, int, Callable[[Record], str]]] = []
    for it in figures.FIGURES:
        if it.names.terminal:
            columns.append(
                (it.names.terminal, max(_NARROWEST, len(it.names.terminal) + (1 if brief else 2)), partial(_cell, it))
            )
        if it.key == "p95":
            columns.append(("× fastest", 10 if brief else 18, partial(_speed, ranked, brief)))
            columns.append(("place", 6, partial(_place, ranked)))
    return columns


def _speed(ranked: RankedRows | Absent, brief: bool, record: Record) -> str:
    row = None if isinstance(ranked, Absent) else ranked.rows.get(record.case.id)
    if row is None or row.speed is None:
        return DASH
    return f"{row.speed.times:.2f}" if brief else quoted.brief(row.speed)


def _place(ranked: RankedRows | Absent, record: Record) -> str:
    row = None if isinstance(ranked, Absent) else ranked.rows.get(record.case.id)
    return DASH if row is None or row.place is None else quoted.place(row.place)


def _advice_lines(advice: Recommendation, records: Sequence[Record]) -> list[str]:
    """Say what to deploy and how sure that is, and what the machine was like while it timed."""
    if advice.none_fit:
        lines = wrap("No recommendation: no case keeps the accuracy and passes, for the reasons below.")
    else:
        deploy = "" if advice.record is None else f"Deploy {name_of(advice.record)}. "
        lines = wrap(f"{deploy}{advice.reason} {advice.proof}".rstrip())
    for noise in noise_of(records):
        lines += wrap("; ".join(noise.sentences), "Machine: ", "  ")
    return lines


def _groups(records: Iterable[Record]) -> Iterable[tuple[str, list[Record]]]:
    """Yield the records that may be ranked together; their device is named where there are several."""
    records = list(records)
    several = len({record.case.device for record in records}) > 1
    groups: dict[str, list[Record]] = {}
    for record in records:
        title = f"{heading(record.case)}, {record.case.device}" if several else heading(record.case)
        groups.setdefault(title, []).append(record)
    return groups.items()


def _name(record: Record) -> str:
    return record.row_name + ("*" if _only_stored(record) else "")


def _only_stored(record: Record) -> str:
    """Return what a case ran where its precision is only stored, which must not be read as one that was computed in."""
    label = record.validity.label
    return label if not isinstance(label, Absent) and "storage" in label else ""


def _cell(column: Figure, record: Record) -> str:
    decimals = column.terminal_decimals
    unit = column.unit if decimals is None else replace(column.unit, decimals=decimals)
    return shown(column.read(record), unit.show)


def _reason_lines(records: Sequence[Record], max_map_drop: float) -> list[str]:
    """Say of each record why it was not measured or what is wrong with its accuracy, once for all that share it."""
    shared: dict[str, list[str]] = {}
    reference, doubts = reference_of(records), doubts_of(records)
    for record in records:
        for text in _accuracy_lines(record, max_map_drop, reference, doubts):
            shared.setdefault(text, []).append(record.row_name)
        if record.outcome != "measured":
            # What was built says so itself.
            outcome = "" if record.outcome == "built" else f"{record.outcome}: "
            shared.setdefault(outcome + record.reason, []).append(record.row_name)
    lines = []
    for text, names in shared.items():
        label = ", ".join(names)
        # One name stands in the table's first column.
        first = f"{label:{_REASONS}}" if len(names) == 1 else f"{label}  "
        if len(first) > _LONGEST_LABEL:
            lines += wrap(label, then="  ")
            first = " " * _REASONS
        lines += wrap(text, first, " " * _REASONS, most_lines=_REASON_LINES)
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
