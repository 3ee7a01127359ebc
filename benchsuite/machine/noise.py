"""How steady this machine is right now: a fixed piece of work, repeated, and advice on what was seen."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchsuite.machine.cpu_times import STEAL, ticks_by_cpu

_WINDOW_NS = 500_000_000
_NUMBERS = 4_000_000
# By a CPU's name: ticks that were stolen, and all ticks so far.
Ticks = Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class Noise:
    """Spread of one fixed piece of work on one core; `drift` is the CV of half-second medians, `tail` is p95 over p50.

    `stolen` is the largest share of one usable CPU's time that a hypervisor gave to others, None where nothing tells.
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
        stolen=most_stolen(steal_before, steal_and_total()),
    )


def most_stolen(before: Ticks, after: Ticks) -> float | None:
    """Return the share of its time that the CPU lost from which most was stolen, or None where no CPU tells.

    A share of all CPUs would hide it among many: a thread that lost its CPU waits, and the others for it.
    """
    shares = [
        (after[cpu][0] - stolen) / (after[cpu][1] - total)
        for cpu, (stolen, total) in before.items()
        if cpu in after and after[cpu][1] > total
    ]
    return max(shares, default=None)


def steal_and_total() -> Ticks:
    """Return the ticks of each CPU that this process may use; empty where nothing tells."""
    return {name: (fields[STEAL], sum(fields)) for name, fields in ticks_by_cpu().items()}
