"""A study as tables: the same texts on a terminal, in Markdown and in the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchsuite.detect.bootstrap import MapLoss
from benchsuite.detect.parity import Parity, beyond_limits
from benchsuite.machine.noise import Noise
from benchsuite.report.chart import Chart
from benchsuite.report.markdown import escape, table_line
from benchsuite.report.terminal import WIDTH, aligned, fit, wrap
from benchsuite.study.rows import NOT_TIMED, CalibrationPoint, Study, StudyRow
from benchsuite.study.timed import Timed
from benchsuite.terms.absence import DASH, Absent, shown
from benchsuite.terms.cases import heading
from benchsuite.terms.language import ENGLISH, language
from benchsuite.terms.quantities import megabytes, milliseconds, signed
from benchsuite.terms.said import Sentence, joined, said

_BETWEEN = "  "
_FASTER = "× as fast as fp32"
_SHORT = {
    _FASTER: "× as fast", "mAP points lost": "lost", "points lost": "lost", "same boxes": "boxes",
    "mAP untrained": "mAP cut", "by the cut": "by cut", "× the time": "× time",
}  # fmt: skip
_TITLES = {
    "precision": "Precision: size, speed and accuracy of each runtime against its own FP32",
    "schemes": "INT8 schemes against FP32 of the same runtime",
    "calibration": "Calibration: how many images, and which way to set ranges",
}
_COLUMNS = ("", "MB", "p50 ms", _FASTER, "mAP", "mAP points lost", "same boxes")
_POINT_COLUMNS = ("images", "method", "int8 mAP", "fp16 mAP", _FASTER, "build s", "peak MB")


@dataclass(frozen=True)
class StudyTable:
    """Rows under one heading; `reasons` pairs a row's name with a sentence, for rows without figures and for faults."""

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    reasons: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class StudyView:
    """All that is shown of a study; `answers` stand above its tables, and `charts` between both."""

    title: str
    finished: str
    command: str
    tables: tuple[StudyTable, ...]
    facts: tuple[str, ...]
    answers: tuple[Sentence, ...] = ()
    charts: tuple[Chart, ...] = ()


def study_view(study: Study) -> StudyView:
    """Arrange a study's rows by model and size."""
    groups: dict[str, list[StudyRow]] = {}
    for row in study.rows:
        groups.setdefault(heading(row.case), []).append(row)
    tables = [_table(title, rows) for title, rows in groups.items()]
    by_model: dict[str, list[CalibrationPoint]] = {}
    for point in study.points:
        by_model.setdefault(point.model, []).append(point)
    tables += [_points(model, points) for model, points in by_model.items()]
    facts = [said("mAP is mAP50-95 on {1} images of {2}; effort {3}.", study.images, study.data, study.effort), *_WHAT]
    timed = [*(row.timed for row in study.rows), *(point.timed for point in study.points)]
    noises = [it.noise for it in timed if isinstance(it, Timed) and isinstance(it.noise, Noise)]
    sentences = dict.fromkeys(joined("; ", noise.sentences) for noise in noises)
    facts += [said("The machine while it timed: {1}.", sentence) for sentence in sentences]
    if any(len(point.map50_95) > 1 for point in study.points):
        facts.append(_SPREAD)
    return StudyView(_TITLES[study.kind], study.finished, study.command, tuple(tables), tuple(facts))


_WHAT = (
    "Times are total latency (preprocess, inference, postprocess), taken turn by turn; intervals are 95 %, over "
    "launches and sessions for times and over images for mAP.",
    "Same boxes: those of PyTorch FP32 at confidence 0.25 that are found again (and how many are added).",
)
# Stands below a table of several subsets.
_SPREAD = "int8 mAP: the mean over the subsets that were drawn, ± half the distance from the lowest to the highest."


def _points(model: str, points: Sequence[CalibrationPoint]) -> StudyTable:
    reasons = tuple((said("{1} images, {2}", it.size, it.method), it.reason) for it in points if it.reason)
    return StudyTable(model, _POINT_COLUMNS, tuple(map(_point, points)), reasons)


def _table(title: str, rows: Sequence[StudyRow]) -> StudyTable:
    reasons = []
    for row in rows:
        untimed = row.timed.reason if isinstance(row.timed, Absent) and row.timed != NOT_TIMED else ""
        exceeded = "" if isinstance(row.parity, Absent) else beyond_limits(row.parity)
        sentences = (row.reason, row.conflict, untimed, exceeded)
        reasons += [(row.case.row_name, sentence) for sentence in sentences if sentence]
    measured = sorted((row for row in rows if not row.reason), key=_ratio)
    return StudyTable(title, _COLUMNS, tuple(_cells(row) for row in measured), tuple(reasons))


def _ratio(row: StudyRow) -> float:
    return float("inf") if isinstance(row.timed, Absent) else row.timed.p50_ns


def _cells(row: StudyRow) -> tuple[str, ...]:
    label = "" if isinstance(row.ran, Absent) or row.ran.label == row.case.precision else "*"
    return (
        row.case.row_name + label,
        shown(row.built, lambda it: megabytes(it.bytes)),
        shown(row.timed, lambda it: milliseconds(it.p50_ns)),
        shown(row.timed, _speed_up),
        shown(row.map50_95, "{:.3f}".format),
        shown(row.loss, _loss),
        shown(row.parity, _parity),
    )


def _speed_up(timed: Timed) -> str:
    low, high = timed.ratio_ci95
    return f"{1 / timed.ratio:.2f} ({1 / high:.2f}–{1 / low:.2f})"


def _loss(loss: MapLoss) -> str:
    low, high = loss.ci95
    return f"{signed(loss.points)} ({signed(low)} to {signed(high)})"


def _parity(parity: Parity) -> str:
    expected = parity.matched + parity.dropped
    return f"{parity.matched / expected:.0%} (+{parity.added / expected:.0%})" if expected else DASH


def _point(point: CalibrationPoint) -> tuple[str, ...]:
    return (
        f"{point.size:,}",
        point.method,
        _mean(point.map50_95),
        shown(point.fp16_map50_95, "{:.4f}".format),
        shown(point.timed, _speed_up),
        f"{point.observe_s + point.quantise_s:.0f}",
        f"{point.peak_bytes / 1e6:.0f}",
    )


def _mean(scores: Sequence[float]) -> str:
    """Return the mean of the subsets' mAP, with half their range where there are several."""
    if not scores:
        return DASH
    mean = f"{sum(scores) / len(scores):.4f}"
    return f"{mean} ± {(max(scores) - min(scores)) / 2:.4f}" if len(scores) > 1 else mean


def terminal_lines(view: StudyView) -> list[str]:
    """Return the study for a terminal of 80 columns."""
    lines = [view.title, ""]
    for answer in view.answers:
        lines += [*wrap(answer), ""]
    for table in view.tables:
        headings = tuple(_SHORT.get(column, column) for column in table.columns)
        cells = [headings, *(_short(row, headings) for row in table.rows)]
        longest, *widths = (max(map(len, column)) for column in zip(*cells, strict=True))
        # Names get what the figures leave.
        first = min(longest, WIDTH - sum(width + len(_BETWEEN) for width in widths))
        lines += [table.heading, ""]
        lines += [aligned((fit(row[0], first), *row[1:]), (first, *widths), _BETWEEN).rstrip() for row in cells]
        lines.append("")
        for name, reason in table.reasons:
            lines += wrap(f"{name}: {reason}", then="  ")
        if table.reasons:
            lines.append("")
    for fact in view.facts:
        lines += wrap(fact)
    return lines


def _short(row: Sequence[str], headings: Sequence[str]) -> tuple[str, ...]:
    """Return the cells of a row without the intervals that a terminal has no room for; that of the time stays."""
    name, *rest = (
        text if column == _SHORT[_FASTER] and headings[0] != "images" else text.partition(" (")[0]
        for text, column in zip(row, headings, strict=True)
    )
    return (name.replace(" int8 ", " "), *rest)


def markdown(view: StudyView, lang: str = ENGLISH) -> str:
    """Return the study in Markdown, with the command that makes it again."""
    say = language(lang).say
    lines = [f"## {escape(say(view.title))}", "", *(f"{escape(say(answer))}\n" for answer in view.answers)]
    for table in view.tables:
        lines += [f"### {escape(say(table.heading))}", "", _line(map(say, table.columns))]
        lines.append("|---|" + "--:|" * (len(table.columns) - 1))
        lines += [_line(row) for row in table.rows]
        lines += ["", *(f"- {escape(name)}: {escape(say(reason))}" for name, reason in table.reasons), ""]
    lines += [f"{escape(say(fact))}\n" for fact in view.facts]
    return "\n".join([*lines, say("Made by {1} at {2}.", f"`{view.command}`", view.finished)]) + "\n"


def _line(cells: Iterable[str]) -> str:
    return table_line(map(escape, cells))
