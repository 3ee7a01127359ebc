"""What the accuracy of a case is worth: whether its speed counts, and whether it may be recommended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from benchsuite.backends import BACKENDS
from benchsuite.detect.accuracy import Accuracy
from benchsuite.measure.measurement import AccuracyLoss
from benchsuite.runs.records import Record
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import PRECISIONS
from benchsuite.terms.quantities import signed, significant
from benchsuite.terms.said import Sentence, joined, said

# Untrained networks lie below it, and no detector that anybody would deploy does.
_LEAST_MAP50 = 0.01
# An export cannot find more than what it was made from; some points come from rounding alone.
_MOST_GAIN_POINTS = 2.0
# Points are differences of floats: 0.65 - 0.64 is a hair more than one point.
_EPSILON = 1e-9

# Why references are doubted themselves, by their names.
Doubts = Mapping[str, Sentence]
NO_DOUBTS: Doubts = MappingProxyType({})
Standing = Literal["kept", "lost", "not told", "unknown", "broken"]


@dataclass(frozen=True)
class Worth:
    """Whether a case keeps the accuracy that it should, and in a sentence why not.

    `not told`: so few images leave it open. `unknown`: it was not measured. `broken`: nothing is found, or more than
    can be, so that there is no accuracy to keep.
    """

    standing: Standing
    sentence: Sentence = ""


def reference_of(records: Sequence[Record]) -> Record | None:
    """Return torch fp32, else the row of highest precision whose accuracy is known; one that failed is none."""
    known = [it for it in records if it.outcome != "failed" and not isinstance(it.metrics.accuracy, Absent)]
    # torch is first among the backends, fp32 first among the precisions.
    ranked = sorted(
        known, key=lambda it: (PRECISIONS.index(it.case.precision), _order(it.case.backend), it.case.variant)
    )
    return ranked[0] if ranked else None


def doubts_of(records: Sequence[Record]) -> Doubts:
    """Return which references of comparable records are doubted: more records find plainly more than agree with them.

    What is found more may be the record's fault or the reference's; where few or none agree, it is no reference.
    """
    agreeing: Counter[str] = Counter()
    more: dict[str, list[str]] = {}
    for record in records:
        loss = record.metrics.loss
        # In another precision its own runtime shares its faults.
        if record.outcome == "failed" or isinstance(loss, Absent) or _same_runtime(record, loss.reference):
            continue
        if _finds_more(loss):
            more.setdefault(loss.reference, []).append(record.case.row_name)
        agreeing[loss.reference] += abs(loss.points) <= _MOST_GAIN_POINTS
    less = "{1} finds plainly less than {2} made from it, which cannot be: there is no accuracy to hold to"
    return {
        reference: said(less, reference, joined(", ", dict.fromkeys(names)))
        for reference, names in more.items()
        if len(names) > agreeing[reference]
    }


def _same_runtime(record: Record, reference: str) -> bool:
    return reference.split()[:1] == [record.case.backend]


def nothing_found(accuracy: Accuracy) -> Sentence:
    """Say that a network finds so little that it has no accuracy to keep; empty where it finds something."""
    if accuracy.map50 >= _LEAST_MAP50:
        return ""
    nothing = "it finds next to nothing of what is labelled (mAP50 {1} on {2} images): there is no accuracy to keep"
    return said(nothing, f"{accuracy.map50:.3f}", accuracy.images)


def why_void(record: Record, reference: Record | None = None, doubts: Doubts = NO_DOUBTS) -> Worth | None:
    """Return why a case's speed means nothing, or None: its accuracy is unknown or broken, whatever may be lost.

    A reference that is doubted is void, and so is what is held against it.
    """
    accuracy, loss = record.metrics.accuracy, record.metrics.loss
    if isinstance(accuracy, Absent):
        return Worth("unknown", said("its accuracy is not known ({1})", accuracy.reason))
    if nothing := nothing_found(accuracy):
        return Worth("broken", nothing)
    if isinstance(loss, Absent):
        held = None if reference is None else reference.metrics.accuracy
        if reference is None or not isinstance(held, Accuracy):
            return None
        if nothing_found(held):
            return _of_broken_reference(reference.case.row_name, held.map50, held.images)
        return _of_doubted_reference(reference.case.row_name, doubts)
    if loss.reference_map50 < _LEAST_MAP50:
        return _of_broken_reference(loss.reference, loss.reference_map50, loss.images)
    if _finds_more(loss):
        more = "it finds more than {1} ({2} points of mAP50-95), which cannot be: one of the two is broken"
        return Worth("broken", with_calibration(said(more, loss.reference, signed(-loss.points, 2)), loss))
    return _of_doubted_reference(loss.reference, doubts)


def _finds_more(loss: AccuracyLoss) -> bool:
    return loss.ci95[1] < -_MOST_GAIN_POINTS


def worth_of(record: Record, max_map_drop: float, reference: Record | None = None, doubts: Doubts = NO_DOUBTS) -> Worth:
    """Judge what a case loses of its reference's accuracy against what may be lost, in points of mAP50-95.

    The interval over the images decides. A record without one is held against the row `reference`: it can be told to
    lose too much, and never to keep the accuracy.
    """
    void = why_void(record, reference, doubts)
    if void is not None:
        return void
    loss = record.metrics.loss
    if isinstance(loss, Absent):
        return _by_the_row(record, loss, max_map_drop, reference)
    if (loss.reference, "cpu") == (record.case.row_name, record.case.device):
        return Worth("kept")
    return _by_the_interval(loss, max_map_drop)


def keeps(ci95: tuple[float, float], max_map_drop: float) -> bool:
    """Say whether the whole interval of a loss lies within what may be lost."""
    return ci95[1] <= max_map_drop + _EPSILON


def _by_the_interval(loss: AccuracyLoss, max_map_drop: float) -> Worth:
    low, high = loss.ci95
    if keeps(loss.ci95, max_map_drop):
        return Worth("kept")
    told = _points(loss.points), _points(low), _points(high), f"{max_map_drop:g}"
    if low > max_map_drop + _EPSILON:
        lost = "it loses {1} points of mAP50-95 ({2} to {3}) where {4} may be lost"
        return Worth("lost", with_calibration(said(lost, *told), loss))
    at_images = (
        "whether it keeps the accuracy is not told at {1} images: it loses {2} points of mAP50-95 ({3} to {4}) where "
        "{5} may be lost"
    )
    if loss.points < 0:
        told = _points(-loss.points), _points(-high), _points(-low), f"{max_map_drop:g}"
        at_images = (
            "whether it keeps the accuracy is not told at {1} images: it gains {2} points of mAP50-95 ({3} to {4}) "
            "where {5} may be lost"
        )
    return Worth("not told", with_calibration(said(at_images, loss.images, *told), loss))


def with_calibration(sentence: Sentence, loss: AccuracyLoss) -> Sentence:
    """Add to a sentence that quotes a loss how many of its images calibrated the artifact."""
    if not loss.calibrated_on:
        return sentence
    flattered = "it was calibrated on {1} of the {2} images, which flatters it"
    return joined("; ", (sentence, said(flattered, loss.calibrated_on, loss.images)))


def _by_the_row(record: Record, why_none: Absent, max_map_drop: float, reference: Record | None) -> Worth:
    if reference is None or reference.case.id == record.case.id:
        return Worth("kept")
    mine, held = record.metrics.accuracy, reference.metrics.accuracy
    assert isinstance(mine, Accuracy)
    assert isinstance(held, Accuracy)
    points = (held.map50_95 - mine.map50_95) * 100
    if points > max_map_drop + _EPSILON:
        lost = "it loses {1} points of mAP50-95 where {2} may be lost"
        return Worth("lost", said(lost, significant(points), f"{max_map_drop:g}"))
    without = "whether it keeps the accuracy is not told: it loses {1} points of mAP50-95, with no interval ({2})"
    if points < 0:
        without = "whether it keeps the accuracy is not told: it gains {1} points of mAP50-95, with no interval ({2})"
    return Worth("not told", said(without, _points(abs(points)), why_none.reason))


def _of_broken_reference(name: str, map50: float, images: int) -> Worth:
    nothing = (
        "{1}, which it is held against, finds next to nothing of what is labelled (mAP50 {2} on {3} images), so there "
        "is no accuracy to keep"
    )
    return Worth("broken", said(nothing, name, f"{map50:.3f}", images))


def _of_doubted_reference(name: str, doubts: Doubts) -> Worth | None:
    return Worth("broken", doubts[name]) if name in doubts else None


def _points(points: float) -> str:
    # A gain is a loss below zero, with the minus that figures have.
    return signed(points, 2).removeprefix("+")


def _order(backend: str) -> int:
    """Return a runtime's place in the table of runtimes; one that only another version knows comes last."""
    names = list(BACKENDS)
    return names.index(backend) if backend in names else len(names)
