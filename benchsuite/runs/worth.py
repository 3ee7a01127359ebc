"""What the accuracy of a case is worth: whether its speed counts, and whether it may be recommended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
    """Return torch fp32, else the row of highest precision whose accuracy is known."""
    known = [record for record in records if not isinstance(record.metrics.accuracy, Absent)]
    # torch is first among the backends, fp32 first among the precisions.
    ranked = sorted(
        known, key=lambda it: (PRECISIONS.index(it.case.precision), _order(it.case.backend), it.case.variant)
    )
    return ranked[0] if ranked else None


def nothing_found(accuracy: Accuracy) -> Sentence:
    """Say that a network finds so little that it has no accuracy to keep; empty where it finds something."""
    if accuracy.map50 >= _LEAST_MAP50:
        return ""
    nothing = "it finds next to nothing of what is labelled (mAP50 {1} on {2} images): there is no accuracy to keep"
    return said(nothing, f"{accuracy.map50:.3f}", accuracy.images)


def why_void(record: Record, reference: Record | None = None) -> Worth | None:
    """Return why a case's speed means nothing, or None: its accuracy is unknown or broken, whatever may be lost."""
    accuracy, loss = record.metrics.accuracy, record.metrics.loss
    if isinstance(accuracy, Absent):
        return Worth("unknown", said("its accuracy is not known ({1})", accuracy.reason))
    if nothing := nothing_found(accuracy):
        return Worth("broken", nothing)
    if isinstance(loss, Absent):
        held = None if reference is None else reference.metrics.accuracy
        if reference is None or not isinstance(held, Accuracy) or not nothing_found(held):
            return None
        return _of_broken_reference(reference.case.row_name, held.map50, held.images)
    if loss.reference_map50 < _LEAST_MAP50:
        return _of_broken_reference(loss.reference, loss.reference_map50, loss.images)
    if loss.ci95[1] < -_MOST_GAIN_POINTS:
        more = "it finds more than {1} ({2} points of mAP50-95), which cannot be: one of the two is broken"
        return Worth("broken", said(more, loss.reference, signed(-loss.points, 2)))
    return None


def worth_of(record: Record, max_map_drop: float, reference: Record | None = None) -> Worth:
    """Judge what a case loses of its reference's accuracy against what may be lost, in points of mAP50-95.

    The interval over the images decides. A record without one is held against the row `reference`: it can be told to
    lose too much, and never to keep the accuracy.
    """
    void = why_void(record, reference)
    if void is not None:
        return void
    loss = record.metrics.loss
    if isinstance(loss, Absent):
        return _by_the_row(record, loss, max_map_drop, reference)
    return _by_the_interval(loss, max_map_drop)


def _by_the_interval(loss: AccuracyLoss, max_map_drop: float) -> Worth:
    low, high = loss.ci95
    if high <= max_map_drop + _EPSILON:
        return Worth("kept")
    told = _points(loss.points), _points(low), _points(high), f"{max_map_drop:g}"
    if low > max_map_drop + _EPSILON:
        lost = "it loses {1} points of mAP50-95 ({2} to {3}) where {4} may be lost"
        return Worth("lost", said(lost, *told))
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
    open_yet = said(at_images, loss.images, *told)
    if not loss.calibrated_on:
        return Worth("not told", open_yet)
    flattered = said("it was calibrated on {1} of them, which flatters it", loss.calibrated_on)
    return Worth("not told", joined("; ", (open_yet, flattered)))


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


def _points(points: float) -> str:
    # A gain is a loss below zero, with the minus that figures have.
    return signed(points, 2).removeprefix("+")


def _order(backend: str) -> int:
    """Return a runtime's place in the table of runtimes; one that only another version knows comes last."""
    names = list(BACKENDS)
    return names.index(backend) if backend in names else len(names)
