"""Ranges follow from counts, and counts of two sets of images add up to those of their union."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from benchsuite.quantize.ranges import (
    BINS,
    Tally,
    entropy_bin,
    load_observed,
    merged,
    observe,
    percentile_bin,
    save_observed,
)
from benchsuite.terms.errors import BuildError

FINITE = st.floats(-(2.0**20), 2.0**20, width=32)
METHODS = ("minmax", "mean-minmax", "percentile", "entropy")


def values(*numbers: float) -> npt.NDArray[np.float32]:
    """Return a tensor of one channel."""
    return tensor(np.array(numbers, np.float32))


def tensor(numbers: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return numbers as a tensor of one channel."""
    return numbers.reshape(1, 1, -1)


def test_minmax_is_what_was_seen() -> None:
    """Over several images, the lowest and the highest value."""
    seen = merged([observe(values(-1, 2)), observe(values(-0.5, 7))])
    assert seen.bounds("minmax") == (-1, 7)


def test_mean_minmax_averages_each_image() -> None:
    """One image with a far value moves the range by its share only."""
    seen = merged([observe(values(-1, 2)), observe(values(-3, 8))])
    assert seen.bounds("mean-minmax") == (-2, 5)


def test_means_are_each_channel_s_over_all_images() -> None:
    """Images count alike, batches and heights and widths are averaged over."""
    first = np.array([[[[1.0, 3.0]], [[10.0, 10.0]]], [[[3.0, 5.0]], [[20.0, 20.0]]]], np.float32)
    assert first.shape == (2, 2, 1, 2)
    seen = merged([observe(first), observe(np.zeros((2, 2, 1, 2), np.float32))])
    assert seen.means.tolist() == [1.5, 7.5]


def test_percentile_cuts_the_rarest_and_nothing_else() -> None:
    """One value in a million, far away, does not stretch the range, and no end goes beyond what was seen."""
    many = np.linspace(-0.25, 4.0, 1_000_000, dtype=np.float32)
    lowest, highest = observe(tensor(np.append(many, np.float32(100)))).bounds("percentile")
    assert lowest == -0.25
    # A bin is 128 / 2048 wide here.
    assert 4.0 <= highest <= 4.0 + 128 / BINS


def test_percentile_counts_bins() -> None:
    """The cut lies behind the bin that reaches 99.999 %."""
    counts = np.zeros(BINS, np.int64)
    counts[:100] = 10_000
    counts[-1] = 1
    assert percentile_bin(counts) == 100


def test_entropy_cuts_a_long_tail_and_keeps_a_flat_range() -> None:
    """A bell with a long thin tail is clipped, an even distribution is not."""
    bell = np.round(1e6 * np.exp(-np.arange(BINS) / 100)).astype(np.int64) + 1
    assert entropy_bin(bell) < 1200
    assert entropy_bin(np.full(BINS, 1000, np.int64)) == BINS


@settings(max_examples=50, deadline=None)
@example(np.append(np.float32(0.25), np.zeros(39, np.float32)), 1)
@given(arrays.arrays(np.float32, 40, elements=FINITE), st.integers(1, 39))
def test_counts_of_parts_add_up(everything: npt.NDArray[np.float32], cut: int) -> None:
    """However a tensor is split, its parts have the counts, the ends and so the ranges of the whole."""
    whole = observe(tensor(everything))
    parts = merged([observe(tensor(everything[:cut])), observe(tensor(everything[cut:]))])
    assert np.array_equal(parts.counts, whole.counts)
    assert parts.counts.sum() == 40
    for method in ("minmax", "percentile"):
        assert parts.bounds(method) == whole.bounds(method)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_finite_is_named(bad: float) -> None:
    """A tensor without a range stops calibration, by its name."""
    with pytest.raises(BuildError, match="not finite in conv_7"):
        Tally().add("conv_7", values(1, bad))


def test_zeros_are_counted_like_anything_else() -> None:
    """A tensor of zeros has the range 0 to 0 under every method."""
    seen = observe(values(0, 0))
    assert [seen.bounds(method) for method in METHODS] == [(0, 0)] * 4


def test_what_was_observed_survives_its_file(tmp_path: Path) -> None:
    """Saved and loaded, every method gives the same range."""
    tally = Tally()
    for name, tensor in (("a", values(-1, 3)), ("b", values(0.1, 0.2)), ("a", values(5))):
        tally.add(name, tensor)
    save_observed(tmp_path / "ranges.npz", tally.observed)
    loaded = load_observed(tmp_path / "ranges.npz")
    assert list(loaded) == ["a", "b"]
    assert loaded["a"].images == 2
    for method in METHODS:
        assert loaded["a"].bounds(method) == tally.observed["a"].bounds(method)


def test_each_image_of_a_batch_counts() -> None:
    """A batch gives what its images give one by one, without what fills it up; what all share counts in each."""
    images = np.array([[[[-1.0, 2.0]]], [[[-3.0, 8.0]]], [[[-90.0, 90.0]]]], np.float32)
    one_by_one, batched = Tally(), Tally()
    for image in images[:2]:
        one_by_one.add("conv", image[None])
    batched.add_batch("conv", images, 3, 2)
    batched.add_batch("anchors", values(0.5, 1.5), 3, 2)
    for method in METHODS:
        assert batched.observed["conv"].bounds(method) == one_by_one.observed["conv"].bounds(method)
    assert batched.observed["conv"].images == batched.observed["anchors"].images == 2
    assert batched.observed["conv"].bounds("mean-minmax") == (-2, 5)
    assert batched.observed["conv"].means.tolist() == one_by_one.observed["conv"].means.tolist()
    assert batched.observed["anchors"].bounds("mean-minmax") == (0.5, 1.5)
