"""Which case of a group to deploy, and why: the fastest one that keeps the accuracy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchsuite.compare.findings import Finding
from benchsuite.measure.measurement import AccuracyLoss
from benchsuite.report.quoted import faster
from benchsuite.runs.figures import figure
from benchsuite.runs.ranking import RankedRows, rank
from benchsuite.runs.records import Record
from benchsuite.runs.worth import NO_DOUBTS, Doubts, doubts_of, reference_of, why_void, worth_of
from benchsuite.terms.absence import NOT_SELECTED, Absent
from benchsuite.terms.quantities import milliseconds, signed
from benchsuite.terms.said import Sentence, joined, said

# A tie is broken by what takes a tenth less.
_CHEAPER = 0.9
_NOTHING_RANKED = Absent("nothing was ranked")


@dataclass(frozen=True)
class Recommendation:
    """The case to deploy, or None, with the reason; how sure that is; what was faster and not chosen.

    `ranked` holds all rows of the group that were timed together; `none_fit` says that every row is refused.
    """

    record: Record | None
    reason: Sentence
    proof: Sentence = ""
    proved: bool = False
    faster_but: tuple[Sentence, ...] = ()
    ranked: RankedRows | Absent = _NOTHING_RANKED
    none_fit: bool = False


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
    """Choose among comparable records the one that took least time in turns, within the accuracy that may be lost.

    `max_map_drop` is in points of mAP50-95 below the reference. A case that fails anything is not chosen.
    """
    timed = [record for record in records if not isinstance(record.metrics.latency, Absent)]
    reference = reference_of(records)
    if reference is None or not timed:
        lacking = said(
            "No recommendation: no case of this group has its latency measured."
            if reference
            else "No recommendation: no case of this group has its accuracy measured."
        )
        # Whoever asks for times alone has them ranked.
        unasked = {record.case.id for record in timed if record.metrics.accuracy == NOT_SELECTED}
        return Recommendation(None, lacking, ranked=rank(timed, unasked))
    doubts = doubts_of(records)
    refused = {record.case.id: _why_not(record, reference, doubts, findings, max_map_drop) for record in timed}
    fit = [record for record in timed if not refused[record.case.id]]
    ranked = rank(timed, {record.case.id for record in fit})
    if not fit:
        return Recommendation(None, _none_fit(sorted(timed, key=_p50), refused), ranked=ranked, none_fit=True)
    if isinstance(ranked, Absent):
        if len(fit) > 1:
            names = joined(", ", [name_of(record) for record in fit])
            apart = "No recommendation: these cases keep the accuracy and were not timed together: {1}."
            return Recommendation(None, said(apart, names), ranked=ranked)
        return Recommendation(fit[0], _reason(fit[0], reference, max_map_drop), ranked=ranked)
    by_id = {record.case.id: record for record in timed}
    best = by_id[ranked.order[0]]
    proof, proved = _proof(ranked, by_id, [record for record in fit if record.case.id not in ranked.rows])
    return Recommendation(
        best,
        _reason(best, reference, max_map_drop),
        proof,
        proved,
        tuple(
            said("{1}: {2}", _with_speed(by_id[case_id], ranked), refused[case_id])
            for case_id in _before(ranked.by_time(), best.case.id)
            if refused[case_id]
        ),
        ranked,
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


def _before(names: Sequence[str], name: str) -> Sequence[str]:
    return names[: names.index(name)]


def _none_fit(timed: Sequence[Record], refused: dict[str, str]) -> Sentence:
    alike = dict.fromkeys(refused[record.case.id] for record in timed)
    details = [
        said("{1}: {2}", joined(", ", [name_of(it) for it in timed if refused[it.case.id] == reason]), reason)
        for reason in alike
    ]
    return said("No recommendation: {1}.", joined("; ", details))


def _reason(best: Record, reference: Record, max_map_drop: float) -> Sentence:
    base, fastest = name_of(reference), milliseconds(_p50(best))
    is_torch = (reference.case.backend, reference.case.precision) == ("torch", "fp32")
    if best.case.id == reference.case.id and is_torch:
        return said("It took least time, {1} ms in total, and is itself the reference for accuracy.", fastest)
    loss = best.metrics.loss
    if isinstance(loss, AccuracyLoss):
        low, high = loss.ci95
        kept = said(
            "It took least time, {1} ms in total, of the cases that keep the accuracy: {2} points of mAP50-95 against "
            "{3} ({4} to {5} by its {6} images); a loss of {7} is allowed.",
            fastest, signed(-loss.points, 2), loss.reference, signed(-high, 2), signed(-low, 2), loss.images,
            f"{max_map_drop:g}",
        )  # fmt: skip
        if not loss.calibrated_on:
            return kept
        flattered = said("{1} of these images it was calibrated on, which flatters it.", loss.calibrated_on)
        return joined(" ", (kept, flattered))
    return said(
        "It took least time, {1} ms in total, and is itself the reference for accuracy (torch fp32 has no accuracy "
        "here; {2} stands in for it).",
        fastest, base,
    )  # fmt: skip


def _proof(ranked: RankedRows, by_id: dict[str, Record], apart: Sequence[Record]) -> tuple[Sentence, bool]:
    """Say how sure it is that the first row is the fastest, and whether that is proved."""
    best, *others = ranked.order
    sentences: list[Sentence] = []
    tied = [case_id for case_id in others if not ranked.proved_faster(best, case_id)]
    if others and not tied:
        speed = ranked.speed(best, others[0])
        sentences.append(said("{1} times as fast as the next, {2}; proved.", faster(speed), by_id[others[0]].row_name))
    elif tied:
        named = joined("; ", [_with_speed(by_id[case_id], ranked) for case_id in tied])
        sentences.append(said("It cannot be told from {1}.", named))
        sentences += _tie_breakers([by_id[case_id] for case_id in (best, *tied)])
    if ranked.noise.contention:
        sentences.append(
            said("Other programs computed meanwhile: the ranking holds for that load, and nothing of it is proved.")
        )
    if apart:
        names = joined(", ", [record.row_name for record in apart])
        sentences.append(said("{1} were not timed together with it and are not ranked.", names))
    return joined(" ", sentences), bool(others) and not tied and not apart


def _tie_breakers(tied: Sequence[Record]) -> Iterable[Sentence]:
    """Name what is cheaper among rows that time does not tell apart."""
    memory, accuracy = figure("memory"), figure("map50_95")
    by_memory = sorted((value, it.row_name) for it in tied if not isinstance(value := memory.read(it), Absent))
    if by_memory and by_memory[0][0] < _CHEAPER * by_memory[-1][0]:
        least, name = by_memory[0]
        yield said("Of these {1} takes least memory, {2} MB.", name, memory.unit.show(least))
    by_map = sorted((value, it.row_name) for it in tied if not isinstance(value := accuracy.read(it), Absent))
    shown = [accuracy.unit.show(value) for value, _ in by_map]
    if len(shown) > 1 and shown[-1] != shown[-2]:
        yield said("Of these {1} has the best mAP50-95, {2}.", by_map[-1][1], shown[-1])


def _with_speed(record: Record, ranked: RankedRows) -> Sentence:
    return said("{1}, {2} times as fast", record.row_name, faster(ranked.speed(record.case.id, ranked.order[0])))


def _p50(record: Record) -> float:
    latency = record.metrics.latency
    assert not isinstance(latency, Absent)
    return latency.total_ns.p50
