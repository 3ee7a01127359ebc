"""The values that tensors took during calibration, and the quantisation range that each method reads from them.

A tensor is counted once, image by image, and every method works on the same counts. Counts of two sets of images add
up exactly, because bins only ever double: the union of two sets has the counts that one pass over both would give.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchsuite.machine.arrays import read_arrays
from benchsuite.terms.errors import BuildError, RecordError
from benchsuite.terms.reading import why
from benchsuite.terms.said import said

Values = npt.NDArray[np.float32]
Counts = npt.NDArray[np.int64]
Means = npt.NDArray[np.float64]

BINS = 2048
PERCENTILE = 99.999
_TARGET_BINS = 128
# Candidates for a cut lie this many bins apart: next to each other they differ by less than a calibration image does.
_STRIDE = 8
_LOST = 20.0
# Bins of smaller magnitudes would need a scale beyond float32's range.
_SMALLEST_EXPONENT = -100


@dataclass(frozen=True)
class Observed:
    """What one tensor held over some images.

    `counts` (2048,) are of magnitudes, the last bin ending at 2 ** exponent; sums are of each image's extremes, and of
    the means of its channels (channels,).
    """

    images: int
    lowest: float
    highest: float
    lowest_sum: float
    highest_sum: float
    exponent: int
    counts: Counts
    means_sum: Means

    @property
    def means(self) -> Means:
        """Return the mean of each channel (channels,)."""
        return self.means_sum / self.images

    def bounds(self, method: str) -> tuple[float, float]:
        """Return the range to quantise: minmax, mean-minmax, percentile or entropy.

        The last two cut magnitudes, so neither end goes beyond what was seen.
        """
        if method == "minmax":
            return self.lowest, self.highest
        if method == "mean-minmax":
            return self.lowest_sum / self.images, self.highest_sum / self.images
        edge = math.ldexp({"percentile": percentile_bin, "entropy": entropy_bin}[method](self.counts), self.exponent)
        cut = edge / BINS
        return max(self.lowest, -cut), min(self.highest, cut)


def observe(values: Values) -> Observed:
    """Count one image's tensor (…, channels, height, width); raises BuildError for values that are not finite."""
    lowest, highest = float(values.min()), float(values.max())
    if not (math.isfinite(lowest) and math.isfinite(highest)):
        raise BuildError(said("calibration met values that are not finite"))
    largest = max(abs(lowest), abs(highest))
    # Zeros fit bins of any width, and must not widen those of others.
    exponent = max(math.frexp(largest)[1], _SMALLEST_EXPONENT) if largest else _SMALLEST_EXPONENT
    # Magnitudes lie below 2 ** exponent, so every index is below BINS.
    indices = (np.abs(values) * np.float32(math.ldexp(BINS, -exponent))).astype(np.intp)
    counts = np.bincount(indices.ravel(), minlength=BINS)
    means = values.mean(axis=(*range(values.ndim - 3), -2, -1), dtype=np.float64)
    return Observed(1, lowest, highest, lowest, highest, exponent, counts, means)


def merged(parts: Iterable[Observed]) -> Observed:
    """Add up what was observed over several sets of images."""
    kept = list(parts)
    exponent = max(part.exponent for part in kept)
    return Observed(
        sum(part.images for part in kept),
        min(part.lowest for part in kept),
        max(part.highest for part in kept),
        math.fsum(part.lowest_sum for part in kept),
        math.fsum(part.highest_sum for part in kept),
        exponent,
        sum((_widened(part.counts, exponent - part.exponent) for part in kept), np.zeros(BINS, np.int64)),
        np.sum([part.means_sum for part in kept], axis=0),
    )


def _widened(counts: Counts, doublings: int) -> Counts:
    """Count in bins that are 2 ** doublings times as wide."""
    if doublings == 0:
        return counts
    # Beyond the number of bins everything lies in the first one.
    width = 2 ** min(doublings, BINS.bit_length() - 1)
    wide = np.zeros(BINS, np.int64)
    wide[: BINS // width] = counts.reshape(-1, width).sum(axis=1)
    return wide


def percentile_bin(counts: Counts) -> int:
    """Return the number of bins that hold 99.999 % of what was counted."""
    reached = np.cumsum(counts) >= PERCENTILE / 100 * counts.sum()
    return int(np.argmax(reached)) + 1


def entropy_bin(counts: Counts) -> int:
    """Return the number of bins whose clipped and coarsened histogram diverges least from the whole one.

    Zeros are not counted (S. Migacz, 8-bit inference with TensorRT, GTC 2017).
    """
    exact = counts.astype(np.float64)
    exact[0] = 0
    if not exact.any():
        return 1
    used = int(np.flatnonzero(exact)[-1]) + 1
    best, least = used, np.inf
    for bins in [*range(_TARGET_BINS, used, _STRIDE), used]:
        clipped = exact[:bins].copy()
        clipped[-1] += exact[bins:].sum()
        edges = np.arange(bins) * _TARGET_BINS // bins
        seen = exact[:bins] > 0
        totals = np.bincount(edges, exact[:bins], _TARGET_BINS)
        filled = np.bincount(edges, seen, _TARGET_BINS)
        coarse = np.where(seen, (totals / np.maximum(filled, 1))[edges], 0.0)
        if not coarse.any():
            continue
        p, q = clipped / clipped.sum(), coarse / coarse.sum()
        both = (p > 0) & (q > 0)
        # What the coarse histogram has lost altogether counts as if it were hardly there.
        divergence = float((p[both] * np.log(p[both] / q[both])).sum() + p[(p > 0) & (q == 0)].sum() * _LOST)
        if divergence < least:
            best, least = bins, divergence
    return best


def save_observed(path: Path, observed: Mapping[str, Observed]) -> None:
    """Write what was observed of each tensor to a .npz file."""
    names = list(observed)
    parts = list(observed.values())
    np.savez_compressed(
        path,
        names=np.array(names, dtype=np.str_),
        images=np.array([part.images for part in parts]),
        exponents=np.array([part.exponent for part in parts]),
        extremes=np.array([(part.lowest, part.highest, part.lowest_sum, part.highest_sum) for part in parts]),
        counts=np.array([part.counts for part in parts]),
        channels=np.array([len(part.means_sum) for part in parts]),
        means=np.concatenate([part.means_sum for part in parts]),
    )


def load_observed(path: Path) -> Mapping[str, Observed]:
    """Read what `save_observed` wrote; raises BuildError for what is not that."""
    columns = ("names", "images", "extremes", "exponents", "counts")
    try:
        data = read_arrays(path, (*columns, "means", "channels"))
        means = np.split(data["means"], np.cumsum(data["channels"])[:-1])
        rows = zip(*(data[name] for name in columns), means, strict=True)
        return {
            str(name): Observed(
                images=int(images),
                lowest=float(lowest),
                highest=float(highest),
                lowest_sum=float(lowest_sum),
                highest_sum=float(highest_sum),
                exponent=int(exponent),
                counts=counts,
                means_sum=means_sum,
            )
            for name, images, (lowest, highest, lowest_sum, highest_sum), exponent, counts, means_sum in rows
        }
    except (OSError, MemoryError, RecordError) as error:
        raise BuildError(said("cannot read {1}: {2}", path, why(error))) from None
    except (ValueError, TypeError, OverflowError, IndexError):
        raise BuildError(said("cannot read {1}: {2}", path, said("its arrays do not belong together"))) from None


class Tally:
    """Adds up what each tensor holds, image by image; raises BuildError naming a tensor that is not finite."""

    def __init__(self) -> None:
        self._observed: dict[str, Observed] = {}

    def add_batch(self, name: str, values: Values, size: int, images: int) -> None:
        """Count each of the first `images` of a batch of that size, which lie along the first axis."""
        # A tensor that no image has a share of is alike in all of them.
        parts = np.split(values, size) if len(values) % size == 0 else [values] * size
        for part in parts[:images]:
            self.add(name, part)

    def add(self, name: str, values: Values) -> None:
        """Count a tensor of one image."""
        try:
            found = observe(values)
        except BuildError as error:
            raise BuildError(said("{1} in {2}", error, name)) from None
        kept = self._observed.get(name)
        self._observed[name] = found if kept is None else merged((kept, found))

    @property
    def observed(self) -> Mapping[str, Observed]:
        return self._observed
