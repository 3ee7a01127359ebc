"""Artifacts of several cases, built side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from benchsuite.measure.case_run import Subject
from benchsuite.runs.preparation import Preparation
from benchsuite.runs.side_by_side import side_by_side
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
    failed: dict[Case, Subject | BenchsuiteError] = {}
    for case in cases:
        try:
            # Weights are fetched and digested once, and a search for a scheme times what it finds: beside nothing.
            preparation.recipe(case)
        except BenchsuiteError as error:
            failed[case] = error
    jobs = {case: partial(preparation.subject, case) for case in cases if case not in failed}
    return failed | side_by_side(
        jobs, _BUILDER_BYTES, preparation.stop_building, lambda done: show(len(failed) + done, len(cases))
    )
