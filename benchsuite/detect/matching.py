"""Pair boxes of two sets by their overlap."""

from __future__ import annotations

import numpy as np

from benchsuite.detect.detections import FloatArray, IntArray

_EPSILON = np.float32(1e-7)  # Keeps two empty boxes from 0 / 0.


def box_iou(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return the intersection over union (n, m) of xyxy boxes (n, 4) with boxes (m, 4)."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    intersection = np.maximum(high - low, 0).prod(2)
    areas, other_areas = ((boxes[:, 2:] - boxes[:, :2]).prod(1) for boxes in (one, other))
    union = areas[:, None] + other_areas - intersection + _EPSILON
    return np.asarray(intersection / union, np.float32)


def same_class_iou(one: FloatArray, one_classes: IntArray, other: FloatArray, other_classes: IntArray) -> FloatArray:
    """Return `box_iou` (n, m), 0 where the classes differ."""
    return np.where(one_classes[:, None] == other_classes, box_iou(one, other), np.float32(0))
