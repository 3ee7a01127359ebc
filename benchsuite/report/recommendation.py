"""Which case of a group to deploy, and why: the fastest one that keeps the accuracy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchsuite.compare.findings import Finding
from benchsuite.measure.measurement import AccuracyLoss, Distribution
from benchsuite.runs.records import Record
from benchsuite.runs.worth import NO_DOUBTS, Doubts, doubts_of, reference_of, why_void, worth_of
from benchsuite.terms.absence import Absent
from benchsuite.terms.quantities import milliseconds, signed
from benchsuite.terms.said import joined, said


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


def void_reason(
    record: Record, findings: Iterable[Finding], reference: Record | None = None, doubts: Doubts = NO_DOUBTS
) -> str:
    """Say why a case's speed does not count, or nothing: its accuracy must be worth something and must have passed."""
    worth = why_void(record, reference, doubts)
    if worth is not None:
        return said("void: {1}", worth.sentence)
    for finding in findings:
        if finding.case_id == record.case.id and finding.fails and finding.about_detections:
            return said("void: {1} failed ({2}, {3})", finding.title, finding.verdict, finding.current)
    return ""


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
    doubts = doubts_of(records)
    refused = {
        record.case.id: _why_not(record, reference, doubts, findings, max_map_drop)
        for record in records
        if record.case.id in timed
    }
    ranked = sorted((record for record in records if record.case.id in timed), key=lambda it: timed[it.case.id].p50)
    fit = [record for record in ranked if not refused[record.case.id]]
    if not fit:
        alike = dict.fromkeys(refused[record.case.id] for record in ranked)
        details = [
            said("{1}: {2}", joined(", ", [name_of(it) for it in ranked if refused[it.case.id] == reason]), reason)
            for reason in alike
        ]
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


def _why_not(
    record: Record, reference: Record, doubts: Doubts, findings: Sequence[Finding], max_map_drop: float
) -> str:
    """Say why a case must not be recommended, or nothing."""
    void = void_reason(record, findings, reference, doubts)
    if void:
        return void
    worth = worth_of(record, max_map_drop, reference, doubts)
    if worth.standing != "kept":
        return worth.sentence
    failing = [finding.title for finding in findings if finding.fails and finding.case_id == record.case.id]
    return said("it fails on {1}", joined(", ", failing)) if failing else ""


def _reason(best: Record, reference: Record, timed: Mapping[str, Distribution], max_map_drop: float) -> str:
    base, fastest = name_of(reference), milliseconds(timed[best.case.id].p50)
    is_torch = (reference.case.backend, reference.case.precision) == ("torch", "fp32")
    if best.case.id == reference.case.id and is_torch:
        itself = "It has the smallest median latency, {1} ms in total, and is itself the reference for accuracy."
        return said(itself, fastest)
    loss = best.metrics.loss
    if isinstance(loss, AccuracyLoss):
        low, high = loss.ci95
        kept = said(
            "It has the smallest median latency, {1} ms in total, of the cases that keep the accuracy: {2} points of "
            "mAP50-95 against {3} ({4} to {5} by its {6} images); a loss of {7} is allowed.",
            fastest, signed(-loss.points, 2), loss.reference, signed(-high, 2), signed(-low, 2), loss.images,
            f"{max_map_drop:g}",
        )  # fmt: skip
        if not loss.calibrated_on:
            return kept
        flattered = said("{1} of these images it was calibrated on, which flatters it.", loss.calibrated_on)
        return joined(" ", (kept, flattered))
    return said(
        "It has the smallest median latency, {1} ms in total, and is itself the reference for accuracy (torch fp32 "
        "has no accuracy here; {2} stands in for it).",
        fastest, base,
    )  # fmt: skip


def _with_time(record: Record, timed: Mapping[str, Distribution]) -> str:
    return said("{1}, {2} ms", name_of(record), milliseconds(timed[record.case.id].p50))


def _overlap(one: Distribution, other: Distribution) -> bool:
    left, right = one.p50_ci95, other.p50_ci95
    return (
        not isinstance(left, Absent) and not isinstance(right, Absent) and left[1] >= right[0] and right[1] >= left[0]
    )
