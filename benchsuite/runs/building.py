"""Artifacts of several cases, built side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from benchsuite.machine.facts import usable_threads
from benchsuite.machine.memory import available_bytes
from benchsuite.measure.case_run import Subject
from benchsuite.runs.preparation import Preparation
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import BenchsuiteError

# What exporting and quantising a large network takes at its peak.
_BUILDER_BYTES = 3_000_000_000


def build_all(
    preparation: Preparation, cases: Sequence[Case], show: Callable[[int, int], None]
) -> dict[Case, Subject | BenchsuiteError]:
    """Make cases ready to be measured, as many at once as cores and memory allow; an error stands for what failed.

    `show` is told how many of how many are ready. An interrupt ends what is being built.
    """
    found: dict[Case, Subject | BenchsuiteError] = {}
    for case in cases:
        try:
            # Weights are fetched and digested once, and a search for a scheme times what it finds: beside nothing.
            preparation.recipe(case)
        except BenchsuiteError as error:
            found[case] = error
    pool = ThreadPoolExecutor(max(1, min(usable_threads(), available_bytes() // _BUILDER_BYTES)))
    try:
        begun = {pool.submit(preparation.subject, case): case for case in cases if case not in found}
        for done in as_completed(begun):
            try:
                found[begun[done]] = done.result()
            except BenchsuiteError as error:
                found[begun[done]] = error
            show(len(found), len(cases))
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        preparation.stop_building()
        raise
    finally:
        pool.shutdown()
    return found
