"""How far one artifact's detections differ from another's on the same images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchsuite.detect.detections import Detections, IntArray
from benchsuite.detect.matching import same_class_iou
from benchsuite.terms.absence import Absent
from benchsuite.terms.numbers import Count, Fraction
from benchsuite.terms.said import joined, said

MIN_IOU = 0.5
# What a quantised network must keep of its reference to stand in for it: fixed before any scheme was tuned.
LEAST_MATCHED = 0.90
MOST_ADDED = 0.10
MOST_SCORE_SHIFT = 0.05


_NO_MEDIAN = Absent("an older release counted no median")


@dataclass(frozen=True)
class Parity:
    """Detections at deployment settings against PyTorch FP32 of the same weights on the same images.

    `agreement` is matched / (matched + added + dropped), 1.0 where neither side found anything, which older records
    still have. A score shift is the absolute difference of two matched scores.
    """

    images: Count
    matched: Count
    added: Count
    dropped: Count
    agreement: Fraction
    score_shift_mean: Fraction | Absent
    score_shift_max: Fraction | Absent
    worst_class: str | Absent
    worst_class_agreement: Fraction | Absent
    reference: str
    score_shift_median: Fraction | Absent = _NO_MEDIAN

    @property
    def known_agreement(self) -> float | Absent:
        """Return the agreement, absent where the reference found nothing: older records call that agreement too."""
        return (
            self.agreement if self.matched + self.dropped else _nothing_found(self.reference, self.images, self.added)
        )


def compare(
    reference: Sequence[Detections], candidate: Sequence[Detections], names: Sequence[str], reference_name: str
) -> Parity | Absent:
    """Match the detections of each image, best candidate score first, to the closest free one at IoU 0.5 or above.

    Only boxes of one class match. The worst class is the one of least agreement among those found by either side; of
    several, the one with the most boxes, then the first. Absent where the reference finds nothing to agree on.
    """
    matched, added, dropped = (np.zeros(len(names), np.int64) for _ in range(3))
    shifts = [np.empty(0, np.float32)]
    for expected, found in zip(reference, candidate, strict=True):
        left, right = _pairs(expected, found)
        shifts.append(np.abs(expected.scores[left] - found.scores[right]))
        both = np.bincount(found.classes[right], minlength=len(names))
        matched += both
        added += np.bincount(found.classes, minlength=len(names)) - both
        dropped += np.bincount(expected.classes, minlength=len(names)) - both
    if not (matched + dropped).any():
        return _nothing_found(reference_name, len(reference), int(added.sum()))
    total = matched + added + dropped
    shift = np.concatenate(shifts)
    nothing_matched = Absent("no detections matched")
    agreements = {int(number): float(matched[number] / total[number]) for number in np.flatnonzero(total)}
    worst = min(agreements, key=lambda number: (agreements[number], -total[number], number))
    return Parity(
        images=len(reference),
        matched=int(matched.sum()),
        added=int(added.sum()),
        dropped=int(dropped.sum()),
        agreement=float(matched.sum() / total.sum()),
        score_shift_mean=float(shift.mean()) if shift.size else nothing_matched,
        score_shift_max=float(shift.max()) if shift.size else nothing_matched,
        worst_class=names[worst],
        worst_class_agreement=agreements[worst],
        reference=reference_name,
        score_shift_median=float(np.median(shift)) if shift.size else nothing_matched,
    )


def beyond_limits(parity: Parity) -> str:
    """Say in one sentence which limits of parity are not kept; empty where all are."""
    expected = parity.matched + parity.dropped
    if not expected:
        return ""
    broken = []
    if parity.matched / expected < LEAST_MATCHED:
        broken.append(
            said(
                "{1} of the boxes are found again (at least {2})",
                f"{parity.matched / expected:.1%}",
                f"{LEAST_MATCHED:.0%}",
            )
        )
    if parity.added / expected > MOST_ADDED:
        broken.append(said("{1} are added (at most {2})", f"{parity.added / expected:.1%}", f"{MOST_ADDED:.0%}"))
    shift = parity.score_shift_median
    if not isinstance(shift, Absent) and shift > MOST_SCORE_SHIFT:
        broken.append(said("scores shift by {1} in the median (at most {2})", f"{shift:.3f}", MOST_SCORE_SHIFT))
    return said("parity with {1} is not kept: {2}", parity.reference, joined(", ", broken)) if broken else ""


def _nothing_found(reference: str, images: int, added: int) -> Absent:
    if not added:
        return Absent(said("neither {1} nor this case finds anything in the {2} images", reference, images))
    nothing = "{1} finds nothing in the {2} images, so that there is nothing to agree on; this case finds {3} boxes"
    return Absent(said(nothing, reference, images, added))


def _pairs(expected: Detections, found: Detections) -> tuple[IntArray, IntArray]:
    """Return the indices of matched detections, expected and found, one pair a position."""
    overlap = same_class_iou(expected.boxes, expected.classes, found.boxes, found.classes)
    pairs: list[tuple[int, int]] = []
    for index in np.argsort(-found.scores, kind="stable"):
        if not len(expected.scores):
            break
        best = int(overlap[:, index].argmax())
        if overlap[best, index] >= MIN_IOU:
            overlap[best] = 0  # Taken.
            pairs.append((best, int(index)))
    left, right = zip(*pairs, strict=True) if pairs else ((), ())
    return np.array(left, np.int64), np.array(right, np.int64)
