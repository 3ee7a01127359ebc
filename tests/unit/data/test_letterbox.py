"""Images fitted into a square."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.data.letterbox import place, preprocess
from benchsuite.terms.input_size import InputSize

SIDES = st.integers(1, 4000)
IMGSZ = st.integers(1, 40).map(lambda stride: 32 * stride)


@given(SIDES, SIDES, IMGSZ)
def test_image_fills_the_longest_side_and_is_centred(height: int, width: int, imgsz: int) -> None:
    """The longest side takes all of imgsz, the other at least a pixel, with equal bars but for one odd pixel."""
    placed = place(height, width, InputSize.square(imgsz))
    assert max(placed.resized_height, placed.resized_width) == imgsz
    assert min(placed.resized_height, placed.resized_width) >= 1
    for resized, pad in ((placed.resized_height, placed.pad_top), (placed.resized_width, placed.pad_left)):
        assert imgsz - resized - pad in (pad, pad + 1)
    shape_error = abs(placed.resized_height * width - placed.resized_width * height)
    assert shape_error <= max(height, width)


def test_ratios_follow_the_rounded_sides() -> None:
    """A side that is rounded up to whole pixels has its own ratio."""
    placed = place(333, 500, InputSize.square(640))
    assert (placed.resized_height, placed.resized_width) == (427, 640)
    assert (placed.pad_top, placed.pad_left) == (106, 0)
    assert placed.ratio_x == 640 / 500
    assert placed.ratio_y == 427 / 333


def test_batch_is_rgb_planes_between_grey_bars() -> None:
    """BGR pixels become planes of red, green and blue, 114 fills the rest, and values are x / 255 to the bit."""
    image = np.empty((32, 64, 3), np.uint8)
    image[:] = (10, 20, 31)
    batch, (placed,) = preprocess([image], InputSize.square(64))
    assert batch.shape == (1, 3, 64, 64)
    assert batch.dtype == np.float32
    assert batch.flags.c_contiguous
    inside = batch[0, :, placed.pad_top : placed.pad_top + 32]
    assert [np.unique(plane).tolist() for plane in inside] == [
        [np.float32(value) / np.float32(255)] for value in (31, 20, 10)
    ]
    bars = np.delete(batch[0], slice(16, 48), axis=1)
    assert np.unique(bars).tolist() == [np.float32(114) / np.float32(255)]


def test_image_of_the_right_size_keeps_its_pixels() -> None:
    """Nothing is interpolated where nothing needs to be."""
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    batch, _ = preprocess([image], InputSize.square(64))
    np.testing.assert_array_equal(np.rint(batch[0] * 255).astype(np.uint8), image.transpose(2, 0, 1)[::-1])


@pytest.mark.parametrize("shape", [(1, 200, 3), (200, 1, 3), (7, 5, 3)])
def test_batch_of_odd_shapes(shape: tuple[int, int, int]) -> None:
    """Images of several shapes share a batch, each with its own placement."""
    images = [np.full(shape, 255, np.uint8), np.zeros((64, 64, 3), np.uint8)]
    batch, placements = preprocess(images, InputSize.square(64))
    assert [(placed.height, placed.width) for placed in placements] == [shape[:2], (64, 64)]
    assert (batch[0] == 1).sum() == 3 * placements[0].resized_height * placements[0].resized_width
    assert not batch[1].any()


def test_input_that_is_not_square_has_its_height_first() -> None:
    """A wide image fills a wide input without bars; a tall one has them left and right."""
    wide = InputSize(384, 640)
    batch, _ = preprocess([np.zeros((96, 160, 3), np.uint8)], wide)
    assert batch.shape == (1, 3, 384, 640)
    assert (place(96, 160, wide).pad_left, place(96, 160, wide).pad_top) == (0, 0)
    assert (place(384, 320, wide).pad_left, place(384, 320, wide).pad_top) == (160, 0)
