"""Colours, marks and dashes of charts: what colours say, shapes repeat."""

from __future__ import annotations

from collections.abc import Mapping

from benchsuite.backends import BACKENDS
from benchsuite.report.chart import Dash, Mark
from benchsuite.runs.records import Record
from benchsuite.terms.cases import Precision

MARKS: Mapping[Precision, Mark] = {"fp32": "circle", "fp16": "diamond", "bf16": "square", "int8": "triangle"}
DASHES: Mapping[Precision, Dash] = {"fp32": "solid", "fp16": "dash", "bf16": "dot", "int8": "dashdot"}
# Records may name a runtime that only another version knows.
_UNKNOWN = "#808080"


def colour_of(record: Record) -> str:
    """Return the colour of a record's backend."""
    known = BACKENDS.get(record.case.backend)
    return known.colour if known else _UNKNOWN
