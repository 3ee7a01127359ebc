"""Which ways to run a model each study compares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from benchsuite.backends import backend
from benchsuite.study.bench import Way
from benchsuite.terms.cases import Case

_EXPORTED = "ultralytics"


def precision_ways(cases: Sequence[Case]) -> tuple[Way, ...]:
    """Compare the selected cases as they are, and the INT8 of ONNX Runtime with the file that Ultralytics exports."""
    found = []
    for case in cases:
        found.append(Way(case))
        if (case.backend, case.precision) == ("onnx", "int8") and case.scheme != _EXPORTED:
            found.append(_by_scheme(case, _EXPORTED))
    return tuple(found)


def scheme_ways(cases: Sequence[Case]) -> tuple[Way, ...]:
    """Compare every INT8 scheme of each selected runtime; the scheme becomes the case's variant."""
    every = dict.fromkeys(replace(case, precision="int8", scheme="") for case in cases)
    return tuple(_by_scheme(case, scheme) for case in every for scheme in backend(case.backend).schemes)


def _by_scheme(case: Case, scheme: str) -> Way:
    return Way(replace(case, scheme=scheme), scheme)
