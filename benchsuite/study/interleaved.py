"""Several ways to run a model, timed turn by turn, so that whatever else the machine does meets all of them alike."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchsuite.measure.readings import LatencyWorker, Plan, Side
from benchsuite.terms.errors import BenchsuiteError
from benchsuite.terms.numbers import Measure, TimeRatio

# Medians of readings in ns: a row a launch, a column a round.
Readings = npt.NDArray[np.float64]

_RESAMPLES = 2000


@dataclass(frozen=True)
class Turns:
    """How often everything is timed: fresh processes, and rounds within each."""

    launches: int
    rounds: int


TURNS: Mapping[str, Turns] = {"quick": Turns(3, 8), "standard": Turns(6, 12), "full": Turns(12, 24)}


@dataclass(frozen=True)
class Taken:
    """Readings of every subject that was read to the end, and why the others were not."""

    readings: Mapping[str, Readings]
    failures: Mapping[str, str]


@dataclass(frozen=True)
class Timed:
    """Total latency of one subject, and its ratio to the reference's in the same round, with a 95 % interval."""

    p50_ns: Measure
    ratio: TimeRatio
    ratio_ci95: tuple[TimeRatio, TimeRatio]


def take_turns(sides: Mapping[str, Side], turns: Turns, seed: int, say: Callable[[str], None]) -> Taken:
    """Read every subject once a round, in an order drawn anew each round; only one of them runs at any time.

    A subject that fails takes no further turn; the others go on.
    """
    rng = random.Random(seed)
    found: dict[str, list[list[float]]] = {name: [] for name in sides}
    failures: dict[str, str] = {}
    for launch in range(turns.launches):
        left = {name: side for name, side in sides.items() if name not in failures}
        if not left:
            break
        say(f"timing {len(left)} ways turn by turn: launch {launch + 1} of {turns.launches}")
        for name, medians in _launch(left, turns.rounds, rng, failures).items():
            found[name].append(medians)
    return Taken({name: np.array(rows) for name, rows in found.items() if name not in failures}, failures)


def _launch(
    sides: Mapping[str, Side], rounds: int, rng: random.Random, failures: dict[str, str]
) -> Mapping[str, list[float]]:
    """Launch every subject and read all of them `rounds` times; add to `failures` those that failed, and why."""
    workers: dict[str, LatencyWorker] = {}
    plans: dict[str, Plan] = {}
    medians: dict[str, list[float]] = {name: [] for name in sides}
    with ExitStack() as stack:
        # One after the other: some runtimes need ten times as long to load beside another process.
        for name, side in sides.items():
            with _noting(name, failures, workers):
                worker = workers[name] = LatencyWorker(side)
                stack.callback(worker.kill)
                worker.open()
                plans[name] = worker.plan()
                worker.pause()
        for _ in range(rounds):
            for name in rng.sample(sorted(sides), len(sides)):
                if name in failures:
                    continue
                with _noting(name, failures, workers):
                    workers[name].resume()
                    reading = workers[name].read(plans[name].calls, plans[name].expected_s)
                    workers[name].pause()
                    medians[name].append(statistics.median(reading.ns))
    return medians


@contextmanager
def _noting(name: str, failures: dict[str, str], workers: Mapping[str, LatencyWorker]) -> Iterator[None]:
    """Note a failure, and end the worker that failed: its threads would run on beside the others."""
    try:
        yield
    except BenchsuiteError as error:
        failures[name] = str(error)
        if name in workers:
            workers[name].kill()


def against(reference: Readings, subject: Readings, seed: int = 0) -> Timed:
    """Return the median ratio over all rounds; the interval resamples launches, then the rounds of each."""
    logs = np.log(subject / reference)
    launches, rounds = logs.shape
    rng = np.random.default_rng(seed)
    drawn = rng.integers(launches, size=(_RESAMPLES, launches))
    within = rng.integers(rounds, size=(_RESAMPLES, launches, rounds))
    resampled = np.median(logs[drawn[..., None], within].reshape(_RESAMPLES, -1), axis=1)
    low, high = np.exp(np.quantile(resampled, (0.025, 0.975)))
    return Timed(float(np.median(subject)), float(np.exp(np.median(logs))), (float(low), float(high)))
