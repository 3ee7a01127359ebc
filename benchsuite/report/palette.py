"""Colours, marks and dashes of charts: what colours say, shapes repeat."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from benchsuite.report.recommendation import name_of
from benchsuite.runs.records import Record
from benchsuite.terms.cases import Backend, Precision

# A Plotly figure: plain data, drawn in the page with the colours of its theme.
Figure = dict[str, Any]
# Okabe and Ito's palette, which colour-blind readers can tell apart.
COLOURS: Mapping[Backend, str] = {
    "torch": "#D55E00",
    "onnx": "#0072B2",
    "openvino": "#009E73",
    "trt": "#CC79A7",
    "ncnn": "#E69F00",
}
SYMBOLS: Mapping[Precision, str] = {"fp32": "circle", "fp16": "diamond", "bf16": "square", "int8": "triangle-up"}
DASHES: Mapping[Precision, str] = {"fp32": "solid", "fp16": "dash", "bf16": "dot", "int8": "dashdot"}


def colour_of(record: Record) -> str:
    """Return the colour of a record's backend."""
    return COLOURS[record.case.backend]


def chart_name(record: Record) -> str:
    """Return a record's name as a chart shows it: Plotly reads some markup in texts."""
    return escape(name_of(record), quote=False)
