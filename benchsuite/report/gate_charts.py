"""Charts of a gate: the blocks' ratios in their order, and how the evidence grew."""

from __future__ import annotations

from html import escape

from benchsuite.report.gate_evidence import GateEvidence
from benchsuite.report.palette import Figure
from benchsuite.terms.said import said


def ratio_figure(evidence: GateEvidence) -> Figure | None:
    """Return each block's ratio in order, one case shown at a time, beside the control's."""
    if not evidence.tests:
        return None
    margin, promise = evidence.tests[0].thresholds.null_margin, evidence.tests[0].thresholds.promise
    traces: list[Figure] = [
        {
            "type": "scatter",
            "mode": "markers+lines",
            "name": escape(test.name, quote=False),
            "visible": number == 0,
            "x": list(range(1, len(test.ratios) + 1)),
            "y": [round(ratio, 5) for ratio in test.ratios],
            "text": [said("{1} was launched first", first[0]) for first in test.launched],
            "marker": {"size": 8, "color": "#0072B2"},
            "line": {"width": 1, "color": "#0072B2"},
        }
        for number, test in enumerate(evidence.tests)
    ]
    if evidence.control:
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": "control",
                "x": list(range(1, len(evidence.control) + 1)),
                "y": [round(ratio, 5) for ratio in evidence.control],
                "marker": {"size": 8, "symbol": "x-thin-open", "color": "#D55E00"},
            }
        )
    layout: Figure = {
        "xaxis": {"title": {"text": "block"}},
        "yaxis": {"title": {"text": "candidate / baseline"}, "tickformat": ".3f"},
        "shapes": [_line(1.0, "solid"), _line(1 + margin, "dot"), _line(1 + promise, "dash")],
        "annotations": [
            # Where the blocks lie far off, both lines lie close together.
            _note(1 + margin, said("{1} never fails", f"{margin:.0%}"), x=0),
            _note(1 + promise, said("{1} is to be caught", f"{promise:.0%}")),
        ],
    }  # fmt: skip
    return {"data": traces, "layout": layout}


def path_figure(evidence: GateEvidence) -> Figure | None:
    """Return how the evidence for both sides grew block by block, one case shown at a time."""
    if not evidence.tests:
        return None
    traces: list[Figure] = []
    for number, test in enumerate(evidence.tests):
        for name, path, colour, dash in (
            ("worse than the margin", test.worse, "#D55E00", "solid"),
            ("better than the promise", test.within, "#009E73", "dash"),
        ):
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "name": name,
                    "visible": number == 0,
                    "x": list(range(1, len(path) + 1)),
                    "y": [round(value, 4) for value in path],
                    "line": {"width": 2, "color": colour, "dash": dash},
                }
            )
    first = evidence.tests[0]
    layout: Figure = {
        "xaxis": {"title": {"text": "block"}},
        "yaxis": {"title": {"text": "evidence, powers of ten"}},
        "shapes": [_line(first.fire_at, "dash"), _line(first.pass_at, "dot")],
        "annotations": [_note(first.fire_at, "proof of a regression"), _note(first.pass_at, "proof of a pass")],
    }
    return {"data": traces, "layout": layout}


def _line(at: float, dash: str) -> Figure:
    return {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": at, "y1": at, "line": {"dash": dash, "width": 1},
    }  # fmt: skip


def _note(at: float, text: str, x: int = 1) -> Figure:
    side = "right" if x else "left"
    return {
        "xref": "paper", "x": x, "y": at, "text": text, "showarrow": False, "xanchor": side, "yanchor": "bottom",
    }  # fmt: skip
