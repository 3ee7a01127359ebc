"""One case being measured here: a worker is started when it is first needed, and each step is taken once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

from benchsuite.backends.interface import Ran, RunPolicy
from benchsuite.backends.proof import contradiction
from benchsuite.detect.parity import Parity, compare
from benchsuite.measure.accuracy import Evaluation, evaluate_once
from benchsuite.measure.accuracy_loss import Losses
from benchsuite.measure.case_run import Subject
from benchsuite.measure.launch import Launch
from benchsuite.measure.measurement import (
    ON_CPU,
    AccuracyLoss,
    Cold,
    Complexity,
    Latency,
    Memory,
    Metrics,
    Throughput,
)
from benchsuite.measure.throughput import Saturation, measure_throughput
from benchsuite.measure.timed_case import TimedCase, time_alone
from benchsuite.terms.absence import NOT_SELECTED, Absent
from benchsuite.terms.errors import BenchsuiteError, ProcessError, SessionError
from benchsuite.terms.said import said

T = TypeVar("T")
_REFERENCE = "torch fp32"


@dataclass(frozen=True)
class Compared:
    """What holding the detections against the reference's told."""

    parity: Parity | Absent
    loss: AccuracyLoss | Absent


class LiveRun:
    """Measures one subject; a failure is kept and raised again by every step that was not taken before it.

    `together` is what timing by turns with others told of it, or why that failed, and `saturation` its throughput by
    turns; without, both are measured alone when they are asked for. `calibrated_on` of the evaluated images set the
    artifact's INT8 ranges.
    """

    def __init__(
        self,
        subject: Subject,
        reference: Callable[[], Evaluation],
        losses: Losses,
        calibrated_on: int = 0,
        together: TimedCase | Absent | None = None,
        saturation: Saturation | None = None,
    ) -> None:
        self.subject = subject
        self._together = together
        self._saturation = saturation
        self._losses = losses
        self._calibrated_on = calibrated_on
        self.failure: str | None = None
        self.notes: tuple[str, ...] = ()
        self._reference = reference
        self._launch: Launch | None = None
        self._cold: Cold | None = None
        self._taken: dict[str, object] = {}

    def latency(self) -> Latency:
        return self._once(self._timed).latency

    def memory(self) -> Memory:
        return self._once(self._timed).memory

    def cold(self) -> Cold:
        return self._once(self._started)

    def throughput(self) -> Throughput:
        return self._once(self._saturated)

    def evaluation(self) -> Evaluation:
        return self._once(self._evaluated)

    def parity(self) -> Parity | Absent:
        return self._once(self._compared).parity

    def complexity(self) -> Complexity:
        return self.subject.complexity

    def ran(self) -> Ran:
        return self._once(self._proved)

    def account(self) -> Ran:
        return self._once(self._told)

    def proof(self) -> Ran | Absent:
        unknown = Absent(self.failure) if self.failure else NOT_SELECTED
        return self._known(self._proved) or self._known(self._told) or unknown

    def metrics(self) -> Metrics:
        timed, evaluation = self._known(self._timed), self._known(self._evaluated)
        compared = self._known(self._compared)
        return Metrics(
            latency=timed.latency if timed else NOT_SELECTED,
            cold=(timed.cold if timed else self._cold) or NOT_SELECTED,
            throughput=self._known(self._saturated) or NOT_SELECTED,
            memory=timed.memory if timed else NOT_SELECTED,
            complexity=self.subject.complexity,
            accuracy=evaluation.accuracy if evaluation else NOT_SELECTED,
            parity=compared.parity if compared else NOT_SELECTED,
            loss=compared.loss if compared else NOT_SELECTED,
            gpu=(timed.gpu if timed else NOT_SELECTED) if self.subject.case.on_gpu else ON_CPU,
        )

    def close(self) -> None:
        if self._launch is not None:
            self._launch.close()
            self._launch = None

    def _once(self, step: Callable[[], T]) -> T:
        """Return what a step gave when it was taken, or take it."""
        name = step.__name__
        if name not in self._taken:
            if self.failure is not None:
                raise SessionError(self.failure)
            try:
                self._taken[name] = step()
            except (ProcessError, SessionError) as error:
                self.failure = str(error)
                raise SessionError(self.failure) from None
        return cast("T", self._taken[name])

    def _known(self, step: Callable[[], T]) -> T | None:
        return cast("T | None", self._taken.get(step.__name__))

    def _opened(self) -> Launch:
        if self._launch is None:
            self._launch = Launch(self.subject.case, self.subject.setup, RunPolicy(self.subject.case.threads))
            self._cold = self._launch.open()
        return self._launch

    def _started(self) -> Cold:
        # The worker that was timed, if one was, had nothing else to do.
        if self._is_timed():
            return self._once(self._timed).cold
        self._opened()
        assert self._cold is not None
        return self._cold

    def _is_timed(self) -> bool:
        return self._together is not None or self._known(self._timed) is not None

    def _timed(self) -> TimedCase:
        timed = self._together if self._together is not None else time_alone(self.subject)
        if isinstance(timed, Absent):
            raise SessionError(timed.reason)
        self.notes += timed.oddities
        return timed

    def _saturated(self) -> Throughput:
        it = self.subject
        found = self._saturation or measure_throughput({"": (it.case, it.setup)}, it.effort)[""]
        self.notes += found.notes
        if isinstance(found.throughput, Absent):
            raise SessionError(found.throughput.reason)
        return found.throughput

    def _evaluated(self) -> Evaluation:
        it = self.subject
        found = evaluate_once(
            it.case, it.setup.artifact, it.names, it.data, it.machine, it.setup.cache_root, self._opened
        )
        self.notes += found.notes
        return found

    def _compared(self) -> Compared:
        candidate = self.evaluation()
        try:
            reference = self._reference()
        except BenchsuiteError as error:
            # Whatever became of the reference, this case's other figures are what they are.
            unknown = Absent(said("no reference detections: {1}", error))
            return Compared(unknown, unknown)
        self.notes += reference.notes
        parity = compare(reference.detections, candidate.detections, self.subject.names, _REFERENCE)
        return Compared(parity, self._losses.of(candidate, reference, _REFERENCE, self._calibrated_on))

    def _told(self) -> Ran:
        if not self._is_timed():
            return self._opened().ran()
        ran = self._once(self._timed).ran
        if isinstance(ran, Absent):
            raise SessionError(ran.reason)
        return ran

    def _proved(self) -> Ran:
        ran = self.account()
        conflict = contradiction(self.subject.case, ran)
        if conflict:
            raise SessionError(conflict)
        return ran
