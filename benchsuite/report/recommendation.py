"""Which case of a group to deploy, and why: the fastest one that keeps the accuracy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchsuite.backends import BACKENDS
from benchsuite.compare.findings import Finding
from benchsuite.detect.accuracy import Accuracy
from benchsuite.measure.measurement import Distribution
from benchsuite.runs.records import Record
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import PRECISIONS
from benchsuite.terms.quantities import milliseconds, signed, significant
from benchsuite.terms.said import joined, said

# Points are differences of floats: 0.65 - 0.64 is a hair more than one point.
_EPSILON = 1e-9


@dataclass(frozen=True)
class Recommendation:
    """The case to deploy, or None, with the reason; what was faster and not chosen; what cannot be told apart."""

    record: Record | None
    reason: str
    faster_but: tuple[str, ...] = ()
    close: tuple[str, ...] = ()


def name_of(record: Record) -> str:
    """Return backend and precision, with what really ran where the runtime only stores that precision."""
    label = record.validity.label
    if isinstance(label, Absent) or "storage" not in label:
        return record.row_name
    return said("{1} ({2})", record.row_name, label)


def void_reason(record: Record, findings: Iterable[Finding]) -> str:
    """Say why a case's speed does not count, or nothing: speed counts only where accuracy was measured and passed."""
    accuracy = record.metrics.accuracy
    if isinstance(accuracy, Absent):
        return said("void: its accuracy is not known ({1})", accuracy.reason)
    wrong = [finding for finding in findings if finding.case_id == record.case.id and finding.fails]
    for finding in wrong:
        if finding.about_detections:
            return said("void: {1} failed ({2}, {3})", finding.title, finding.verdict, finding.current)
    return ""


def _order(backend: str) -> int:
    """Return a runtime's place in the table of runtimes; one that only another version knows comes last."""
    names = list(BACKENDS)
    return names.index(backend) if backend in names else len(names)


def reference_of(records: Sequence[Record]) -> Record | None:
    """Return torch fp32, else the row of highest precision whose accuracy is known."""
    known = [record for record in records if not isinstance(record.metrics.accuracy, Absent)]
    # torch is first among the backends, fp32 first among the precisions.
    ranked = sorted(
        known, key=lambda it: (PRECISIONS.index(it.case.precision), _order(it.case.backend), it.case.variant)
    )
    return ranked[0] if ranked else None


def recommend(records: Sequence[Record], findings: Sequence[Finding], max_map_drop: float) -> Recommendation:
    """Choose among comparable records the smallest median total latency within the accuracy that may be lost.

    `max_map_drop` is in points of mAP50-95 below the reference. A case that fails anything is not chosen.
    """
    timed = {record.case.id: record.metrics.latency.total_ns for record in records
             if not isinstance(record.metrics.latency, Absent)}  # fmt: skip
    reference = reference_of(records)
    if reference is None or not timed:
        lacking = said(
            "No recommendation: no case of this group has its latency measured."
            if reference
            else "No recommendation: no case of this group has its accuracy measured."
        )
        return Recommendation(None, lacking)
    refused = {
        record.case.id: _why_not(record, reference, findings, max_map_drop)
        for record in records
        if record.case.id in timed
    }
    ranked = sorted((record for record in records if record.case.id in timed), key=lambda it: timed[it.case.id].p50)
    fit = [record for record in ranked if not refused[record.case.id]]
    if not fit:
        details = [said("{1}: {2}", name_of(record), refused[record.case.id]) for record in ranked]
        return Recommendation(None, said("No recommendation: {1}.", joined("; ", details)))
    best = fit[0]
    faster = ranked[: ranked.index(best)]
    return Recommendation(
        record=best,
        reason=_reason(best, reference, timed, max_map_drop),
        faster_but=tuple(said("{1}: {2}", _with_time(record, timed), refused[record.case.id]) for record in faster),
        close=tuple(
            _with_time(record, timed) for record in fit[1:] if _overlap(timed[best.case.id], timed[record.case.id])
        ),
    )


def _why_not(record: Record, reference: Record, findings: Sequence[Finding], max_map_drop: float) -> str:
    """Say why a case must not be recommended, or nothing."""
    void = void_reason(record, findings)
    if void:
        return void
    drop = -_change_points(record, reference)
    if drop > max_map_drop + _EPSILON:
        return said("it loses {1} points of mAP50-95 where {2} may be lost", significant(drop), f"{max_map_drop:g}")
    failing = [finding.title for finding in findings if finding.fails and finding.case_id == record.case.id]
    return said("it fails on {1}", joined(", ", failing)) if failing else ""


def _reason(best: Record, reference: Record, timed: Mapping[str, Distribution], max_map_drop: float) -> str:
    base, fastest = name_of(reference), milliseconds(timed[best.case.id].p50)
    is_torch = (reference.case.backend, reference.case.precision) == ("torch", "fp32")
    if best.case.id == reference.case.id and is_torch:
        itself = "It has the smallest median latency, {1} ms in total, and is itself the reference for accuracy."
        return said(itself, fastest)
    if best.case.id == reference.case.id:
        return said(
            "It has the smallest median latency, {1} ms in total, and is itself the reference for accuracy (torch fp32 "
            "has no accuracy here; {2} stands in for it).",
            fastest, base,
        )  # fmt: skip
    change, allowed = signed(_change_points(best, reference), 2), f"{max_map_drop:g}"
    if is_torch:
        return said(
            "It has the smallest median latency, {1} ms in total, of the cases that keep the accuracy: {2} points of "
            "mAP50-95 against {3}; a loss of {4} is allowed.",
            fastest, change, base, allowed,
        )  # fmt: skip
    return said(
        "It has the smallest median latency, {1} ms in total, of the cases that keep the accuracy: {2} points of "
        "mAP50-95 against {3} (torch fp32 has no accuracy here; {4} stands in for it); a loss of {5} is allowed.",
        fastest, change, base, base, allowed,
    )  # fmt: skip


def _with_time(record: Record, timed: Mapping[str, Distribution]) -> str:
    return said("{1}, {2} ms", name_of(record), milliseconds(timed[record.case.id].p50))


def _change_points(record: Record, reference: Record) -> float:
    mine, other = record.metrics.accuracy, reference.metrics.accuracy
    assert isinstance(mine, Accuracy)
    assert isinstance(other, Accuracy)
    return (mine.map50_95 - other.map50_95) * 100


def _overlap(one: Distribution, other: Distribution) -> bool:
    left, right = one.p50_ci95, other.p50_ci95
    return (
        not isinstance(left, Absent) and not isinstance(right, Absent) and left[1] >= right[0] and right[1] >= left[0]
    )
