"""The page of a history: what changed first, then each case over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchsuite.report.changes import SHORTEST
from benchsuite.report.chart import Axis, Chart, ChartSeries
from benchsuite.report.drawing import drawn, library
from benchsuite.report.history import Change, Course, History, Series, enough
from benchsuite.report.html import fill
from benchsuite.runs.figures import Figure
from benchsuite.terms.absence import Absent
from benchsuite.terms.language import ENGLISH, Language, language
from benchsuite.terms.said import counted

_SPARK_POINTS = 100
_SPARK = (120, 24)


@dataclass(frozen=True)
class Line:
    """One series as a row of the overview; `spark` holds the points of a small drawing in a box of 120 by 24."""

    number: int
    name: str
    machine: str
    threads: str
    runs: int
    changes: int
    first: str
    last: str
    since: str
    spark: str
    level: str


def history_page(history: History, lang: str = ENGLISH) -> str:
    """Return the page of a history as HTML."""
    return fill(
        "history.html.j2",
        lang,
        history=history,
        named=list(zip(history.names, history.runs, strict=True)),
        changes=[(change, *_shown(change)) for change in history.changes],
        lines=[_line(number, one, history) for number, one in enumerate(history.series)],
        short=sum(not any(map(enough, one.courses.values())) for one in history.series),
        least=2 * SHORTEST,
        machines=len({(one.fingerprint, one.threads) for one in history.series}),
        data=_data(history, language(lang)),
        chart=_chart(history.figures[0]) if history.figures else None,
        library=library(),
    )


def sparkline(values: Sequence[float]) -> str:
    """Return the points of an SVG polyline through the newest values, from the smallest at the foot to the largest."""
    newest = values[-_SPARK_POINTS:]
    low, high = min(newest), max(newest)
    width, height = _SPARK
    step = width / max(len(newest) - 1, 1)
    span = (high - low) or 1.0
    return " ".join(
        f"{place * step:.1f},{(height - 2) - (value - low) / span * (height - 4):.1f}"
        for place, value in enumerate(newest)
    )


def _shown(change: Change) -> tuple[str, str, str]:
    """Return a change's old and new level and by how much it moved."""
    unit = change.figure.unit
    return unit.digits(change.old), unit.digits(change.new), unit.change(change.old, change.new)


def _line(number: int, series: Series, history: History) -> Line:
    figure = next(it for it in history.figures if it.key in series.courses)
    course = series.courses[figure.key]
    values = [point.value for point in course.points]
    since = history.names[course.points[course.levels[-1].start].run]
    return Line(
        number=number,
        name=series.case_id,
        machine=series.machine,
        threads=counted(series.threads, "1 thread", "{1} threads"),
        runs=len(values),
        changes=sum(len(one.levels) - 1 for one in series.courses.values()),
        first=figure.unit.digits(course.levels[0].median),
        last=figure.unit.digits(course.levels[-1].median),
        since=since if len(course.levels) > 1 else "",
        spark=sparkline(values),
        level=figure.names.series,
    )


def _data(history: History, speech: Language) -> dict[str, Any]:
    return {
        "runs": [
            {"name": name, "started": run.started[:16].replace("T", " "), "effort": speech.say(run.effort)}
            for name, run in zip(history.names, history.runs, strict=True)
        ],
        "charts": {it.key: drawn(speech, _chart(it)) for it in history.figures},
        "decimals": {it.key: it.unit.decimals for it in history.figures},
        "series": [{"courses": {key: _course(it) for key, it in one.courses.items()}} for one in history.series],
    }


def _chart(figure: Figure) -> Chart:
    """Return the chart of one figure over the runs; the page's script puts the chosen case's points into it."""
    return Chart(
        kind="xy",
        title="Over time",
        alternative="The chosen figure over the runs, with its levels; the table below has the same figures",
        table=Absent("the page's script fills the table below with the same figures"),
        series=(
            ChartSeries(
                figure.names.series,
                colour="#0072B2",
                join="straight",
                line_px=1,
                mark="circle",
                mark_px=7,
                hover="notes",
            ),
            ChartSeries("level", colour="#D55E00", join="centred steps", line_px=3, hover="nothing"),
        ),
        x=Axis("run", scale="names"),
        y=Axis(figure.names.series, figure.unit.in_full, from_zero=True),
        height_px=340,
    )


def _course(course: Course) -> dict[str, Any]:
    return {
        "runs": [point.run for point in course.points],
        "values": [point.value for point in course.points],
        "levels": [[level.start, level.end, level.median] for level in course.levels],
    }
