"""Pages from templates: everything is escaped, what a template misses is an error, and texts are in one language."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

from benchsuite.terms.language import ENGLISH, Language, language
from benchsuite.terms.said import counted, filled, joined

# What the pages' scripts say.
SCRIPT_TEXTS = (
    "Filter", "best", "void", "recipe {1}", "not measured", "cases {1} to {2} of {3}", "no case has all these words",
    "no case was measured", "level", "run", "new level", "the newest {1} of {2} runs",
    "not measured in any of these runs",
)  # fmt: skip
# Of a chart, what people read that is not the name of a case.
_SAID_KEYS = ("text", "name")


def fill(template: str, lang: str = ENGLISH, **values: Any) -> str:
    """Return a page as HTML in a language; names, reasons and paths are escaped wherever they stand."""
    page: str = _environment(lang).get_template(template).render(values)
    return page


@cache
def _environment(lang: str) -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    speech = language(lang)
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        lang="zh-Hans" if lang == "zh" else lang,
        t=partial(_said, speech),
        script_texts={text: speech.say(text) for text in SCRIPT_TEXTS},
        counted=counted,
        joined=joined,
        code=_element("code"),
        strong=_element("strong"),
        struck=_element("s"),
    )
    environment.filters["said"] = partial(_said_figure, speech)
    return environment


def _said(speech: Language, text: str, *values: object) -> Any:
    """Say a text; values that are markup stay so, within the text escaped around them."""
    from markupsafe import Markup, escape

    if not any(isinstance(value, Markup) for value in values):
        return speech.say(text, *values)
    return Markup(filled(str(escape(speech.template(text))), [str(escape(value)) for value in values]))


def _element(tag: str) -> Callable[[str], Any]:
    def make(text: str) -> Any:
        from markupsafe import Markup

        return Markup(f"<{tag}>{{}}</{tag}>").format(text)

    return make


def _said_figure(speech: Language, part: Any, read: bool = False) -> Any:
    """Return a chart with its titles, the names of its traces and the texts of its points said."""
    if isinstance(part, dict):
        return {key: _said_figure(speech, value, key in _SAID_KEYS) for key, value in part.items()}
    if isinstance(part, list):
        return [_said_figure(speech, item, read) for item in part]
    return speech.say(part) if read and isinstance(part, str) else part


def plotly() -> Any:
    """Return the source of Plotly, to stand in a script of the page."""
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    return Markup(get_plotlyjs())
