"""Rows that may be ranked against each other: one model, size, head, batch, device, thread count and data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from benchsuite.runs.records import Record
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.input_size import InputSize
from benchsuite.terms.said import Said, counted, joined, said

_BETWEEN = " · "
_HEADS = {"one2many": said("one-to-many head with NMS"), "end2end": said("end-to-end head without NMS")}


@dataclass(frozen=True)
class Group:
    """Measured or built records that may be compared, and what they have in common."""

    title: str
    records: tuple[Record, ...]


def group(records: Sequence[Record]) -> tuple[Group, ...]:
    """Split the measured and built records into groups, the largest first."""
    measured = [record for record in records if record.outcome in ("measured", "built")]
    groups: dict[str, list[Record]] = {}
    for title, record in zip(titles(measured), measured, strict=True):
        groups.setdefault(title, []).append(record)
    # Sorting keeps the order of measurement among groups of one size.
    return tuple(Group(title, tuple(rows)) for title, rows in sorted(groups.items(), key=lambda item: -len(item[1])))


def titles(records: Sequence[Record], left_out: str = "") -> list[str]:
    """Return for each record what it has in common with those that it may be ranked against.

    `left_out` names a part of the setting that may differ, as in `setting_of`.
    """
    digests: dict[tuple[str, ...], set[str]] = {}
    told = [(_parts(record.case, left_out), _data(record)) for record in records]
    for setting, data in told:
        digests.setdefault(setting, set()).update(data)
    found = []
    for setting, data in told:
        # A row without accuracy joins the others of its setting, unless they were scored on different data.
        data = data or (digests[setting] if len(digests[setting]) == 1 else {said("data no accuracy")})
        found.append(joined(_BETWEEN, [*setting, *([min(data)] if digests[setting] else [])]))
    return found


def setting_of(case: Case, left_out: str = "") -> str:
    """Return what cases that may be compared have in common, their data and perhaps batch or threads left out."""
    return joined(_BETWEEN, _parts(case, left_out))


def _parts(case: Case, left_out: str) -> tuple[str, ...]:
    return _described(case.model, case.imgsz, case.batch, case.device, case.threads, case.head, left_out)


# A page of many runs has ten thousand cases of a few settings.
@lru_cache(1000)
def _described(
    model: str, imgsz: InputSize, batch: int, device: str, threads: int, head: str, left_out: str
) -> tuple[str, ...]:
    parts = {
        "model": model,
        "imgsz": said("{1} px", imgsz),
        "batch": said("batch {1}", batch),
        "device": device,
        "threads": counted(threads, "1 thread", "{1} threads"),
        "head": _HEADS[head],
    }
    return tuple(text for name, text in parts.items() if name != left_out)


def short_titles(whole: Sequence[str]) -> tuple[str, ...]:
    """Return of each title the parts that not all of them share; the first part where they share all."""
    parts = [title.values if isinstance(title, Said) else (title,) for title in whole]
    shared = set.intersection(*map(set, parts)) if parts else set()
    return tuple(joined(_BETWEEN, [part for part in own if part not in shared]) or own[0] for own in parts)


def _data(record: Record) -> set[str]:
    accuracy = record.metrics.accuracy
    if isinstance(accuracy, Absent):
        return set()
    return {said("data {1} ({2} images)", accuracy.data_sha256[:8], accuracy.images)}
