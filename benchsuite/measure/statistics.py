"""From raw samples to the figures that are quoted, and no figure that the sample cannot carry."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from benchsuite.measure.measurement import Distribution
from benchsuite.terms.absence import Absent
from benchsuite.terms.said import said

Samples = npt.NDArray[np.int64]

# The largest of n samples bounds the q-quantile from above with probability 1 - q**n, whatever the distribution:
# 97.5 % needs n >= log(0.025) / log(q).
_CONFIDENCE = 0.975


def samples_needed(quantile: float) -> int:
    """Return the smallest sample whose maximum bounds the quantile from above with 97.5 % confidence."""
    return math.ceil(math.log(1 - _CONFIDENCE) / math.log(quantile))


def describe(samples_ns: Samples) -> Distribution:
    """Summarise durations in ns; no sample is dropped, however far out it lies."""
    ordered = np.sort(samples_ns)
    n = len(ordered)
    if n == 0:
        raise ValueError("no samples: nothing was measured")
    return Distribution(
        n=n,
        min=int(ordered[0]),
        max=int(ordered[-1]),
        mean=float(ordered.mean()),
        std=float(ordered.std(ddof=1)) if n > 1 else 0.0,
        p50=float(np.median(ordered)),
        p50_ci95=median_interval(ordered),
        p90=_percentile(ordered, 0.90),
        p95=_percentile(ordered, 0.95),
        p99=_percentile(ordered, 0.99),
    )


def median_interval(ordered: Samples) -> tuple[float, float] | Absent:
    """Return the order statistics that enclose the median with at least 95 % confidence.

    Distribution-free: the number of samples below the median is binomial(n, 1/2). It takes samples to be
    independent, so under drift it is too narrow.
    """
    n = len(ordered)
    tail, rank = 1, 0  # tail: how many of the 2**n outcomes have at most `rank` samples below the median
    if tail * 40 > 2**n:
        return Absent(said("a 95 % interval of the median needs 6 samples, found {1}", n))
    while (tail + math.comb(n, rank + 1)) * 40 <= 2**n:
        rank += 1
        tail += math.comb(n, rank)
    return float(ordered[rank]), float(ordered[n - 1 - rank])


def _percentile(ordered: Samples, quantile: float) -> float | Absent:
    needed = samples_needed(quantile)
    if len(ordered) < needed:
        return Absent(said("p{1} needs {2} samples, found {3}", f"{quantile * 100:.0f}", needed, len(ordered)))
    return float(np.quantile(ordered, quantile))
