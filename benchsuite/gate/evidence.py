"""The sign test that may be looked at after every block: how strongly signs speak for one side of a threshold.

Each block gives one sign: is d above the threshold or not? If the true median of d is at the threshold or on the other
side of it, the sign is heads with probability ½ at most, whatever the noise looks like and whatever came before. With a
uniform prior over probabilities above ½ the likelihood ratio after k heads in n is
E(n, k) = 2^(n+1) ∫_½^1 p^k (1−p)^(n−k) dp, a martingale of mean 1 under the null, so by Ville's inequality it ever
reaches 1/α with probability α at most: it holds at every stopping time (Ville, Étude critique de la notion de
collectif, 1939; Robbins, Statistical methods related to the law of the iterated logarithm, 1970).
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Sequence
from functools import cache

# An estimate of how long it will take is no promise: beyond this it reads "more than".
_MOST_BLOCKS = 1000


@cache
def log_evidence(n: int, k: int) -> float:
    """Return ln E(n, k)."""
    # Not scipy.stats, which takes half a second to import.
    from scipy.special import betainc, betaln

    tail = float(betainc(n - k + 1, k + 1, 0.5))
    if tail == 0:
        return -math.inf
    return (n + 1) * math.log(2) + float(betaln(k + 1, n - k + 1)) + math.log(tail)


@cache
def fewest_heads(n: int, at_least: float) -> int | None:
    """Return the smallest k with ln E(n, k) ≥ `at_least`, or None where even n heads do not suffice."""
    if log_evidence(n, n) < at_least:
        return None
    low, high = 0, n
    while low < high:
        middle = (low + high) // 2
        if log_evidence(n, middle) >= at_least:
            high = middle
        else:
            low = middle + 1
    return low


def interval(ds: Sequence[float], alpha: float) -> tuple[float, float]:
    """Return bounds that hold the median of d with probability 1 − α, at whatever block one stops."""
    heads = fewest_heads(len(ds), math.log(2 / alpha))
    if heads is None:
        return -math.inf, math.inf
    ordered = sorted(ds)
    return ordered[len(ds) - heads], ordered[heads - 1]


def excluded_above(ds: Sequence[float], alpha: float) -> float:
    """Return the smallest value that the median of d was proved to lie below, at level α; infinite for no proof yet.

    What was excluded after any block stays excluded: each value's test holds at whatever block one stops.
    """
    ordered: list[float] = []
    lowest = math.inf
    for d in ds:
        insort(ordered, d)
        heads = fewest_heads(len(ordered), math.log(1 / alpha))
        if heads is not None:
            lowest = min(lowest, ordered[heads - 1])
    return lowest


def blocks_needed(heads: int, n: int, at_least: float) -> int | None:
    """Return how many more blocks reach ln E ≥ `at_least` if heads go on at this rate; None if they never would."""
    # Half a tail more than seen, so that twelve heads out of twelve do not pass for certainty.
    rate = (heads + 0.5) / (n + 1)
    if rate <= 0.5:
        return None
    for more in range(_MOST_BLOCKS):
        if log_evidence(n + more, heads + round(rate * more)) >= at_least:
            return more
    return None
