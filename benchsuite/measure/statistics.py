"""From raw samples to the figures that are quoted, and no figure that the sample cannot carry."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from benchsuite.measure.measurement import Distribution
from benchsuite.terms.absence import Absent
from benchsuite.terms.said import said

Samples = npt.NDArray[np.int64]

UNKNOWN_INTERVAL = Absent("an interval of the median needs two launches")
# The largest of n samples bounds the q-quantile from above with probability 1 - q**n, whatever the distribution:
# 97.5 % needs n >= log(0.025) / log(q).
_CONFIDENCE = 0.975


def samples_needed(quantile: float) -> int:
    """Return the smallest sample whose maximum bounds the quantile from above with 97.5 % confidence."""
    return math.ceil(math.log(1 - _CONFIDENCE) / math.log(quantile))


def describe(samples_ns: Samples, p50_ci95: tuple[float, float] | Absent = UNKNOWN_INTERVAL) -> Distribution:
    """Summarise durations in ns; no sample is dropped, however far out it lies.

    The interval of the median is not told by the samples alone: calls of one process are alike.
    """
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
        p50_ci95=p50_ci95,
        p90=_percentile(ordered, 0.90),
        p95=_percentile(ordered, 0.95),
        p99=_percentile(ordered, 0.99),
    )


def _percentile(ordered: Samples, quantile: float) -> float | Absent:
    needed = samples_needed(quantile)
    if len(ordered) < needed:
        return Absent(said("p{1} needs {2} samples, found {3}", f"{quantile * 100:.0f}", needed, len(ordered)))
    return float(np.quantile(ordered, quantile))
