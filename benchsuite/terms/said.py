"""Sentences as values: a template and what stands in its places, from where they are made to where they are read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

PLACE = re.compile(r"\{(\d+)\}")


class Said(str):
    """A finished English sentence that knows what it was made of, so that it can be said in another language.

    Everywhere else it is its English text. `values` are texts, numbers written as people read them, or sentences again.
    A template without places stands between its values.
    """

    template: str
    values: tuple[str, ...]

    def __new__(cls, template: str, values: Sequence[str] = ()) -> Said:
        sentence = super().__new__(cls, filled(template, values))
        sentence.template, sentence.values = template, tuple(values)
        return sentence

    def __str__(self) -> str:
        # So `str(error)` of an error that was raised with a sentence is that sentence.
        return self

    def __reduce__(self) -> tuple[type[Said], tuple[str, tuple[str, ...]]]:
        return Said, (self.template, self.values)


# The type of a field whose sentence keeps its template in JSON; see `terms.codec`.
Sentence = Said | str


def said(template: str, *values: object) -> Said:
    """Make a sentence from a template; values that are no texts, as errors and numbers, are written as `str` does."""
    return Said(template, [value if isinstance(value, str) else str(value) for value in values])


def joined(joint: str, parts: Iterable[str]) -> str:
    """Join sentences and names to one sentence; one alone stays what it is."""
    values = list(parts)
    return values[0] if len(values) == 1 else Said(joint, values) if values else ""


def counted(number: int, one: str, many: str) -> Said:
    """Return a number of things by the template for one, without a place, and that for any other number."""
    return said(one) if number == 1 else said(many, f"{number:,}")


def filled(template: str, values: Sequence[str]) -> str:
    """Put values into the places `{1}`, `{2}` of a template, or the template between them where it has none."""
    if values and not PLACE.search(template):
        return template.join(values)
    return PLACE.sub(lambda place: values[int(place[1]) - 1], template) if values else template
