"""Greedy, class-aware non-maximum suppression without torch."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchsuite.detect.detections import FloatArray, IntArray

# Classes are moved apart by this many pixels, so that boxes of two classes never overlap. In float32 this also rounds
# coordinates (to 1/16 px in the 80th class): kept, because Ultralytics' figures contain that rounding.
_CLASS_OFFSET_PX = np.float32(7680)
# Candidates that are compared with each other at once. Of 32 to 256, 128 was the fastest for 200 to 2,000 candidates.
_BLOCK = 128


def suppress(boxes: FloatArray, classes: IntArray, iou: float, limit: int) -> IntArray:
    """Return the indices of at most `limit` boxes of which no two of a class overlap by more than `iou`.

    `boxes` (4, n) are x1, y1, x2, y2, best score first; so is the result. Equal to `torchvision.ops.nms` on boxes
    moved apart by class, to the bit: IoU in float32, a tie with `iou` is no overlap.
    """
    corners = boxes + classes.astype(np.float32) * _CLASS_OFFSET_PX
    areas = (corners[2] - corners[0]) * (corners[3] - corners[1])
    threshold = _float32_at_most(iou)
    kept = np.empty(0, np.int64)
    for start in range(0, boxes.shape[1], _BLOCK):
        block = np.arange(start, min(start + _BLOCK, boxes.shape[1]))
        if kept.size:
            hit = _overlapping(corners[:, kept], areas[kept], corners[:, block], areas[block], threshold)
            block = block[~hit.any(0)]
        clear = ~_overlapping(corners[:, block], areas[block], corners[:, block], areas[block], threshold)
        alive = np.ones(block.size, np.bool_)
        chosen = []
        for index in range(block.size):
            if alive[index]:
                chosen.append(index)
                alive &= clear[index]
        kept = np.concatenate([kept, block[chosen]])
        if kept.size >= limit:
            break
    return kept[:limit]


def _overlapping(
    one: FloatArray, one_areas: FloatArray, other: FloatArray, other_areas: FloatArray, threshold: np.float32
) -> npt.NDArray[np.bool_]:
    """Compare every box of one with every box of the other; in place, because temporaries took most of the time."""
    width = np.minimum(one[2][:, None], other[2])
    width -= np.maximum(one[0][:, None], other[0])
    np.maximum(width, 0, out=width)
    height = np.minimum(one[3][:, None], other[3])
    height -= np.maximum(one[1][:, None], other[1])
    np.maximum(height, 0, out=height)
    intersection = np.multiply(width, height, out=width)
    union = one_areas[:, None] + other_areas
    union -= intersection
    # Two boxes without area give 0 / 0: nan, which is no overlap.
    with np.errstate(divide="ignore", invalid="ignore"):
        overlap = np.divide(intersection, union, out=intersection)
        return np.asarray(overlap > threshold)


def _float32_at_most(value: float) -> np.float32:
    """Return the largest float32 that is not above value: comparing float32 with it is comparing with value itself."""
    nearest = np.float32(value)
    below: np.float32 = np.nextafter(nearest, np.float32(-np.inf))
    return below if float(nearest) > value else nearest
