"""Which ways to run a model each study compares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from benchsuite.backends.schemes import SCHEMES
from benchsuite.cases import Case
from benchsuite.study.bench import Way


def precision_ways(cases: Sequence[Case]) -> tuple[Way, ...]:
    """Compare the selected cases as they are."""
    return tuple(map(Way, cases))


def scheme_ways(cases: Sequence[Case]) -> tuple[Way, ...]:
    """Compare every INT8 scheme of each selected runtime; the scheme becomes the case's variant."""
    every = dict.fromkeys(replace(case, precision="int8") for case in cases)
    return tuple(
        Way(replace(case, variant="-".join(filter(None, (case.variant, scheme)))), scheme)
        for case in every
        for scheme in SCHEMES.get(case.backend, ())
    )
