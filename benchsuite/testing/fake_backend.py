"""A runtime that computes nothing: it takes as long as it is told to, by a clock that it moves itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

import numpy as np

from benchsuite.backends.interface import ArtifactChoices, ArtifactNeed, DeviceTimes, FloatArray, Ran, RunPolicy
from benchsuite.data.shapes import NAMES
from benchsuite.machine.facts import Machine
from benchsuite.terms.cases import PRECISIONS, Case
from benchsuite.testing.clock import FakeClock

_STRIDES = (8, 16, 32)
_END2END_BOXES = 300


@dataclass
class FakeBackend:
    """Stands for the runtime of its name; `call_ms` says how long a call of a case takes, with `jitter` around it.

    `refuses` says why a case cannot run, `fails` why a request of its worker ends in an error; None where it does not.
    Its device notes `device_times` of every call, where it has any. Beside its calls, other programs take the share
    `others` of all cores. Where it `finds` nothing, its output is empty.
    """

    name: str
    call_ms: Callable[[Case], float] = lambda _: 20.0
    jitter: float = 0.01
    refuses: Callable[[Case], str | None] = lambda _: None
    fails: Callable[[Case, str], str | None] = lambda _case, _request: None
    packages: tuple[str, ...] = ("numpy",)
    substitutes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    gpu_only: bool = False
    default_device: str = "cpu"
    threads_change_results: bool = False
    start_s: float = 0.01
    colour: str = "#56B4E9"
    ways: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    tools: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: dict.fromkeys(PRECISIONS, ("numpy",)))
    made_from: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    device_times: DeviceTimes | None = None
    others: Callable[[Case], float] = lambda _: 0.0
    finds: Callable[[Case], bool] = lambda _: True
    # That of the worker which answers now.
    clock: FakeClock = field(default_factory=FakeClock)
    opened: int = 0

    def why_not(self, case: Case, machine: Machine) -> str | None:
        """Say why the case is refused, if it is."""
        return self.refuses(case)

    def need(self, case: Case, machine: Machine, choices: ArtifactChoices) -> ArtifactNeed:
        """Return an artifact for each precision."""
        scheme = self.schemes[0] if self.schemes and case.precision == "int8" else ""
        return ArtifactNeed(self.name, case.precision, scheme, False, self.tools[case.precision])

    def slow_to_load(self, case: Case) -> bool:
        """Say that loading takes no time."""
        return False

    def modules(self, artifact: Path) -> tuple[str, ...]:
        """Name no module."""
        return ()

    def open(self, artifact: Path, case: Case, policy: RunPolicy) -> FakeSession:
        """Return a session whose durations are drawn by the case and by how many sessions there were before."""
        self.opened += 1
        seed = crc32(case.id.encode()) + self.opened
        rng = np.random.default_rng(seed)
        output = _output(case) * np.float32(self.finds(case))
        if self.device_times is None:
            return FakeSession(case, self.call_ms(case), self.jitter, self.clock, rng, output)
        return FakeMarkedSession(case, self.call_ms(case), self.jitter, self.clock, rng, output, self.device_times)


class FakeSession:
    """Finds the same box in every image."""

    def __init__(
        self,
        case: Case,
        call_ms: float,
        jitter: float,
        clock: FakeClock,
        rng: np.random.Generator,
        output: FloatArray,
    ) -> None:
        self._case = case
        self._call_ns = call_ms * 1e6
        self._jitter = jitter
        self._clock = clock
        self._rng = rng
        self._output = output

    def run(self, batch: FloatArray) -> FloatArray:
        """Let a call's time pass."""
        self._clock.advance(round(self._call_ns * float(np.exp(self._rng.normal(0.0, self._jitter)))))
        return self._output

    def ran(self) -> Ran:
        """Say that what the case names is what ran."""
        share = 1.0 if self._case.precision == "int8" else None
        ran = Ran(f"fake {self._case.backend}", self._case.precision, self._case.precision, {"FakeConv": 1})
        return ran if share is None else Ran(ran.runtime, ran.compute, ran.storage, ran.kernels, {}, share)


class FakeMarkedSession(FakeSession):
    """Runs on a device that notes the same times for every call."""

    def __init__(
        self,
        case: Case,
        call_ms: float,
        jitter: float,
        clock: FakeClock,
        rng: np.random.Generator,
        output: FloatArray,
        times: DeviceTimes,
    ) -> None:
        super().__init__(case, call_ms, jitter, clock, rng, output)
        self._times = times

    def run_marked(self, batch: FloatArray) -> DeviceTimes:
        """Return what the device noted."""
        return self._times


def _output(case: Case) -> FloatArray:
    """Return one box of class 0 in the middle of the input."""
    height, width = case.imgsz.shape
    if case.head == "end2end":
        boxes = np.zeros((case.batch, _END2END_BOXES, 6), np.float32)
        boxes[:, 0] = (width * 0.4, height * 0.4, width * 0.6, height * 0.6, 0.9, 0)
        return boxes
    anchors = sum((height // stride) * (width // stride) for stride in _STRIDES)
    output = np.zeros((case.batch, 4 + len(NAMES), anchors), np.float32)
    output[:, :5, 0] = (width * 0.5, height * 0.5, width * 0.2, height * 0.2, 0.9)
    return output
