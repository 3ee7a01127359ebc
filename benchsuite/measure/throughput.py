"""Images per second of saturated workers: its own run, never one over the latency."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack

from benchsuite.backends.interface import RunPolicy
from benchsuite.machine.nvml import free_bytes
from benchsuite.measure.effort import Effort
from benchsuite.measure.launch import Launch, WorkerSetup
from benchsuite.measure.measurement import Throughput, ThroughputPoint
from benchsuite.measure.requests import Saturated
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import ProcessError, SessionError
from benchsuite.terms.said import said

_START_DELAY_NS = 300_000_000
_DEADLINE_S = 300
# A GPU is full long before each core of the CPU has a process on it.
_GPU_STREAMS = (1, 2, 4)
# Workers take more while they run than when they have been loaded.
_GPU_RESERVE = 0.1


def splits(threads: int, on_gpu: bool = False) -> tuple[tuple[int, int], ...]:
    """Return (streams, threads each) that may be tried, the fewest streams first: every even split of all threads.

    On a GPU, up to four streams.
    """
    if on_gpu:
        return tuple((streams, threads // streams) for streams in _GPU_STREAMS if streams <= threads)
    return tuple((streams, threads // streams) for streams in range(1, threads + 1) if threads % streams == 0)


def measure_throughput(case: Case, setup: WorkerSetup, effort: Effort) -> tuple[Throughput, tuple[str, ...]]:
    """Saturate the case's threads, split in every way, or only in as many streams as there can be.

    Returns the best point, and a sentence for each that was left out because one of its streams did not start or end.
    Raises what kept the last from it where that left none.
    """
    every = splits(case.threads, case.on_gpu)
    sweep: list[ThroughputPoint] = []
    left_out: list[str] = []
    failure: ProcessError | SessionError | None = None
    for streams, threads in every if effort.full_sweep else reversed(every):
        try:
            sweep.append(_measure_split(case, setup, streams, threads, effort))
        except (ProcessError, SessionError) as error:
            left_out.append(said("throughput at {1} × {2} threads was left out: {3}", streams, threads, error))
            failure = error
            continue
        if not effort.full_sweep:
            break
    if failure is not None and not sweep:
        raise failure
    best = max(sweep, key=lambda point: point.images_per_s)
    return Throughput(best.images_per_s, best.streams, best.threads, tuple(sweep)), tuple(left_out)


def saturate(launches: Sequence[Launch], delay_ns: int, window_ns: int, deadline_s: float) -> tuple[Saturated, ...]:
    """Keep all workers busy at the same time, and return what each did within one common window."""
    start_ns = time.perf_counter_ns() + delay_ns
    for launch in launches:
        launch.send_saturate(start_ns, start_ns + window_ns)
    return tuple(launch.receive_saturated(deadline_s) for launch in launches)


def images_per_ns(answers: Sequence[Saturated], batch: int) -> float:
    """Add up the rates of workers that were saturated together."""
    return sum(answer.calls / (answer.last_ns - answer.first_ns) for answer in answers) * batch


def _check_room(more: int, before: int | Absent, after: int | Absent) -> None:
    """Raise SessionError where more workers like the one that was started in between do not fit the GPU's memory."""
    if isinstance(before, Absent) or isinstance(after, Absent):
        return
    each = max(0, before - after)
    if more * each > after * (1 - _GPU_RESERVE):
        raise SessionError(
            said(
                "each takes {1} MB of the GPU's memory, and {2} MB were free",
                *(f"{it / 1e6:.0f}" for it in (each, before)),
            )
        )


def _measure_split(case: Case, setup: WorkerSetup, streams: int, threads: int, effort: Effort) -> ThroughputPoint:
    with ExitStack() as stack:
        launches: list[Launch] = []

        def start(count: int) -> None:
            started = []
            for _ in range(count):
                launch = Launch(case, setup, RunPolicy(threads))
                stack.callback(launch.close)
                started.append(launch)
            for launch in started:
                launch.send_open()
            for launch in started:
                launch.receive_open()
            launches.extend(started)

        if setup.gpu and streams > 1:
            free = free_bytes(setup.gpu)
            start(1)
            _check_room(streams - 1, free, free_bytes(setup.gpu))
        start(streams - len(launches))
        for launch in launches:
            launch.send_warm_up(effort.warmup_cap_ns)
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
