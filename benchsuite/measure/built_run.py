"""A case that is built here and cannot be run: the ONNX file behind its engine stands in where boxes are counted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchsuite.backends.interface import Ran
from benchsuite.backends.proof import contradiction
from benchsuite.backends.tensorrt.engine_files import read_account
from benchsuite.detect.parity import Parity
from benchsuite.measure.accuracy import Evaluation
from benchsuite.measure.case_run import CaseRun, Subject
from benchsuite.measure.measurement import Cold, Complexity, Latency, Memory, Metrics, Throughput
from benchsuite.terms.absence import NOT_SELECTED, Absent
from benchsuite.terms.errors import NotRunError, SessionError


class BuiltRun:
    """Measures what can be known of an engine that does not run here; all else raises NotRunError with the reason.

    `stand_in` runs what is evaluated in its place, absent where nothing here runs that either.
    """

    def __init__(self, subject: Subject, reason: str, stand_in: CaseRun | Absent) -> None:
        self.subject = subject
        self._reason = reason
        self._stand_in = stand_in
        self._proof: Ran | None = None
        self._conflict: str | None = None

    @property
    def failure(self) -> str | None:
        return self._conflict or (None if isinstance(self._stand_in, Absent) else self._stand_in.failure)

    def latency(self) -> Latency:
        raise NotRunError(self._reason)

    def memory(self) -> Memory:
        raise NotRunError(self._reason)

    def cold(self) -> Cold:
        raise NotRunError(self._reason)

    def throughput(self) -> Throughput:
        raise NotRunError(self._reason)

    def evaluation(self) -> Evaluation:
        return self._standing_in().evaluation()

    def parity(self) -> Parity | Absent:
        return self._standing_in().parity()

    def complexity(self) -> Complexity:
        return self.subject.complexity

    def ran(self) -> Ran:
        if self._proof is None and self.failure is None:
            self._proof = self.account()
            self._conflict = contradiction(self.subject.case, self._proof)
        if self.failure is not None:
            raise SessionError(self.failure)
        assert self._proof is not None
        return self._proof

    def account(self) -> Ran:
        """Return what the engine's ONNX file asks for."""
        return read_account(Path(self.subject.setup.artifact.folder)).asked

    def proof(self) -> Ran | Absent:
        return self._proof or (Absent(self.failure) if self.failure else NOT_SELECTED)

    def metrics(self) -> Metrics:
        absent = Absent(self._reason)
        if isinstance(self._stand_in, Absent):
            metrics = Metrics(complexity=self.subject.complexity, accuracy=self._stand_in, parity=self._stand_in)
        else:
            metrics = self._stand_in.metrics()
        return replace(metrics, latency=absent, cold=absent, throughput=absent, memory=absent, gpu=absent)

    @property
    def notes(self) -> tuple[str, ...]:
        return () if isinstance(self._stand_in, Absent) else self._stand_in.notes

    def close(self) -> None:
        if not isinstance(self._stand_in, Absent):
            self._stand_in.close()

    def _standing_in(self) -> CaseRun:
        if self._conflict is not None:
            raise SessionError(self._conflict)
        if isinstance(self._stand_in, Absent):
            raise NotRunError(self._stand_in.reason)
        return self._stand_in
