"""Synthetic streams: what a noisy shared machine does to calls, without running any."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np

from benchsuite.gate.blocks import Block, Stream
from benchsuite.gate.loop import launch_order, reading_order

CALLS = 5
BLOCK_S = 2.0
_CALL_NS = 20e6


@dataclass(frozen=True)
class Noise:
    """Shares and standard deviations of ln(duration), by where they come from."""

    call: float = 0.02
    spikes: float = 0.0
    drift_a_block: float = 0.0
    correlation: float = 0.0
    correlated: float = 0.0
    slow_launches: float = 0.0
    slow_launch: float = 0.0


NOISES = {
    "calm": Noise(),
    "spikes": Noise(call=0.03, spikes=0.10),
    "drift": Noise(call=0.03, drift_a_block=0.03),
    "autocorrelation": Noise(call=0.03, correlation=0.95, correlated=0.05),
    "bimodal launches": Noise(call=0.03, slow_launches=0.3, slow_launch=0.15),
    "all at once": Noise(0.03, 0.05, 0.01, 0.9, 0.03, 0.1, 0.05),
}


class SyntheticSource:
    """Blocks of a case whose candidate takes `ratio` times as long as its baseline, under one kind of noise.

    Time goes on with every block, whichever subject it is of, and so do drift and correlation.
    """

    def __init__(self, noise: Noise, ratios: dict[str, float], seed: int) -> None:
        self._noise = noise
        self._ratios = ratios
        self._random = np.random.default_rng(seed)
        self._level = 0.0
        self._state = 0.0
        self.seconds = 0.0

    def take(self, subject: Stream, sweep: int, coins: random.Random) -> Block:
        """Draw one block of four readings."""
        noise, draw = self._noise, self._random
        self.seconds += BLOCK_S
        order, launched = reading_order(coins, 1), launch_order(coins)
        ratio = 1.0 if subject.control else self._ratios.get(subject.case_id, 1.0)
        offsets = {arm: noise.slow_launch * (draw.random() < noise.slow_launches) for arm in "AB"}
        readings = []
        for arm in order:
            self._level += noise.drift_a_block / len(order)
            step = np.sqrt(1 - noise.correlation**2) * noise.correlated
            self._state = noise.correlation * self._state + step * draw.standard_normal()
            logs = self._level + self._state + offsets[arm] + noise.call * draw.standard_normal(CALLS)
            # Interruptions only ever make a call longer.
            logs += (draw.random(CALLS) < noise.spikes) * draw.exponential(0.5, CALLS)
            ns = np.exp(logs) * _CALL_NS * (ratio if arm == "B" else 1.0)
            readings.append(tuple(int(value) for value in ns))
        peaks = {arm: int(200e6 * (1 + 0.001 * draw.standard_normal())) for arm in "AB"}
        return Block(subject, sweep, order, launched, tuple(readings), peaks)

    def clock(self) -> float:
        """Return the seconds that the blocks would have taken."""
        return self.seconds
