"""Colours, marks and dashes of charts: what colours say, shapes repeat."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from benchsuite.backends import BACKENDS
from benchsuite.report.recommendation import name_of
from benchsuite.runs.records import Record
from benchsuite.terms.cases import Precision

# A Plotly figure: plain data, drawn in the page with the colours of its theme.
Figure = dict[str, Any]
SYMBOLS: Mapping[Precision, str] = {"fp32": "circle", "fp16": "diamond", "bf16": "square", "int8": "triangle-up"}
# Records may name a runtime that only another version knows.
_UNKNOWN = "#808080"
DASHES: Mapping[Precision, str] = {"fp32": "solid", "fp16": "dash", "bf16": "dot", "int8": "dashdot"}


def colour_of(record: Record) -> str:
    """Return the colour of a record's backend."""
    known = BACKENDS.get(record.case.backend)
    return known.colour if known else _UNKNOWN


def chart_name(record: Record) -> str:
    """Return a record's name as a chart shows it: Plotly reads some markup in texts."""
    return escape(name_of(record), quote=False)
