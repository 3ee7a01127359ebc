"""Images per second of saturated workers: its own run, never one over the latency."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack

from benchsuite.backends.interface import RunPolicy
from benchsuite.measure.effort import Effort
from benchsuite.measure.launch import Launch, WorkerSetup
from benchsuite.measure.measurement import Throughput, ThroughputPoint
from benchsuite.measure.requests import Saturated
from benchsuite.terms.cases import Case

_START_DELAY_NS = 300_000_000
_DEADLINE_S = 300


def splits(threads: int, full: bool) -> tuple[tuple[int, int], ...]:
    """Return (streams, threads each) that use all threads: every even split, or only one thread a stream."""
    every = tuple((streams, threads // streams) for streams in range(1, threads + 1) if threads % streams == 0)
    return every if full else every[-1:]


def measure_throughput(case: Case, setup: WorkerSetup, effort: Effort) -> Throughput:
    """Saturate the case's threads, split in every way that the effort asks for, and return the best point."""
    sweep = tuple(
        _measure_split(case, setup, streams, threads, effort)
        for streams, threads in splits(case.threads, effort.full_sweep)
    )
    best = max(sweep, key=lambda point: point.images_per_s)
    return Throughput(best.images_per_s, best.streams, best.threads, sweep)


def saturate(launches: Sequence[Launch], delay_ns: int, window_ns: int, deadline_s: float) -> tuple[Saturated, ...]:
    """Keep all workers busy at the same time, and return what each did within one common window."""
    start_ns = time.perf_counter_ns() + delay_ns
    for launch in launches:
        launch.send_saturate(start_ns, start_ns + window_ns)
    return tuple(launch.receive_saturated(deadline_s) for launch in launches)


def images_per_ns(answers: Sequence[Saturated], batch: int) -> float:
    """Add up the rates of workers that were saturated together."""
    return sum(answer.calls / (answer.last_ns - answer.first_ns) for answer in answers) * batch


def _measure_split(case: Case, setup: WorkerSetup, streams: int, threads: int, effort: Effort) -> ThroughputPoint:
    with ExitStack() as stack:
        launches = []
        for _ in range(streams):
            launch = Launch(case, setup, RunPolicy(threads))
            stack.callback(launch.close)
            launches.append(launch)
        for launch in launches:
            launch.send_open()
        for launch in launches:
            launch.receive_open()
        for launch in launches:
            launch.send_warm_up(effort)
        for launch in launches:
            launch.receive_warm_up()
        window_ns = effort.throughput_ns
        answers = saturate(launches, _START_DELAY_NS, window_ns, _DEADLINE_S + window_ns / 1e9)
    return ThroughputPoint(
        streams=streams,
        threads=threads,
        images_per_s=images_per_ns(answers, case.batch) * 1e9,
        images=sum(answer.calls for answer in answers) * case.batch,
        window_ns=window_ns,
    )
