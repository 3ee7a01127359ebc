"""Pages from templates: everything is escaped, what a template misses is an error, and texts are in one language."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

from benchsuite.report.drawing import drawn
from benchsuite.terms.language import ENGLISH, Language, language
from benchsuite.terms.said import counted, filled, joined

# What the pages' scripts say.
SCRIPT_TEXTS = (
    "Filter", "best", "void", "recipe {1}", "not measured", "cases {1} to {2} of {3}", "no case has all these words",
    "no case was measured", "new level", "the newest {1} of {2} runs",
    "not measured in any of these runs", "{1} points", "{1} %",
)  # fmt: skip


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
    environment.filters["drawn"] = partial(drawn, speech)
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
