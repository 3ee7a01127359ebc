"""How quiet a machine was while something was timed: one measure and one wording, for runs and for the doctor."""

from __future__ import annotations

import math
import statistics
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from benchsuite.machine.cpu_times import STEAL, CpuTimes, read_cpu_times, ticks_by_cpu
from benchsuite.terms.absence import Absent
from benchsuite.terms.numbers import AtLeastOne, Count, Measure
from benchsuite.terms.said import Sentence, joined, said

# By a CPU's name: ticks that were stolen, and all ticks so far.
Ticks = Mapping[str, tuple[int, int]]
Level = Literal["quiet", "usable", "noisy", "unusable"]
Cause = Literal["programs", "host", "stop"]

# Of the usable cores. A quiet machine's own services take a hundredth, a busy neighbour a third and more.
_MOST_OF_OTHERS = 0.10
_MOST_STOLEN = 0.10
_LEVELS: tuple[tuple[float, Level], ...] = ((0.02, "quiet"), (0.05, "usable"), (0.25, "noisy"))
# A standard deviation from the median of absolute deviations, were they normal.
_TO_DEVIATION = 1.4826
NOT_TOLD = Absent("this system does not tell what other programs take")
_WINDOW_NS = 250_000_000
_NUMBERS = 4_000_000


@dataclass(frozen=True)
class Disturbance:
    """Why what was timed meanwhile does not count.

    `amount` is the share of the cores that other programs or virtual machines took, or for how many seconds this
    process or the whole machine stood still.
    """

    cause: Cause
    amount: Measure

    @property
    def sentence(self) -> Sentence:
        if self.cause == "stop":
            return said("the machine or this run stood still for {1} s", f"{self.amount:.0f}")
        took = "other programs took {1} of the cores"
        if self.cause == "host":
            took = "other virtual machines took {1} of the cores"
        return said(took, f"{self.amount:.0%}")


@dataclass(frozen=True)
class Noise:
    """How quiet the machine was; shares are of the cores that could be used.

    `spread` is by how much turns of one thing scatter, of the median thing if there were several. `disturbed` counts by
    the cause those of all turns that do not count. `others` is the median share that other programs took in turns that
    they disturbed, and where there are none, in all turns. `strangers` are the programs that computed most. Under
    contention too few turns count for anything to be proved.
    """

    spread: Measure
    turns: AtLeastOne
    disturbed: Mapping[str, Count]
    others: Measure | Absent
    most_stolen: Measure | Absent
    strangers: tuple[str, ...] = ()
    throttled: Count = 0
    contention: bool = False

    @property
    def level(self) -> Level:
        return next((level for most, level in _LEVELS if self.spread <= most), "unusable")

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """Say what the machine was like, and what that means for the figures."""
        means = "turns of one case spread by {1} %" if self.contention else _MEANS[self.level]
        found = [*self._contention(), said(means, f"{self.spread * 100:.1f}")]
        if self.throttled:
            found.append(said("the processor was throttled {1} times: cool it, or lower its clock", self.throttled))
        return tuple(found)

    def _contention(self) -> Iterable[Sentence]:
        causes = [self._cause(cause, turns) for cause, turns in self.disturbed.items() if turns]
        if causes:
            means = "under contention: {1}, so nothing is proved" if self.contention else _NOT_COUNTED
            yield said(means, joined("; ", causes))

    def _cause(self, cause: str, turns: int) -> Sentence:
        if cause == "stop":
            return said("the machine or this run stood still in {1} of {2} turns", turns, self.turns)
        took: float | Absent = self.most_stolen if cause == "host" else self.others
        share = "?" if isinstance(took, Absent) else f"{took * 100:.0f}"
        if cause == "host":
            found = "other virtual machines took up to {1} % of the cores, too much in {2} of {3} turns"
            return said(found, share, turns, self.turns)
        named = joined(", ", self.strangers)
        programs = said("other programs ({1})", named) if named else said("other programs")
        return said("{1} took {2} % of the cores in {3} of {4} turns", programs, share, turns, self.turns)


_NOT_COUNTED = "disturbed: {1}, which do not count"
_MEANS: Mapping[Level, str] = {
    "quiet": "quiet: turns of one case spread by {1} %",
    "usable": "usable: turns of one case spread by {1} %",
    "noisy": "noisy: turns of one case spread by {1} %; ratios hold, single milliseconds do not",
    "unusable": "unusable: turns of one case spread by {1} %; stop other programs, or take another machine",
}


def spread(times: Collection[float]) -> float:
    """Return by how much times scatter: a standard deviation of their logarithms that single bursts do not move."""
    logs = [math.log(value) for value in times]
    middle = statistics.median(logs)
    return _TO_DEVIATION * statistics.median(abs(log - middle) for log in logs)


def disturbance(others: float | None, stolen: float | None, cpus: int, threads: int) -> Disturbance | None:
    """Return why what was timed meanwhile does not count, told from shares of the cores, never from times.

    Where more cores are free than there are threads, others may have theirs.
    """
    if stolen is not None and stolen > _MOST_STOLEN:
        return Disturbance("host", stolen)
    if others is None or others <= _MOST_OF_OTHERS or others * cpus + min(threads, cpus) <= cpus:
        return None
    return Disturbance("programs", others)


def measure_noise(
    seconds: float,
    clock: Callable[[], int] = time.perf_counter_ns,
    cpu_times: Callable[[], CpuTimes | None] = read_cpu_times,
) -> Noise:
    """Repeat one piece of work on one core for that long, and tell how quiet the machine was."""
    import numpy as np

    numbers = np.random.default_rng(0).random(_NUMBERS, np.float32)
    result = np.empty_like(numbers)
    medians: list[float] = []
    others: list[float] = []
    stolen: list[float] = []
    disturbed = Counter[str]()
    start = clock()
    while not medians or clock() - start < seconds * 1e9:
        before, own_ns, began = cpu_times(), time.process_time_ns(), clock()
        calls: list[int] = []
        while not calls or clock() - began < _WINDOW_NS:
            call = clock()
            # Element by element, so that NumPy uses one thread whatever library it multiplies matrices with.
            np.exp(numbers, out=result)
            calls.append(clock() - call)
        after, own_ns = cpu_times(), time.process_time_ns() - own_ns
        medians.append(statistics.median(calls))
        if before is not None and after is not None:
            cores_ns = (clock() - began) * after.cpus
            others.append(max(0, after.busy_ns - before.busy_ns - own_ns) / cores_ns)
            stolen.append((after.stolen_ns - before.stolen_ns) / cores_ns)
            # Runs use all cores.
            if found := disturbance(others[-1], stolen[-1], after.cpus, after.cpus):
                disturbed[found.cause] += 1
    return Noise(
        spread=spread(medians),
        turns=len(medians),
        disturbed=dict(disturbed),
        others=statistics.median(others) if others else NOT_TOLD,
        most_stolen=max(stolen) if stolen else NOT_TOLD,
        contention=disturbed.total() > len(medians) / 2,
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
