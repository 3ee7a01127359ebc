"""Colours, marks and dashes of charts: what colours say, shapes repeat."""

from __future__ import annotations

from collections.abc import Mapping

from benchsuite.report.chart import Dash, Mark
from benchsuite.runs.records import Record
from benchsuite.terms.cases import Backend, Precision

# Okabe and Ito's palette, which colour-blind readers can tell apart.
COLOURS: Mapping[Backend, str] = {
    "torch": "#D55E00",
    "onnx": "#0072B2",
    "openvino": "#009E73",
    "trt": "#CC79A7",
    "ncnn": "#E69F00",
}
MARKS: Mapping[Precision, Mark] = {"fp32": "circle", "fp16": "diamond", "bf16": "square", "int8": "triangle"}
DASHES: Mapping[Precision, Dash] = {"fp32": "solid", "fp16": "dash", "bf16": "dot", "int8": "dashdot"}


def colour_of(record: Record) -> str:
    """Return the colour of a record's backend."""
    return COLOURS[record.case.backend]
