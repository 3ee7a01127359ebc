"""Charts of a gate: the blocks' ratios in their order, and how the evidence grew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from benchsuite.report.chart import Axis, Chart, ChartPoint, ChartSeries, Dash, ReferenceLine
from benchsuite.report.gate_evidence import Evidence, GateEvidence
from benchsuite.terms.said import said

_HEIGHT_PX = 320
_BLUE, _GREEN, _RED = "#0072B2", "#009E73", "#D55E00"


def ratio_chart(evidence: GateEvidence) -> Chart | None:
    """Return each block's ratio in order, one case shown at a time, beside the control's."""
    if not evidence.tests:
        return None
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
        references=(ReferenceLine(1.0, "solid"), *_lines(evidence, _limits)),
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
    return Chart(
        kind="xy",
        title="Evidence block by block",
        alternative="Evidence for a regression and for a pass after each block of the chosen test; the table below has "
        "the last values",
        table=evidence.table,
        series=tuple(series),
        x=Axis("block"),
        y=Axis("evidence", "powers of ten"),
        references=_lines(evidence, _proofs),
        picks=tuple(test.name for test in evidence.tests),
        height_px=_HEIGHT_PX,
    )


def _lines(
    evidence: GateEvidence, lines_of: Callable[[Evidence], tuple[ReferenceLine, ...]]
) -> tuple[ReferenceLine, ...]:
    """Return the lines of each test, once where they are the same for all; a waiver moves those of its own."""
    each = [lines_of(test) for test in evidence.tests]
    if len(set(each)) == 1:
        return each[0]
    return tuple(replace(line, pick=number) for number, lines in enumerate(each) for line in lines)


def _limits(test: Evidence) -> tuple[ReferenceLine, ...]:
    margin, promise = test.thresholds.null_margin, test.thresholds.promise
    return (
        # Where the blocks lie far off, both lines lie close together.
        ReferenceLine(1 + margin, "dot", said("{1} never fails", f"{margin * 100:.3g}%"), end="left"),
        ReferenceLine(1 + promise, "dash", said("{1} is to be caught", f"{promise * 100:.3g}%")),
    )


def _proofs(test: Evidence) -> tuple[ReferenceLine, ...]:
    return (
        ReferenceLine(test.fire_at, "dash", "proof of a regression"),
        ReferenceLine(test.pass_at, "dot", "proof of a pass"),
    )


def _by_block(values: Sequence[float], digits: int) -> tuple[ChartPoint, ...]:
    return tuple((block, round(value, digits)) for block, value in enumerate(values, 1))
