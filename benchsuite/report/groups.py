"""Rows that may be ranked against each other: one model, size, head, batch, device, thread count and data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchsuite.absence import Absent
from benchsuite.cases import Case
from benchsuite.quantities import counted
from benchsuite.records import Record

_BETWEEN = " · "
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
        digests.setdefault(setting_of(record.case), set()).update(_data(record))
    groups: dict[str, list[Record]] = {}
    for record in measured:
        setting = setting_of(record.case)
        # A row without accuracy joins the others of its setting, unless they were scored on different data.
        data = _data(record) or (digests[setting] if len(digests[setting]) == 1 else {"no accuracy"})
        groups.setdefault(f"{setting} · data {min(data)}" if digests[setting] else setting, []).append(record)
    # Sorting keeps the order of measurement among groups of one size.
    return tuple(Group(title, tuple(rows)) for title, rows in sorted(groups.items(), key=lambda item: -len(item[1])))


def setting_of(case: Case, with_batch: bool = True) -> str:
    """Return what cases that may be compared have in common, their data left out."""
    batch = (f"batch {case.batch}",) if with_batch else ()
    return _BETWEEN.join(
        (case.model, f"{case.imgsz} px", *batch, case.device, counted(case.threads, "thread"), _HEADS[case.head])
    )


def short_titles(titles: Sequence[str]) -> tuple[str, ...]:
    """Return of each title the parts that not all of them share; the first part where they share all."""
    parts = [title.split(_BETWEEN) for title in titles]
    shared = set.intersection(*map(set, parts)) if parts else set()
    return tuple(_BETWEEN.join(part for part in own if part not in shared) or own[0] for own in parts)


def _data(record: Record) -> set[str]:
    accuracy = record.metrics.accuracy
    return set() if isinstance(accuracy, Absent) else {f"{accuracy.data_sha256[:8]} ({accuracy.images} images)"}
