"""Builders of what timing tells; see `benchsuite.testing.builders`."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from benchsuite.machine.noise import Noise
from benchsuite.measure.measurement import Distribution, Latency, Together
from benchsuite.terms.absence import Absent

MILLISECOND_NS = 1_000_000
# The least samples that bound each percentile from above, as the timing rules have it.
_NEEDED = {"p90": 36, "p95": 72, "p99": 368}


def make_distribution(p50_ms: float = 40.0, n: int = 400, **changes: Any) -> Distribution:
    """Build a right-skewed distribution around a median: p90 +10 %, p95 +15 %, p99 +30 %, interval ±1 %."""
    p50 = p50_ms * MILLISECOND_NS
    tail = {
        name: p50 * factor if n >= _NEEDED[name] else Absent(f"{name} needs {_NEEDED[name]} samples, {n} were taken")
        for name, factor in (("p90", 1.10), ("p95", 1.15), ("p99", 1.30))
    }
    distribution = Distribution(
        n=n,
        min=int(p50 * 0.9),
        max=int(p50 * 1.5),
        mean=p50 * 1.02,
        std=p50 * 0.05,
        p50=p50,
        p50_ci95=(p50 * 0.99, p50 * 1.01),
        **tail,
    )
    return replace(distribution, **changes)


def make_noise(**changes: Any) -> Noise:
    """Build what a quiet machine tells of itself."""
    return replace(Noise(0.012, 24, {}, 0.01, 0.0), **changes)


def make_together(total_ms: float = 40.0, scatter: float = 0.005, **changes: Any) -> Together:
    """Build a part in the timing of six launches that all rows of this builder share, against one of 10 ms.

    Launches scatter by `scatter` around the median, of each median in its own way.
    """
    scattered = [scatter * math.sin(total_ms * (2 + number)) for number in range(6)]
    middle = math.log(total_ms / 10) - sum(scattered) / 6
    launches = tuple(middle + away for away in scattered)
    return replace(Together("turns-1", launches, 24, 0, 0.012, make_noise()), **changes)


def make_latency(total_ms: float = 40.0, n: int = 400, **changes: Any) -> Latency:
    """Build a latency by turns whose total is 5 % preprocess, 90 % inference and 5 % postprocess."""
    latency = Latency(
        preprocess_ns=make_distribution(total_ms * 0.05, n),
        inference_ns=make_distribution(total_ms * 0.90, n),
        postprocess_ns=make_distribution(total_ms * 0.05, n),
        total_ns=make_distribution(total_ms, n),
        warmup_calls=20,
        samples_file="samples/example.npz",
        samples_sha256="5a" * 32,
        together=make_together(total_ms),
    )
    return replace(latency, **changes)
