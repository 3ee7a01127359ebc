"""Mean average precision against labels, as Ultralytics' val computes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from benchsuite.data.labels import Labels
from benchsuite.data.letterbox import place
from benchsuite.detect.detections import Detections, FloatArray, IntArray
from benchsuite.detect.matching import same_class_iou
from benchsuite.detect.postprocess import DetectSettings
from benchsuite.terms.absence import Absent
from benchsuite.terms.input_size import InputSize
from benchsuite.terms.numbers import Count, Fraction
from benchsuite.terms.said import Sentence, joined, said

BoolArray = npt.NDArray[np.bool_]
Values = npt.NDArray[np.float64]

IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10).astype(np.float32)
SMALL_PX2 = 32.0 * 32.0
_RECALLS = np.linspace(0, 1, 101)


@dataclass(frozen=True)
class ClassAccuracy:
    """Average precision of one class."""

    name: str
    labels: Count
    ap50: Fraction
    ap50_95: Fraction


@dataclass(frozen=True)
class Accuracy:
    """Mean average precision as Ultralytics' val computes it; small is COCO's: under 32 x 32 px at imgsz.

    Means run over the classes that have labels, and `per_class` lists these. `notes` say what is particular about the
    images, with its count.
    """

    images: Count
    labels: Count
    map50: Fraction
    map50_95: Fraction
    map50_95_small: Fraction | Absent
    per_class: tuple[ClassAccuracy, ...]
    data_sha256: str
    settings: Mapping[str, float]
    notes: tuple[Sentence, ...] = ()


@dataclass(frozen=True)
class Matches:
    """One image's detections and labels, matched at each of the T IoU thresholds.

    `correct` and `ignored` (n, T) concern the n detections; an ignored one is neither right nor wrong. `label_classes`
    holds the labels that count.
    """

    correct: BoolArray
    ignored: BoolArray
    scores: FloatArray
    classes: IntArray
    label_classes: IntArray


def evaluate(
    detections: Sequence[Detections],
    labels: Sequence[Labels],
    sizes: Sequence[tuple[int, int]],
    names: Sequence[str],
    imgsz: InputSize,
    data_sha256: str,
    settings: DetectSettings,
    notes: tuple[Sentence, ...] = (),
) -> Accuracy | Absent:
    """Score detections against labels, image by image; absent where no image has a label.

    `sizes` are (height, width) of the original images; with `imgsz` they decide which labels are small.
    """
    images = list(zip(detections, labels, sizes, strict=True))
    if not any(len(truth.classes) for truth in labels):
        none = (said("none of the {1} evaluated images has a label", len(images)),) if images else ()
        return Absent(joined("; ", (*none, *notes)))
    overlaps = [same_class_iou(truth.boxes, truth.classes, found.boxes, found.classes) for found, truth, _ in images]
    whole = [
        _match(overlap, found, truth, np.zeros(len(truth.classes), np.bool_), np.zeros(len(found.scores), np.bool_))
        for overlap, (found, truth, _) in zip(overlaps, images, strict=True)
    ]
    by_class = _average_precision(whole)
    counts = np.bincount(np.concatenate([outcome.label_classes for outcome in whole]), minlength=len(names))
    small = [
        _match(overlap, found, truth, _beyond_small(truth.boxes, size, imgsz), _beyond_small(found.boxes, size, imgsz))
        for overlap, (found, truth, size) in zip(overlaps, images, strict=True)
    ]
    return Accuracy(
        images=len(images),
        labels=int(counts.sum()),
        map50=float(np.mean([values[0] for values in by_class.values()])),
        map50_95=float(np.mean(list(by_class.values()))),
        map50_95_small=_small(_average_precision(small), imgsz),
        per_class=tuple(
            ClassAccuracy(names[number], int(counts[number]), float(values[0]), float(values.mean()))
            for number, values in by_class.items()
        ),
        data_sha256=data_sha256,
        settings={name: float(value) for name, value in asdict(settings).items()},
        notes=notes,
    )


def outcomes(detections: Sequence[Detections], labels: Sequence[Labels]) -> tuple[Matches, ...]:
    """Match the detections of each image with its labels, of whatever size."""
    return tuple(
        _match(
            same_class_iou(truth.boxes, truth.classes, found.boxes, found.classes),
            found,
            truth,
            np.zeros(len(truth.classes), np.bool_),
            np.zeros(len(found.scores), np.bool_),
        )
        for found, truth in zip(detections, labels, strict=True)
    )


def map50_95(matched: Sequence[Matches]) -> float:
    """Return the mean average precision over these images; an image may stand among them several times."""
    by_class = _average_precision(matched)
    return float(np.mean(list(by_class.values()))) if by_class else 0.0


def _small(by_class: Mapping[int, Values], imgsz: InputSize) -> float | Absent:
    if not by_class:
        return Absent(said("no label is smaller than 32 x 32 px at {1} px", imgsz))
    return float(np.mean(list(by_class.values())))


def _beyond_small(boxes: FloatArray, size: tuple[int, int], imgsz: InputSize) -> BoolArray:
    """Tell which boxes are 32 x 32 px or larger once the image is fitted into imgsz."""
    placement = place(*size, imgsz)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1) * (placement.ratio_x * placement.ratio_y)
    return np.asarray(areas >= SMALL_PX2)


def _match(
    overlap: FloatArray, found: Detections, truth: Labels, ignored_labels: BoolArray, ignored_if_unmatched: BoolArray
) -> Matches:
    """Give each detection, best score first, the best label that is still free, at each IoU threshold.

    COCO's rule for labels that do not count: a detection takes one only if no label that counts is free for it, and
    is then ignored; so is a detection without any label that lies outside the size range itself.
    """
    shape = (len(found.scores), len(IOU_THRESHOLDS))
    correct, ignored = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
    columns = np.arange(len(IOU_THRESHOLDS))
    free = np.ones((len(truth.classes), len(IOU_THRESHOLDS)), np.bool_)
    unmatched = np.ones(shape, np.bool_)
    for index in np.flatnonzero((overlap >= IOU_THRESHOLDS[0]).any(0)):
        near = overlap[:, index, None].astype(np.float64)
        candidates = free & (near >= IOU_THRESHOLDS)
        # IoU is at most 1: adding 1 puts every label that counts before every one that does not.
        rank = candidates * (near + ~ignored_labels[:, None])
        best = rank.argmax(0)
        hit = candidates[best, columns]
        free[best[hit], columns[hit]] = False
        unmatched[index] = ~hit
        correct[index] = hit & ~ignored_labels[best]
        ignored[index] = hit & ignored_labels[best]
    ignored |= unmatched & ignored_if_unmatched[:, None]
    return Matches(correct, ignored, found.scores, found.classes, truth.classes[~ignored_labels])


def _average_precision(outcomes: Sequence[Matches]) -> dict[int, Values]:
    """Return, for each class that has labels, its average precision at each IoU threshold."""
    correct, ignored, scores, classes, label_classes = (
        np.concatenate([getattr(outcome, name) for outcome in outcomes])
        for name in ("correct", "ignored", "scores", "classes", "label_classes")
    )
    by_class = {}
    for number, labels in zip(*np.unique(label_classes, return_counts=True), strict=True):
        mine = np.flatnonzero(classes == number)
        order = mine[np.argsort(-scores[mine], kind="stable")]
        hit, skipped = correct[order], ignored[order]
        by_class[int(number)] = (
            np.concatenate([areas(hit[~column, index, None], int(labels)) for index, column in enumerate(skipped.T)])
            if skipped.any()
            else areas(hit, int(labels))
        )
    return by_class


def areas(correct: BoolArray, labels: int) -> Values:
    """Return the area under each column's precision-recall curve; rows are detections in order of score.

    101 points, trapezia between. Precision at a recall is the best at that recall or above. COCO's own tool averages
    the same 101 points as steps.
    """
    count, columns = correct.shape
    if not count:
        return np.zeros(columns)
    hits = correct.cumsum(0)
    recall = hits / labels
    precision = hits / np.arange(1, count + 1)[:, None]
    # The curve starts at precision 1 and falls to 0 right after the last recall reached.
    zeros, ones = np.zeros((1, columns)), np.ones((1, columns))
    recall = np.concatenate([zeros, recall, recall[-1:], ones])
    precision = np.concatenate([ones, precision, zeros, zeros])
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    heights = np.stack([np.interp(_RECALLS, recall[:, index], envelope[:, index]) for index in range(columns)])
    total: Values = (heights[:, 1:] + heights[:, :-1]).sum(1) / 2 * (_RECALLS[1] - _RECALLS[0])
    return total
