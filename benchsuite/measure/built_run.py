"""A case that is built here and cannot be run: the ONNX file behind its engine stands in where boxes are counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchsuite.backends.interface import Ran
from benchsuite.backends.proof import contradiction
from benchsuite.backends.tensorrt.engine_files import read_account
from benchsuite.detect.parity import Parity
from benchsuite.measure.accuracy import Evaluation
from benchsuite.measure.case_run import CaseRun, Subject
from benchsuite.measure.measurement import Cold, Latency, Memory, Metrics, Throughput
from benchsuite.terms.absence import Absent
from benchsuite.terms.errors import NotRunError, SessionError


class BuiltRun(CaseRun):
    """Measures what can be known of an engine that does not run here; all else raises NotRunError with the reason.

    `stand_in` is what is evaluated in its place, absent where nothing here runs that either.
    """

    def __init__(
        self, subject: Subject, reason: str, stand_in: Subject | Absent, reference: Callable[[], Evaluation]
    ) -> None:
        super().__init__(subject if isinstance(stand_in, Absent) else stand_in, reference)
        self._engine = subject
        self._reason = reason
        self._stand_in = stand_in

    @property
    def subject(self) -> Subject:
        return self._engine

    def latency(self) -> Latency:
        raise NotRunError(self._reason)

    def memory(self) -> Memory:
        raise NotRunError(self._reason)

    def cold(self) -> Cold:
        raise NotRunError(self._reason)

    def throughput(self) -> Throughput:
        raise NotRunError(self._reason)

    def evaluation(self) -> Evaluation:
        """Return accuracy and detections of the ONNX file that the engine was built from."""
        if isinstance(self._stand_in, Absent):
            raise NotRunError(self._stand_in.reason)
        return super().evaluation()

    def parity(self) -> Parity:
        """Return how far the ONNX file's detections agree with PyTorch FP32's."""
        if isinstance(self._stand_in, Absent):
            raise NotRunError(self._stand_in.reason)
        return super().parity()

    def account(self) -> Ran:
        """Return what the engine's ONNX file asks for."""
        return read_account(Path(self._engine.setup.artifact.folder)).asked

    def metrics(self) -> Metrics:
        """Return what is known so far, and why there is no more."""
        absent = Absent(self._reason)
        metrics = replace(super().metrics(), latency=absent, cold=absent, throughput=absent, memory=absent, gpu=absent)
        if isinstance(self._stand_in, Absent):
            metrics = replace(metrics, accuracy=self._stand_in, parity=self._stand_in)
        return metrics

    def _prove(self) -> None:
        self._ran = self.account()
        conflict = contradiction(self._engine.case, self._ran)
        if conflict:
            raise SessionError(conflict)
