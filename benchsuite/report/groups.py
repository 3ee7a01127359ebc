"""Rows that may be ranked against each other: one model, size, head, batch, device, thread count and data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchsuite.absence import Absent
from benchsuite.records import Record

_HEADS = {"one2many": "one-to-many head with NMS", "end2end": "end-to-end head without NMS"}


@dataclass(frozen=True)
class Group:
    """Measured or built records that may be compared, and what they have in common."""

    title: str
    records: tuple[Record, ...]


def group(records: Sequence[Record]) -> tuple[Group, ...]:
    """Split the measured and built records into groups, the largest first."""
    measured = [record for record in records if record.outcome in ("measured", "built")]
    digests: dict[str, set[str]] = {}
    for record in measured:
        digests.setdefault(_setting(record), set()).update(_data(record))
    groups: dict[str, list[Record]] = {}
    for record in measured:
        setting = _setting(record)
        # A row without accuracy joins the others of its setting, unless they were scored on different data.
        data = _data(record) or (digests[setting] if len(digests[setting]) == 1 else {"no accuracy"})
        groups.setdefault(f"{setting} · data {min(data)}" if digests[setting] else setting, []).append(record)
    # Sorting keeps the order of measurement among groups of one size.
    return tuple(Group(title, tuple(rows)) for title, rows in sorted(groups.items(), key=lambda item: -len(item[1])))


def _setting(record: Record) -> str:
    case = record.case
    parts = (case.model, f"{case.imgsz} px", f"batch {case.batch}", case.device, f"{case.threads} threads")
    return " · ".join((*parts, _HEADS[case.head]))


def _data(record: Record) -> set[str]:
    accuracy = record.metrics.accuracy
    return set() if isinstance(accuracy, Absent) else {f"{accuracy.data_sha256[:8]} ({accuracy.images} images)"}
