"""What draws charts: templates/drawing.js, with the library whose terms that script alone knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchsuite.report.chart import Axis, Chart
from benchsuite.terms.language import Language


def drawn(speech: Language, chart: Chart) -> Mapping[str, object]:
    """Return what the script draws of a chart as JSON can hold it, its texts in a language."""
    return {
        "kind": chart.kind,
        "x": _axis(speech, chart.x),
        "y": _axis(speech, chart.y),
        "z": _axis(speech, chart.z),
        "series": [
            vars(series)
            | {
                "name": speech.say(series.name),
                "notes": [_lines(speech, note) for note in series.notes],
                "points": [(speech.say(x) if isinstance(x, str) else x, y) for x, y in series.points],
            }
            for series in chart.series
        ],
        "references": [vars(line) | {"note": speech.say(line.note)} for line in chart.references],
    }


def library() -> Any:
    """Return the source of the library that draws, to stand in a script of the page."""
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    return Markup(get_plotlyjs())


def _axis(speech: Language, axis: Axis) -> Mapping[str, object]:
    title, unit = speech.say(axis.title), speech.say(axis.unit)
    return vars(axis) | {"title": title + speech.say(", ") + unit if unit else title, "unit": unit}


def _lines(speech: Language, note: str) -> str:
    return "\n".join(map(speech.say, note.splitlines()))
