"""Images per second of saturated workers: its own run, never one over the latency."""

from __future__ import annotations

import time
from contextlib import ExitStack

from benchsuite.backends.interface import RunPolicy
from benchsuite.measure.effort import Effort
from benchsuite.measure.launch import Launch, WorkerSetup
from benchsuite.measure.measurement import Throughput, ThroughputPoint
from benchsuite.terms.cases import Case
from benchsuite.terms.codec import to_builtins

_START_DELAY_NS = 300_000_000
_DEADLINE_S = 300


def splits(threads: int, full: bool) -> tuple[tuple[int, int], ...]:
    """Return (streams, threads each) that use all threads: every even split, or only one thread a stream."""
    every = tuple((streams, threads // streams) for streams in range(1, threads + 1) if threads % streams == 0)
    return every if full else every[-1:]


def measure_throughput(case: Case, setup: WorkerSetup, effort: Effort) -> Throughput:
    """Saturate the case's threads, split in every way that the effort asks for, and return the best point."""
    sweep = tuple(
        saturate(case, setup, streams, threads, effort) for streams, threads in splits(case.threads, effort.full_sweep)
    )
    best = max(sweep, key=lambda point: point.images_per_s)
    return Throughput(best.images_per_s, best.streams, best.threads, sweep)


def saturate(case: Case, setup: WorkerSetup, streams: int, threads: int, effort: Effort) -> ThroughputPoint:
    """Run one worker a stream, all at the same time, and add up their rates within one common window."""
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
            launch.send("warm_up", effort=to_builtins(effort))
        for launch in launches:
            launch.receive("warm_up", _DEADLINE_S)
        start_ns = time.perf_counter_ns() + _START_DELAY_NS
        stop_ns = start_ns + effort.throughput_ns
        for launch in launches:
            launch.send("saturate", start_ns=start_ns, stop_ns=stop_ns)
        answers = [launch.receive("saturate", _DEADLINE_S + effort.throughput_ns / 1e9) for launch in launches]
    rate = sum(answer["calls"] / (answer["last_ns"] - answer["first_ns"]) for answer in answers)
    return ThroughputPoint(
        streams=streams,
        threads=threads,
        images_per_s=rate * 1e9 * case.batch,
        images=sum(answer["calls"] for answer in answers) * case.batch,
        window_ns=effort.throughput_ns,
    )
