"""How cores are split into streams, and what a stream that does not start costs."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pytest

from benchsuite.artifacts.recipe import Artifact
from benchsuite.machine.cpu_times import CpuTimes
from benchsuite.machine.stops import Stops
from benchsuite.measure import throughput
from benchsuite.measure.effort import EFFORTS
from benchsuite.measure.launch import WorkerSetup
from benchsuite.measure.measurement import Cold, Throughput
from benchsuite.measure.requests import Saturated
from benchsuite.measure.throughput import Saturation, measure_throughput, splits
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import ProcessError
from benchsuite.testing import FakeClock, make_case, make_recipe


def test_every_split_uses_all_threads() -> None:
    """A sweep has every even split, from one stream with all threads to one thread a stream."""
    assert splits(8) == ((1, 8), (2, 4), (4, 2), (8, 1))
    assert splits(1) == ((1, 1),)


def test_gpu_has_few_streams_however_many_cores_there_are() -> None:
    """A process on each of 64 cores would ask a GPU for 64 contexts."""
    assert splits(64, on_gpu=True) == ((1, 64), (2, 32), (4, 16))
    assert splits(1, on_gpu=True) == ((1, 1),)


@dataclass
class FakeLaunch:
    """Stands for a worker, of which only so many can be; each takes 3 GB of a GPU of 10 GB."""

    running: ClassVar[list[FakeLaunch]] = []
    most: ClassVar[int] = 100
    case: str = ""
    opened: bool = field(default=False)

    @classmethod
    def start(cls, case: Case, setup: object, policy: object) -> FakeLaunch:
        cls.running.append(cls(case.model))
        return cls.running[-1]

    @property
    def pid(self) -> int:
        return os.getpid()

    def kill(self) -> None:
        if self in self.running:
            self.running.remove(self)

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def send_open(self) -> None:
        self.opened = True

    def receive_open(self) -> Cold:
        if len(self.running) > self.most:
            raise ProcessError("the worker died during 'open' by signal 9")
        return Cold(1, 1, 1_000_000)

    def send_warm_up(self, cap_ns: int) -> None: ...

    def receive_warm_up(self) -> int:
        return 10

    def send_saturate(self, start_ns: int, stop_ns: int) -> None: ...

    def receive_saturated(self, deadline_s: float) -> Saturated:
        return Saturated(10, 0, 1_000_000_000)


@pytest.fixture
def launches(monkeypatch: pytest.MonkeyPatch) -> type[FakeLaunch]:
    """Let fakes take the place of workers."""
    monkeypatch.setattr(throughput, "Launch", FakeLaunch.start)
    monkeypatch.setattr(FakeLaunch, "running", [])
    monkeypatch.setattr(throughput, "free_bytes", lambda uuid: 10**10 - 3 * 10**9 * len(FakeLaunch.running))
    return FakeLaunch


def setup(gpu: str = "") -> WorkerSetup:
    return WorkerSetup(Artifact(make_recipe(), "folder", "0" * 64, 1), (), Path("cache"), Path("log"), gpu=gpu)


def _measured(case: Case, facts: WorkerSetup, effort: str) -> tuple[Throughput, tuple[str, ...]]:
    found = measure_throughput({"": (case, facts)}, EFFORTS[effort])[""]
    assert not isinstance(found.throughput, Absent)
    return found.throughput, found.notes


def test_stream_that_does_not_start_costs_its_point(
    launches: type[FakeLaunch], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other points of the sweep stand, and a sentence names what was left out and why; no worker is left."""
    monkeypatch.setattr(launches, "most", 2)
    found, left_out = _measured(make_case(threads=4), setup(), "standard")
    assert [point.streams for point in found.sweep] == [1, 2]
    assert (found.streams, found.images_per_s) == (2, pytest.approx(20.0))
    assert left_out == ("throughput at 4 × 1 threads was left out: the worker died during 'open' by signal 9",)
    assert launches.running == []


def test_quick_point_has_as_many_streams_as_start(launches: type[FakeLaunch], monkeypatch: pytest.MonkeyPatch) -> None:
    """The one point of a quick run has one thread a stream, or more where so many streams cannot be."""
    found, left_out = _measured(make_case(threads=4), setup(), "quick")
    assert ([(point.streams, point.threads) for point in found.sweep], left_out) == ([(4, 1)], ())
    monkeypatch.setattr(launches, "most", 1)
    found, left_out = _measured(make_case(threads=4), setup(), "quick")
    assert ([(point.streams, point.threads) for point in found.sweep], len(left_out)) == ([(1, 4)], 2)
    monkeypatch.setattr(launches, "most", 0)
    saturation = measure_throughput({"": (make_case(threads=4), setup())}, EFFORTS["quick"])[""]
    assert saturation == Saturation(Absent("the worker died during 'open' by signal 9"))


def test_streams_are_no_more_than_fit_the_gpu(launches: type[FakeLaunch], monkeypatch: pytest.MonkeyPatch) -> None:
    """After one worker has shown what it takes, no more are started than the free memory holds."""
    case = make_case(device="cuda:0", threads=16)
    found, left_out = _measured(case, setup("GPU-1"), "standard")
    assert [point.streams for point in found.sweep] == [1, 2]
    assert left_out == (
        "throughput at 4 × 4 threads was left out: each takes 3000 MB of the GPU's memory, and 10000 MB were free",
    )
    monkeypatch.setattr(throughput, "free_bytes", lambda uuid: Absent("NVML does not tell"))
    assert len(_measured(case, setup("GPU-1"), "standard")[0].sweep) == 3


def test_windows_of_several_cases_take_turns(launches: type[FakeLaunch], monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a split each case has a window a round; one that fails costs its own point."""
    order: list[object] = []

    def receive(self: FakeLaunch, deadline_s: float) -> Saturated:
        order.append(self.case)
        if self.case == "dies" and order.count("dies") > 1:
            raise ProcessError("killed")
        return Saturated(20 if self.case == "fast" else 10, 0, 1_000_000_000)

    monkeypatch.setattr(launches, "receive_saturated", receive)
    cases = {name: (make_case(model=name, threads=1), setup()) for name in ("fast", "slow", "dies")}
    told: list[tuple[int, int]] = []
    found = measure_throughput(cases, EFFORTS["quick"], lambda done, of: told.append((done, of)))
    rates = {name: it.throughput if isinstance(it.throughput, Absent) else it.throughput.images_per_s
             for name, it in found.items()}  # fmt: skip
    assert rates == {"fast": pytest.approx(20.0), "slow": pytest.approx(10.0), "dies": Absent("killed")}
    assert sorted(order[:3], key=str) == ["dies", "fast", "slow"]
    assert order.count("fast") == order.count("slow") == 2
    assert told == [(3, 3)]
    assert launches.running == []


def test_a_window_beside_other_programs_does_not_count(
    launches: type[FakeLaunch], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where others took the cores in all windows, the rate is kept, with a note that says so."""
    clock = FakeClock(tick_ns=1_000_000)

    def busy() -> CpuTimes:
        return CpuTimes(2, round(0.5 * 2 * clock.now_ns), 0, 2 * clock.now_ns)

    monkeypatch.setattr(throughput, "read_cpu_times", busy)
    monkeypatch.setattr(throughput, "cpu_ns_of", lambda pids: 0)
    monkeypatch.setattr(throughput.time, "perf_counter_ns", clock)
    found, notes = _measured(make_case(threads=2), setup(), "quick")
    assert found.images_per_s == pytest.approx(20.0)
    assert notes == ("throughput at 2 × 1 threads was taken while other programs took 50% of the cores",)


def test_a_window_in_which_all_stood_still_does_not_count(
    launches: type[FakeLaunch], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that was stopped by a signal did nothing meanwhile; its other windows tell the rate."""
    rates = iter([2, 20])

    class OnceStopped(Stops):
        """Stands for a watch that saw a stop in the first window."""

        stopped = iter([20.0, 0.0])

        def stood_s(self, began_ns: int, ended_ns: int) -> float:
            return next(self.stopped)

    monkeypatch.setattr(throughput, "Stops", OnceStopped)
    monkeypatch.setattr(launches, "receive_saturated", lambda self, _: Saturated(next(rates), 0, 1_000_000_000))
    found, notes = _measured(make_case(threads=1), setup(), "quick")
    assert found.images_per_s == pytest.approx(20.0)
    assert notes == ()
