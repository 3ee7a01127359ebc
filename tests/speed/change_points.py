"""How often the history's change points are wrong, on series that are drawn: false ones, and real ones that it misses.

    python tests/speed/change_points.py [--series 2000]

Noise of one run is 3 % unless said otherwise. "Any" is the share of series without a change that show one; "found" is
the share of series with one step in the middle that show exactly one, at most two runs beside it.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

import numpy as np

from benchsuite.report.changes import levels

NOISE = 0.03
LENGTHS = (6, 10, 20, 50, 200)
STEPS = (0.05, 0.10, 0.20)
Draw = Callable[[np.random.Generator, int], np.ndarray]


def gaussian(random: np.random.Generator, count: int) -> np.ndarray:
    return random.normal(0, NOISE, count)


def heavy_tails(random: np.random.Generator, count: int) -> np.ndarray:
    """Return Student's t with three degrees of freedom."""
    return random.standard_t(3, count) * NOISE / math.sqrt(3)


def disturbed(random: np.random.Generator, count: int) -> np.ndarray:
    """Return a run in ten slowed by 10 to 50 %."""
    return gaussian(random, count) + (random.random(count) < 0.1) * np.log1p(random.uniform(0.1, 0.5, count))


def correlated(random: np.random.Generator, count: int) -> np.ndarray:
    """Return noise of which 30 % stays from one run to the next."""
    noise = np.empty(count)
    noise[0] = random.normal(0, NOISE)
    for number in range(1, count):
        noise[number] = 0.3 * noise[number - 1] + random.normal(0, NOISE * math.sqrt(1 - 0.3**2))
    return noise


NOISES: dict[str, Draw] = {
    "gaussian": gaussian,
    "heavy tails": heavy_tails,
    "disturbed": disturbed,
    "correlated": correlated,
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--series", type=int, default=2000)
    count = parser.parse_args().series
    random = np.random.default_rng(20260131)
    print(f"{'noise':<14}{'runs':>5}{'any':>8}" + "".join(f"{f'found {step:.0%}':>12}" for step in STEPS))
    for name, draw in NOISES.items():
        for length in LENGTHS:
            false = sum(len(levels(np.exp(draw(random, length)).tolist())) > 1 for _ in range(count)) / count
            cells = []
            for step in STEPS:
                found = 0
                for _ in range(count):
                    series = draw(random, length) + np.log1p(step) * (np.arange(length) >= length // 2)
                    starts = [level.start for level in levels(np.exp(series).tolist())[1:]]
                    found += len(starts) == 1 and abs(starts[0] - length // 2) <= 2
                cells.append(f"{found / count:>12.1%}")
            print(f"{name:<14}{length:>5}{false:>8.1%}" + "".join(cells))


if __name__ == "__main__":
    main()
