"""Evaluations of several cases, made side by side and kept, so that whoever asks for one finds it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress

from benchsuite.machine.facts import usable_threads
from benchsuite.machine.memory import available_bytes
from benchsuite.measure.case_run import Subject
from benchsuite.runs.preparation import Preparation
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
    missing = [subject for subject in every.values() if not preparation.is_evaluated(subject)]
    if not missing:
        return
    pool = ThreadPoolExecutor(max(1, min(usable_threads(), available_bytes() // _WORKER_BYTES)))
    try:
        begun = [pool.submit(preparation.evaluate, subject) for subject in missing]
        for done, future in enumerate(as_completed(begun), 1):
            with suppress(BenchsuiteError):
                future.result()
            show(done, len(missing))
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        preparation.stop_evaluating()
        raise
    finally:
        pool.shutdown()
