"""How steady this machine is right now: a fixed piece of work, repeated, and advice on what was seen."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_WINDOW_NS = 500_000_000
_NUMBERS = 4_000_000


@dataclass(frozen=True)
class Noise:
    """Spread of one fixed piece of work on one core; `drift` is the CV of half-second medians, `tail` is p95 over p50.

    `stolen` is the share of CPU time that a hypervisor gave to others, None where the system does not tell.
    """

    calls: int
    p50_ns: float
    drift: float
    tail: float
    stolen: float | None

    @property
    def advice(self) -> str:
        """Say what the spread means for measuring here."""
        if self.stolen is not None and self.stolen > 0.02:
            return "other virtual machines take CPU time: compare only what ran side by side, and use --effort full"
        if self.drift > 0.05 or self.tail > 1.5:
            return "noisy: stop other programs, or trust differences above 10 % only"
        if self.drift > 0.015 or self.tail > 1.15:
            return "usable: differences under 5 % need side-by-side runs"
        return "quiet: differences of a few percent can be seen"


def measure_noise(seconds: float, clock: Callable[[], int] = time.perf_counter_ns) -> Noise:
    """Repeat one piece of work for that long and describe how its duration varied."""
    import numpy as np

    numbers = np.random.default_rng(0).random(_NUMBERS, np.float32)
    result = np.empty_like(numbers)
    steal_before = steal_and_total()
    windows: list[list[int]] = [[]]
    start = window_start = clock()
    while (now := clock()) - start < seconds * 1e9:
        if now - window_start >= _WINDOW_NS:
            windows.append([])
            window_start = now
        # Element by element, so that NumPy uses one thread whatever library it multiplies matrices with.
        np.exp(numbers, out=result)
        windows[-1].append(clock() - now)
    medians = [statistics.median(window) for window in windows if window]
    calls = sorted(duration for window in windows for duration in window)
    p50 = statistics.median(calls)
    return Noise(
        calls=len(calls),
        p50_ns=p50,
        drift=statistics.stdev(medians) / statistics.mean(medians) if len(medians) > 1 else 0.0,
        tail=calls[int(0.95 * (len(calls) - 1))] / p50,
        stolen=_stolen(steal_before, steal_and_total()),
    )


def _stolen(before: tuple[int, int] | None, after: tuple[int, int] | None) -> float | None:
    if before is None or after is None or after[1] == before[1]:
        return None
    return (after[0] - before[0]) / (after[1] - before[1])


def steal_and_total() -> tuple[int, int] | None:
    """Return the ticks that were stolen and all ticks so far, over all CPUs (proc(5), /proc/stat)."""
    try:
        ticks = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        return ticks[7], sum(ticks)
    except (OSError, ValueError, IndexError):
        return None
