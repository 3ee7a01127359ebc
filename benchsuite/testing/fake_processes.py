"""Children that answer in this process: a real worker around a fake runtime, and a builder that builds nothing."""

from __future__ import annotations

import gc
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from benchsuite.backends import BACKENDS
from benchsuite.backends.interface import Backend
from benchsuite.data.shapes import NAMES, ShapesSpec, shapes_data
from benchsuite.machine import processes
from benchsuite.machine.cpu_times import CpuTimes
from benchsuite.machine.processes import Child, Handler
from benchsuite.measure.requests import Open
from benchsuite.measure.worker import Worker, handlers
from benchsuite.terms.codec import from_builtins
from benchsuite.terms.errors import BenchsuiteError, ProcessError
from benchsuite.testing.clock import FakeClock
from benchsuite.testing.fake_backend import FakeBackend

_CORES = 2
_WORKER, _BUILDER = "benchsuite.measure.worker", "benchsuite.artifacts.builder"


class FakeChild(Child):
    """Answers requests in this process, when they are received and not before."""

    def __init__(self, answers: Mapping[str, Handler]) -> None:
        self._answers = answers
        self._asked: list[dict[str, Any]] = []

    @property
    def pid(self) -> int:
        return os.getpid()

    def send(self, op: str, **arguments: Any) -> None:
        # As through a pipe: nothing but JSON gets across.
        self._asked.append(json.loads(json.dumps({"op": op, **arguments})))

    def receive(self, op: str, deadline_s: float) -> dict[str, Any]:
        request = self._asked.pop(0)
        try:
            answer: dict[str, Any] = json.loads(json.dumps(self._answers[request.pop("op")](request)))
        except BenchsuiteError as error:
            raise ProcessError(str(error)) from None
        return answer

    def close(self) -> None:
        self._asked.clear()

    kill = pause = resume = close


class FakeWorker:
    """A real worker whose runtime and clock are fake."""

    def __init__(self, runtimes: Mapping[str, FakeBackend]) -> None:
        self._runtimes = runtimes
        # Reading it takes a moment, or an injected slowdown would wait for ever.
        self._clock = FakeClock(tick_ns=1_000)
        self._opened: Open | None = None
        self._handlers = handlers(Worker(self._clock, lambda: 0, self._cpu_times))

    def answers(self) -> Mapping[str, Handler]:
        """Return what answers each request."""
        return {name: self._answering(name, handler) for name, handler in self._handlers.items()}

    def _cpu_times(self) -> CpuTimes:
        """Return what other programs have taken of two cores, by the fake clock."""
        assert self._opened is not None
        share = self._runtimes[self._opened.case.backend].others(self._opened.case)
        now_ns = self._clock.now_ns
        return CpuTimes(_CORES, round(now_ns * _CORES * share), 0, now_ns * _CORES)

    def _answering(self, name: str, handler: Handler) -> Handler:
        def answer(request: dict[str, Any]) -> dict[str, Any]:
            if name == "open":
                self._opened = from_builtins(request, Open)
            if self._opened is not None:
                runtime = self._runtimes[self._opened.case.backend]
                runtime.clock = self._clock
                reason = runtime.fails(self._opened.case, name)
                if reason is not None:
                    raise ProcessError(reason)
            # The parent's clock is a real one, and its windows must lie ahead.
            self._clock.now_ns = time.perf_counter_ns()
            return handler(request)

        return answer


def _describe(_: dict[str, Any]) -> dict[str, Any]:
    return {"names": list(NAMES), "params": 2_400_000, "gflops": 5.48, "heads": ["one2many", "end2end"]}


def _build(request: dict[str, Any]) -> dict[str, Any]:
    (Path(request["folder"]) / "model.fake").write_text(json.dumps(request["recipe"]))
    return {"peak_rss_bytes": 1}


@contextmanager
def fake_runtimes(*runtimes: FakeBackend) -> Iterator[None]:
    """Put fakes in the place of the runtimes of their names, their workers and their builder, within the context."""
    by_name = {runtime.name: runtime for runtime in runtimes}
    stand_ins: Mapping[str, Callable[[], Child]] = {
        _WORKER: lambda: FakeChild(FakeWorker(by_name).answers()),
        _BUILDER: lambda: FakeChild({"describe": _describe, "build": _build}),
    }
    table, before, collecting = cast("dict[str, Backend]", BACKENDS), dict(BACKENDS), gc.isenabled()
    table.update(by_name)
    processes.STAND_INS.update(stand_ins)
    try:
        yield
    finally:
        table.clear()
        table.update(before)
        for module in stand_ins:
            del processes.STAND_INS[module]
        # Workers switch it off for good.
        if collecting:
            gc.enable()


def draw_small_data(folder: Path) -> Path:
    """Draw four small pictures to evaluate and two to calibrate on, and return their data.yaml."""
    return shapes_data(folder, ShapesSpec(side_px=96, largest_px=24.0, train=1, val=4, calib=2))
