"""Images per second of saturated workers: its own run, never one over the latency, and by turns with other cases."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from benchsuite.backends.interface import RunPolicy
from benchsuite.machine.cpu_times import read_cpu_times
from benchsuite.machine.memory import available_bytes, cpu_ns_of
from benchsuite.machine.noise import Disturbance, disturbance
from benchsuite.machine.nvml import free_bytes
from benchsuite.machine.stops import Stops
from benchsuite.measure.effort import Effort
from benchsuite.measure.launch import Launch, WorkerSetup
from benchsuite.measure.measurement import Throughput, ThroughputPoint
from benchsuite.measure.requests import Saturated
from benchsuite.measure.saturation import images_per_ns, saturate
from benchsuite.measure.turns import MEMORY_SHARE
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import ProcessError, SessionError
from benchsuite.terms.said import Sentence, joined, said

_WINDOW_NS = 500_000_000
# Several calls of each stream must end within a window.
_CALLS_IN_A_WINDOW = 6
_START_DELAY_NS = 30_000_000
_DEADLINE_S = 300
# A GPU is full long before each core of the CPU has a process on it.
_GPU_STREAMS = (1, 2, 4)
# Workers take more while they run than when they have been loaded.
_GPU_RESERVE = 0.1
_FAILURES = (ProcessError, SessionError)


@dataclass(frozen=True)
class Saturation:
    """The throughput of one case, or why it has none, and a sentence for each point or window that was left out."""

    throughput: Throughput | Absent
    notes: tuple[Sentence, ...] = ()


def splits(threads: int, on_gpu: bool = False) -> tuple[tuple[int, int], ...]:
    """Return (streams, threads each) that may be tried, the fewest streams first: every even split of all threads.

    On a GPU, up to four streams.
    """
    if on_gpu:
        return tuple((streams, threads // streams) for streams in _GPU_STREAMS if streams <= threads)
    return tuple((streams, threads // streams) for streams in range(1, threads + 1) if threads % streams == 0)


def measure_throughput(
    cases: Mapping[str, tuple[Case, WorkerSetup]], effort: Effort, show: Callable[[int, int], None] = lambda *_: None
) -> Mapping[str, Saturation]:
    """Saturate the threads of cases that may be ranked against each other, window by window in turns.

    Threads are split in every way, or only in as many streams as there can be. `show` is told how many points of how
    many have been taken.
    """
    sweeps = {name: _Sweep(case, setup) for name, (case, setup) in cases.items()}
    first = next(iter(cases.values()))[0]
    every = splits(first.threads, first.on_gpu)
    done, rng = 0, random.Random(0)
    for streams, threads in every if effort.full_sweep else reversed(every):
        left = [name for name, sweep in sweeps.items() if effort.full_sweep or not sweep.points]
        while left:
            taken = _take_point({name: sweeps[name] for name in left}, streams, threads, effort, rng)
            left = [name for name in left if name not in taken]
            done += len(taken)
            show(done, len(cases) * (len(every) if effort.full_sweep else 1))
    return {name: sweep.saturation() for name, sweep in sweeps.items()}


@dataclass
class _Sweep:
    """The points of one case so far, and what was left out."""

    case: Case
    setup: WorkerSetup
    points: list[ThroughputPoint] = field(default_factory=list)
    notes: list[Sentence] = field(default_factory=list)
    failure: str = ""

    def leave_out(self, streams: int, threads: int, error: Exception) -> None:
        self.failure = str(error)
        self.notes.append(said("throughput at {1} × {2} threads was left out: {3}", streams, threads, error))

    def saturation(self) -> Saturation:
        if not self.points:
            return Saturation(Absent(self.failure))
        best = max(self.points, key=lambda point: point.images_per_s)
        throughput = Throughput(best.images_per_s, best.streams, best.threads, tuple(self.points))
        return Saturation(throughput, tuple(self.notes))


class _Streams:
    """The workers of one case at one split, stopped but for their windows."""

    def __init__(self, launches: Sequence[Launch], window_ns: int) -> None:
        self.launches = launches
        self.window_ns = window_ns
        # Of each window: its answers, and why it does not count.
        self.windows: list[tuple[tuple[Saturated, ...], Disturbance | None]] = []

    def take_window(self, threads: int, stops: Stops) -> None:
        """Let the streams run for one window, and watch what else runs meanwhile."""
        for launch in self.launches:
            launch.resume()
        pids = [launch.pid for launch in self.launches]
        before, own_ns, began = read_cpu_times(), cpu_ns_of(pids), time.perf_counter_ns()
        delay_ns = max(_START_DELAY_NS, self.window_ns // _CALLS_IN_A_WINDOW)
        answers = saturate(self.launches, delay_ns, self.window_ns, _DEADLINE_S + 20 * self.window_ns / 1e9)
        after, own_ns, lasted = read_cpu_times(), cpu_ns_of(pids) - own_ns, time.perf_counter_ns() - began
        for launch in self.launches:
            launch.pause()
        stood_s = stops.stood_s(began, began + lasted)
        why = Disturbance("stop", stood_s) if stood_s else None
        if why is None and before is not None and after is not None:
            cores_ns = lasted * after.cpus
            others = max(0, after.busy_ns - before.busy_ns - own_ns) / cores_ns
            why = disturbance(others, (after.stolen_ns - before.stolen_ns) / cores_ns, after.cpus, threads)
        self.windows.append((answers, why))


def _take_point(
    sweeps: Mapping[str, _Sweep], streams: int, threads: int, effort: Effort, rng: random.Random
) -> Collection[str]:
    """Take one point of as many cases as memory holds, one at least; return which of them are done with it."""
    loaded: dict[str, _Streams] = {}
    tried: list[str] = []
    free, room = available_bytes(), MEMORY_SHARE
    with Stops() as stops, ExitStack() as stack:
        for name, sweep in sweeps.items():
            if loaded and free - available_bytes() > room * free * len(loaded) / (len(loaded) + 1):
                break
            tried.append(name)
            with _noting(sweep, streams, threads):
                loaded[name] = _load(sweep, streams, threads, effort, stack)
        for _ in range(max(1, effort.throughput_ns // _WINDOW_NS)):
            for name in rng.sample(list(loaded), len(loaded)):
                with _noting(sweeps[name], streams, threads, loaded, name):
                    loaded[name].take_window(streams * threads, stops)
    for name, it in loaded.items():
        _add_point(sweeps[name], streams, threads, it)
    return tried


def _add_point(sweep: _Sweep, streams: int, threads: int, taken: _Streams) -> None:
    counted = [answers for answers, why in taken.windows if not why]
    if not counted:
        counted = [answers for answers, _ in taken.windows]
        while_ = joined("; ", dict.fromkeys(why.sentence for _, why in taken.windows if why))
        sweep.notes.append(said("throughput at {1} × {2} threads was taken while {3}", streams, threads, while_))
    rates = [images_per_ns(answers, sweep.case.batch) for answers in counted]
    sweep.points.append(
        ThroughputPoint(
            streams=streams,
            threads=threads,
            images_per_s=statistics.fmean(rates) * 1e9,
            images=sum(answer.calls for answers in counted for answer in answers) * sweep.case.batch,
            window_ns=taken.window_ns * len(counted),
        )
    )


@contextmanager
def _noting(
    sweep: _Sweep, streams: int, threads: int, loaded: dict[str, _Streams] | None = None, name: str = ""
) -> Iterator[None]:
    """Note why a case has no such point, and end its workers, which would run on beside the others."""
    try:
        yield
    except _FAILURES as error:
        sweep.leave_out(streams, threads, error)
        if loaded is not None:
            for launch in loaded.pop(name).launches:
                launch.kill()


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


def _load(sweep: _Sweep, streams: int, threads: int, effort: Effort, stack: ExitStack) -> _Streams:
    """Start the workers of a case, warm them up and stop them."""
    launches: list[Launch] = []

    def start(count: int) -> None:
        started = []
        for _ in range(count):
            launch = Launch(sweep.case, sweep.setup, RunPolicy(threads))
            stack.callback(launch.kill)
            started.append(launch)
        launches.extend(started)
        for launch in started:
            launch.send_open()
        for launch in started:
            launch.receive_open()

    try:
        if sweep.setup.gpu and streams > 1:
            free = free_bytes(sweep.setup.gpu)
            start(1)
            _check_room(streams - 1, free, free_bytes(sweep.setup.gpu))
        start(streams - len(launches))
        began = time.perf_counter_ns()
        for launch in launches:
            launch.send_warm_up(effort.warmup_cap_ns)
        calls = min(launch.receive_warm_up() for launch in launches)
        call_ns = (time.perf_counter_ns() - began) // calls
        for launch in launches:
            launch.pause()
    except _FAILURES:
        for launch in launches:
            launch.kill()
        raise
    return _Streams(launches, max(_WINDOW_NS, _CALLS_IN_A_WINDOW * call_ns))
