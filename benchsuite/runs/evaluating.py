"""Evaluations of several cases, made side by side and kept, so that whoever asks for one finds it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from benchsuite.measure.case_run import Subject
from benchsuite.runs.preparation import Preparation
from benchsuite.runs.side_by_side import side_by_side
from benchsuite.terms.errors import BenchsuiteError

# A worker with PyTorch in it, and the images that it decodes.
_WORKER_BYTES = 1_500_000_000


def evaluate_all(preparation: Preparation, subjects: Sequence[Subject], show: Callable[[int, int], None]) -> None:
    """Evaluate subjects and what they are held against, on as many cores as there are and memory allows.

    One that fails is told by whoever asks for it. `show` is told how many of how many are done.
    """
    every = {subject.case: subject for subject in subjects}
    for subject in subjects:
        with suppress(BenchsuiteError):
            reference = preparation.reference_of(subject.case)
            every.setdefault(reference.case, reference)
    missing = {case: subject for case, subject in every.items() if not preparation.is_evaluated(subject)}
    jobs = {case: partial(preparation.evaluate, subject) for case, subject in missing.items()}
    side_by_side(jobs, _WORKER_BYTES, preparation.stop_evaluating, lambda done: show(done, len(jobs)))
