"""Charts of a gate: the blocks' ratios in their order, and how the evidence grew."""

from __future__ import annotations

from collections.abc import Sequence

from benchsuite.report.chart import Axis, Chart, ChartPoint, ChartSeries, Dash, ReferenceLine
from benchsuite.report.gate_evidence import GateEvidence
from benchsuite.terms.said import said

_HEIGHT_PX = 320
_BLUE, _GREEN, _RED = "#0072B2", "#009E73", "#D55E00"


def ratio_chart(evidence: GateEvidence) -> Chart | None:
    """Return each block's ratio in order, one case shown at a time, beside the control's."""
    if not evidence.tests:
        return None
    margin, promise = evidence.tests[0].thresholds.null_margin, evidence.tests[0].thresholds.promise
    series = [
        ChartSeries(
            name=test.name,
            points=_by_block(test.ratios, 5),
            colour=_BLUE,
            join="straight",
            line_px=1,
            mark="circle",
            mark_px=8,
            pick=number,
            notes=tuple(said("{1} was launched first", first[0]) for first in test.launched),
        )
        for number, test in enumerate(evidence.tests)
    ]
    if evidence.control:
        series.append(ChartSeries("control", _by_block(evidence.control, 5), colour=_RED, mark="cross", mark_px=8))
    return Chart(
        kind="xy",
        title="Ratio block by block",
        alternative="Ratio of candidate to baseline in each block of the chosen test, and the control's; the table "
        "below has its interval",
        table=evidence.table,
        series=tuple(series),
        x=Axis("block"),
        y=Axis("candidate / baseline", format=".3f"),
        references=(
            ReferenceLine(1.0, "solid"),
            # Where the blocks lie far off, both lines lie close together.
            ReferenceLine(1 + margin, "dot", said("{1} never fails", f"{margin:.0%}"), end="left"),
            ReferenceLine(1 + promise, "dash", said("{1} is to be caught", f"{promise:.0%}")),
        ),
        picks=tuple(test.name for test in evidence.tests),
        height_px=_HEIGHT_PX,
    )


def path_chart(evidence: GateEvidence) -> Chart | None:
    """Return how the evidence for both sides grew block by block, one case shown at a time."""
    if not evidence.tests:
        return None
    series: list[ChartSeries] = []
    for number, test in enumerate(evidence.tests):
        sides: tuple[tuple[str, Sequence[float], str, Dash], ...] = (
            ("worse than the margin", test.worse, _RED, "solid"),
            ("better than the promise", test.within, _GREEN, "dash"),
        )
        series += [
            ChartSeries(name, _by_block(path, 4), colour=colour, join="straight", dash=dash, pick=number)
            for name, path, colour, dash in sides
        ]
    first = evidence.tests[0]
    return Chart(
        kind="xy",
        title="Evidence block by block",
        alternative="Evidence for a regression and for a pass after each block of the chosen test; the table below has "
        "the last values",
        table=evidence.table,
        series=tuple(series),
        x=Axis("block"),
        y=Axis("evidence", "powers of ten"),
        references=(
            ReferenceLine(first.fire_at, "dash", "proof of a regression"),
            ReferenceLine(first.pass_at, "dot", "proof of a pass"),
        ),
        picks=tuple(test.name for test in evidence.tests),
        height_px=_HEIGHT_PX,
    )


def _by_block(values: Sequence[float], digits: int) -> tuple[ChartPoint, ...]:
    return tuple((block, round(value, digits)) for block, value in enumerate(values, 1))
