"""From a network's output to detections: threshold, non-maximum suppression, boxes scaled back to the image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchsuite.data.letterbox import Placement
from benchsuite.detect.detections import Detections, FloatArray, IntArray
from benchsuite.detect.nms import suppress
from benchsuite.terms.cases import Head
from benchsuite.terms.errors import SessionError
from benchsuite.terms.said import Said, said

_END2END_COLUMNS = 6  # x1, y1, x2, y2, score, class
_MAX_CANDIDATES = 30_000


@dataclass(frozen=True)
class DetectSettings:
    """Thresholds of postprocessing: `iou` and `multi_label` (several classes a box) concern the one2many head only.

    `clip` cuts boxes at the image's edge.
    """

    conf: float
    iou: float
    max_det: int
    multi_label: bool
    clip: bool


DEPLOY = DetectSettings(conf=0.25, iou=0.7, max_det=300, multi_label=False, clip=True)
# Ultralytics' val compares boxes with labels before it cuts them; cut ones score up to 0.4 points of mAP50-95 better.
EVAL = DetectSettings(conf=0.001, iou=0.7, max_det=300, multi_label=True, clip=False)


def evaluation_settings(most_labels: int) -> DetectSettings:
    """Return the settings of an evaluation: like val, it takes as many boxes as any of the images has labels."""
    return replace(EVAL, max_det=max(EVAL.max_det, most_labels))


def capped(most_labels: int, output_shape: Sequence[int]) -> tuple[Said, ...]:
    """Say what images of many labels mean for the boxes that are scored."""
    if most_labels <= EVAL.max_det:
        return ()
    if head_of(output_shape) == "end2end" and output_shape[1] < most_labels:
        sentence = (
            "an image has {1} labels, and the head without NMS gives {2} boxes; of a .pt file Ultralytics' val raises "
            "what the head gives"
        )
        return (said(sentence, most_labels, output_shape[1]),)
    sentence = "an image has {1} labels, so {2} boxes an image are scored, as in Ultralytics' val, in place of {3}"
    return (said(sentence, most_labels, most_labels, EVAL.max_det),)


def head_of(output_shape: Sequence[int]) -> Head:
    """Tell the head by the output's shape: (N, boxes, 6) is end2end, (N, 4 + classes, anchors) is one2many."""
    if len(output_shape) == 3 and output_shape[2] == _END2END_COLUMNS:
        return "end2end"
    if len(output_shape) == 3 and output_shape[1] > 4:
        return "one2many"
    raise SessionError(
        said(
            "the output's shape is {1}; a detector's is (N, 4 + classes, anchors) or (N, boxes, 6)", tuple(output_shape)
        )
    )


def postprocess(output: FloatArray, placements: Sequence[Placement], settings: DetectSettings) -> list[Detections]:
    """Turn a batch's output into the detections of its images.

    `output` is (N, 4 + classes, anchors) with xywh boxes in pixels of the network's input, or (N, boxes, 6) with xyxy,
    score and class. Raises SessionError for any other shape and for values that are not finite.
    """
    decode = _from_end2end if head_of(output.shape) == "end2end" else _from_one2many
    if not np.isfinite(output).all():
        raise SessionError(
            said(
                "{1} of the output's {2} values are not finite numbers",
                np.count_nonzero(~np.isfinite(output)),
                output.size,
            )
        )
    detections = []
    for image, placement in zip(output, placements, strict=True):
        boxes, scores, classes = decode(image, settings)
        detections.append(Detections(_scale_back(boxes, placement, settings.clip), scores, classes))
    return detections


def _from_end2end(rows: FloatArray, settings: DetectSettings) -> tuple[FloatArray, FloatArray, IntArray]:
    chosen = rows[rows[:, 4] > settings.conf][: settings.max_det]
    return chosen[:, :4], chosen[:, 4], chosen[:, 5].astype(np.int64)


def _from_one2many(columns: FloatArray, settings: DetectSettings) -> tuple[FloatArray, FloatArray, IntArray]:
    likely = np.flatnonzero(columns[4:].max(0) > settings.conf)
    found = columns[:, likely]
    class_scores = found[4:].T
    if settings.multi_label:
        anchors, classes = np.nonzero(class_scores > settings.conf)
    else:
        anchors, classes = np.arange(likely.size), class_scores.argmax(1)
    scores = class_scores[anchors, classes]
    # Stable, so that equal scores keep the order of their anchors, as in torchvision.
    order = np.argsort(-scores, kind="stable")[:_MAX_CANDIDATES]
    centre, half = found[:2], found[2:4] / 2
    boxes = np.concatenate([centre - half, centre + half])[:, anchors[order]]
    scores, classes = scores[order], classes[order]
    kept = suppress(boxes, classes, settings.iou, settings.max_det)
    return boxes[:, kept].T, scores[kept], classes[kept]


def _scale_back(boxes: FloatArray, placement: Placement, clip: bool) -> FloatArray:
    """Move xyxy boxes (n, 4) from the network's input to the original image."""
    pad = np.array([placement.pad_left, placement.pad_top] * 2, np.float32)
    ratio = np.array([placement.ratio_x, placement.ratio_y] * 2, np.float32)
    boxes = (boxes - pad) / ratio
    return np.clip(boxes, 0, np.array([placement.width, placement.height] * 2, np.float32)) if clip else boxes
