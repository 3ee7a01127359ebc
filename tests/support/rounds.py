"""Synthetic timings by turns: what a noisy shared machine does to launches, rounds and calls, without running any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchsuite.measure.ranking import BETWEEN_SESSIONS
from benchsuite.measure.requests import Turned
from benchsuite.measure.turns import Taken, TakenTurn, Turns

_CALLS = 6
BASE_NS = 20e6


@dataclass(frozen=True)
class RoundNoise:
    """Standard deviations and shares of ln(duration), by where they come from.

    `session` scatters rows from hour to hour, `launch` launches, of each row by a factor of its own where rows
    `differ`; so many `slow_launches` take `slow_launch` longer. `drift` is what each round adds, `correlated` scatters
    all turns with `correlation` from one turn to the next, `bursts` is the share of turns that an interruption makes
    longer, `spikes` that of calls.
    """

    call: float = 0.02
    launch: float = 0.01
    differ: float = 0.0
    slow_launches: float = 0.0
    slow_launch: float = 0.0
    drift: float = 0.0
    correlation: float = 0.0
    correlated: float = 0.0
    bursts: float = 0.0
    spikes: float = 0.0
    session: float = 0.0


ROUND_NOISES = {
    "calm": RoundNoise(),
    "launches differ": RoundNoise(launch=0.02, differ=0.4),
    "drift": RoundNoise(call=0.03, drift=0.01),
    "autocorrelation": RoundNoise(call=0.03, correlation=0.95, correlated=0.05),
    "bursts": RoundNoise(bursts=0.1, spikes=0.05),
    "slow launches": RoundNoise(slow_launches=0.2, slow_launch=0.05),
    # Of two rows, so that their ratio scatters by what differs between sessions.
    "another hour": RoundNoise(session=BETWEEN_SESSIONS / 2**0.5),
    "all at once": RoundNoise(0.03, 0.01, 0.4, 0.1, 0.03, 0.003, 0.9, 0.03, 0.05, 0.05, BETWEEN_SESSIONS / 2**0.5),
}


def synthetic_turns(ratios: Sequence[float], turns: Turns, noise: RoundNoise, seed: int) -> Taken:
    """Draw a timing of rows that take so many times as long as 20 ms; rows are named by their numbers."""
    draw = np.random.default_rng(seed)
    names = [str(number) for number in range(len(ratios))]
    scatter = noise.launch * np.exp(draw.normal(0.0, noise.differ, len(ratios)))
    of_session = draw.normal(0.0, noise.session, len(ratios))
    found: dict[str, list[TakenTurn]] = {name: [] for name in names}
    level = state = 0.0
    for launch in range(turns.launches):
        slow = draw.random(len(ratios)) < noise.slow_launches
        offsets = of_session + draw.normal(0.0, scatter) + noise.slow_launch * slow
        for number in range(turns.rounds):
            level += noise.drift
            for row in draw.permutation(len(ratios)):
                step = np.sqrt(1 - noise.correlation**2) * noise.correlated
                state = noise.correlation * state + step * draw.standard_normal()
                logs = level + state + offsets[row] + noise.call * draw.standard_normal(_CALLS)
                # Interruptions only ever make a call longer.
                logs += (draw.random(_CALLS) < noise.spikes) * draw.exponential(0.5, _CALLS)
                logs += (draw.random() < noise.bursts) * draw.exponential(0.3)
                calls = tuple((0, 0, 0, int(ns)) for ns in np.exp(logs) * BASE_NS * ratios[row])
                turned = Turned(calls, 0, 1, 1, 0, 2, 0, 0)
                found[names[row]].append(TakenTurn(names[row], 0, launch, number, turned))
    taken = {name: tuple(it) for name, it in found.items()}
    return Taken(taken, {}, (tuple(names),), dict.fromkeys(names, 1))
