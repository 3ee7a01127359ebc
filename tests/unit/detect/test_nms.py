"""Non-maximum suppression."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.detect.nms import suppress


def plain_greedy(boxes: npt.NDArray[np.float32], classes: npt.NDArray[np.int64], iou: float) -> list[int]:
    """Keep a box unless a kept one of its class overlaps it by more than iou, in exact arithmetic on small integers."""
    kept: list[int] = []
    for index in range(boxes.shape[1]):
        if all(classes[index] != classes[other] or ratio(boxes[:, index], boxes[:, other]) <= iou for other in kept):
            kept.append(index)
    return kept


def ratio(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> float:
    (x1, y1, x2, y2), (a1, b1, a2, b2) = one.tolist(), other.tolist()
    shared = max(0.0, min(x2, a2) - max(x1, a1)) * max(0.0, min(y2, b2) - max(y1, b1))
    union = (x2 - x1) * (y2 - y1) + (a2 - a1) * (b2 - b1) - shared
    return shared / union if union else 0.0


@given(st.data(), st.integers(0, 400), st.sampled_from([0.25, 0.5, 0.75]))
def test_equals_a_plain_loop(data: st.DataObject, count: int, iou: float) -> None:
    """Blocks and whole-array comparisons choose the very boxes that the textbook loop chooses, ties included.

    Coordinates are small integers, so that IoU often equals the threshold and both sides compute it exactly.
    """
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    low = rng.integers(0, 30, (2, count))
    boxes = np.concatenate([low, low + rng.integers(0, 12, (2, count))]).astype(np.float32)
    classes = rng.integers(0, 3, count)
    expected = plain_greedy(boxes, classes, iou)
    assert suppress(boxes, classes, iou, 1000).tolist() == expected
    assert suppress(boxes, classes, iou, 7).tolist() == expected[:7]


def test_overlap_equal_to_the_threshold_is_kept() -> None:
    """A box that overlaps by exactly the threshold stays; by a hair more, it goes."""
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 5]], np.float32).T
    classes = np.zeros(2, np.int64)
    assert suppress(boxes, classes, 0.5, 9).tolist() == [0, 1]
    assert suppress(boxes, classes, 0.4999, 9).tolist() == [0]


def test_threshold_is_not_rounded_up_to_float32() -> None:
    """An IoU of 0.1 in float32 lies above a threshold of 0.1, as it does for a runtime that compares in float64."""
    boxes = np.array([[0, 0, 10, 10], [0, 0, 1, 10]], np.float32).T
    assert float(np.float32(10) / np.float32(100)) > 0.1
    assert suppress(boxes, np.zeros(2, np.int64), 0.1, 9).tolist() == [0]


@pytest.mark.parametrize("count", [0, 1, 127, 128, 129, 5000])
def test_twins_leave_one_box_a_class(count: int) -> None:
    """However many copies of a box there are, the best of each class remains."""
    boxes = np.tile(np.array([[5], [5], [9], [9]], np.float32), count)
    assert suppress(boxes, np.zeros(count, np.int64), 0.7, 300).tolist() == [0][:count]
    kept = suppress(boxes, np.arange(count) % 80, 0.7, 300)
    assert kept.tolist() == list(range(min(count, 80)))


def test_boxes_without_area_raise_no_warning() -> None:
    """Two equal boxes without area have no overlap to speak of and are both kept."""
    boxes = np.full((4, 2), 3, np.float32)
    with np.errstate(all="raise"):
        assert suppress(boxes, np.zeros(2, np.int64), 0.7, 9).tolist() == [0, 1]
