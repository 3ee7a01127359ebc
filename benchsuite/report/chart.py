"""What a chart shows, as data: whoever makes one knows nothing of what draws it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from benchsuite.report.detail import DetailTable
from benchsuite.terms.absence import Absent

# What the points of a chart's series are:
# xy         x and y.
# bars       a name and a value, which lies along x; those of several series are stacked.
# waterfall  a name and a value: where it starts, each change from there, where it ends.
# icicle     a name and the size of a part without the parts within it, which its series' `parents` place.
# heat       a column's name and a value; a series is a row, and what it lacks stays open.
ChartKind = Literal["xy", "bars", "waterfall", "icicle", "heat"]
Scale = Literal["linear", "log", "names"]
Dash = Literal["solid", "dash", "dot", "dashdot"]
Mark = Literal["circle", "diamond", "square", "triangle", "cross", "tick"]
# Steps run on to the next point, centred ones halfway to both neighbours.
Join = Literal["straight", "steps", "centred steps"]
ChartPoint = tuple[float | str, float]


@dataclass(frozen=True)
class Axis:
    """A scale and how it is written: `format` as in an f-string, at the values `ticks` or wherever there is room."""

    title: str = ""
    unit: str = ""
    scale: Scale = "linear"
    format: str = ""
    from_zero: bool = False
    bounds: tuple[float, float] | None = None
    ticks: tuple[float, ...] = ()


@dataclass(frozen=True)
class ChartSeries:
    """Points under one name, of the colour `#rrggbb` or, without one, as muted as the page's small texts.

    `notes`, `x_intervals`, `y_intervals` and `parents` are empty or have one item a point. A note is read where its
    point is hovered over, its first line as the heading; `parents` are places among the points, -1 for none. A series
    with a `pick` shows only while that one of the chart's picks is chosen.
    """

    name: str
    points: tuple[ChartPoint, ...] = ()
    colour: str = ""
    join: Join | None = None
    dash: Dash = "solid"
    line_px: float = 2
    mark: Mark | None = None
    mark_px: float = 6
    hollow: bool = False
    faint: bool = False
    labelled: bool = False
    in_legend: bool = True
    pick: int | None = None
    hover: Literal["figures", "notes", "nothing"] = "figures"
    notes: tuple[str, ...] = ()
    x_intervals: tuple[tuple[float, float], ...] = ()
    y_intervals: tuple[tuple[float, float], ...] = ()
    parents: tuple[int, ...] = ()


@dataclass(frozen=True)
class ReferenceLine:
    """A line across a chart at a value of y, with a note at one of its ends; its `pick` is as that of a series."""

    value: float
    dash: Dash
    note: str = ""
    end: Literal["left", "right"] = "right"
    side: Literal["above", "below"] = "above"
    pick: int | None = None


@dataclass(frozen=True)
class Chart:
    """A chart with what says the same in words and in figures.

    `alternative` is for readers who see no drawing, `about` says how to read it, and `table` has its figures or says
    where else they stand. `z` is the scale of an icicle's sizes and of a heat map's values. Without a height the chart
    is as tall as most, and on a phone as its legend needs.
    """

    kind: ChartKind
    title: str
    alternative: str
    table: DetailTable | Absent
    series: tuple[ChartSeries, ...]
    x: Axis = Axis()
    y: Axis = Axis()
    z: Axis = Axis()
    references: tuple[ReferenceLine, ...] = ()
    picks: tuple[str, ...] = ()
    about: str = ""
    height_px: int = 0
