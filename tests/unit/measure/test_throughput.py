"""How cores are split into streams, and what a stream that does not start costs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pytest

from benchsuite.artifacts.recipe import Artifact
from benchsuite.measure import throughput
from benchsuite.measure.effort import EFFORTS
from benchsuite.measure.launch import WorkerSetup
from benchsuite.measure.requests import Saturated
from benchsuite.measure.throughput import measure_throughput, splits
from benchsuite.terms.absence import Absent
from benchsuite.terms.errors import ProcessError
from benchsuite.testing import make_case, make_recipe


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
    opened: bool = field(default=False)

    @classmethod
    def start(cls, case: object, setup: object, policy: object) -> FakeLaunch:
        cls.running.append(cls())
        return cls.running[-1]

    def close(self) -> None:
        self.running.remove(self)

    def send_open(self) -> None:
        self.opened = True

    def receive_open(self) -> None:
        if len(self.running) > self.most:
            raise ProcessError("the worker died during 'open' by signal 9")

    def send_warm_up(self, effort: object) -> None: ...

    def receive_warm_up(self) -> None: ...

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


def test_stream_that_does_not_start_costs_its_point(
    launches: type[FakeLaunch], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other points of the sweep stand, and a sentence names what was left out and why; no worker is left."""
    monkeypatch.setattr(launches, "most", 2)
    found, left_out = measure_throughput(make_case(threads=4), setup(), EFFORTS["standard"])
    assert [point.streams for point in found.sweep] == [1, 2]
    assert (found.streams, found.images_per_s) == (2, 20.0)
    assert left_out == ("throughput at 4 × 1 threads was left out: the worker died during 'open' by signal 9",)
    assert launches.running == []


def test_quick_point_has_as_many_streams_as_start(launches: type[FakeLaunch], monkeypatch: pytest.MonkeyPatch) -> None:
    """The one point of a quick run has one thread a stream, or more where so many streams cannot be."""
    found, left_out = measure_throughput(make_case(threads=4), setup(), EFFORTS["quick"])
    assert ([(point.streams, point.threads) for point in found.sweep], left_out) == ([(4, 1)], ())
    monkeypatch.setattr(launches, "most", 1)
    found, left_out = measure_throughput(make_case(threads=4), setup(), EFFORTS["quick"])
    assert ([(point.streams, point.threads) for point in found.sweep], len(left_out)) == ([(1, 4)], 2)
    monkeypatch.setattr(launches, "most", 0)
    with pytest.raises(ProcessError, match="signal 9"):
        measure_throughput(make_case(threads=4), setup(), EFFORTS["quick"])


def test_streams_are_no_more_than_fit_the_gpu(launches: type[FakeLaunch], monkeypatch: pytest.MonkeyPatch) -> None:
    """After one worker has shown what it takes, no more are started than the free memory holds."""
    case = make_case(device="cuda:0", threads=16)
    found, left_out = measure_throughput(case, setup("GPU-1"), EFFORTS["standard"])
    assert [point.streams for point in found.sweep] == [1, 2]
    assert left_out == (
        "throughput at 4 × 4 threads was left out: each takes 3000 MB of the GPU's memory, and 10000 MB were free",
    )
    monkeypatch.setattr(throughput, "free_bytes", lambda uuid: Absent("NVML does not tell"))
    assert len(measure_throughput(case, setup("GPU-1"), EFFORTS["standard"])[0].sweep) == 3
