"""A terminal of 80 columns: where lines are broken and cut, and how a table's cells stand under each other."""

from __future__ import annotations

import codecs
import textwrap
import unicodedata
from collections.abc import Sequence

COLUMNS = 80
# Tables leave the last column free: a terminal may break a line that fills it.
WIDTH = COLUMNS - 1
# For streams with `errors=PLAIN`: what stands for the signs that their encoding lacks, in no more columns.
PLAIN = "benchsuite-plain"
_PLAIN_SIGNS = {
    "\u2013": "-", "\u2014": "-", "\u2212": "-", "\u2026": "~", "\u00d7": "x", "\u2192": ">", "\u00b1": "~",
    "\u2248": "~",
    "\u00b7": ".", "\u00b5": "u", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u00a0": " ", "\u202f": " ",
}  # fmt: skip


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    signs = error.object[error.start : error.end]
    plain_signs = (_PLAIN_SIGNS.get(sign) or sign.encode("ascii", "backslashreplace").decode() for sign in signs)
    return "".join(plain_signs), error.end


codecs.register_error(PLAIN, _replaced)


def plain(text: str, encoding: str) -> str:
    """Return a text in the signs that a terminal's encoding has."""
    return text.encode(encoding, PLAIN).decode(encoding)


def wrap(
    text: str,
    first: str = "",
    then: str = "",
    width: int = WIDTH,
    *,
    hyphens: bool = True,
    long_words: bool = True,
    most_lines: int | None = None,
) -> list[str]:
    """Break a text into lines, `first` standing before the first of them and `then` before the others.

    Lines may end at `hyphens`, and within `long_words`, those that are wider than a line.
    """
    return textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=then,
        break_on_hyphens=hyphens,
        break_long_words=long_words,
        max_lines=most_lines,
        placeholder=" …",
    )


def fit(text: str, width: int = WIDTH) -> str:
    """Cut a text that is wider, with a sign that it went on."""
    return text if _cells(text) <= width else _beginning(text, width - 1) + "…"


def fit_id(case_id: str, width: int) -> str:
    """Cut the middle of an id that is wider: cases of one model differ by its end."""
    if _cells(case_id) <= width:
        return case_id
    end = _beginning(case_id[::-1], width * 2 // 3)[::-1]
    return f"{_beginning(case_id, width - 1 - _cells(end))}…{end}"


def _beginning(text: str, width: int) -> str:
    # Not more than two marks over each letter.
    text = text[: 3 * width]
    while _cells(text) > width:
        text = text[:-1]
    return text


def _cells(text: str) -> int:
    """Return how many columns a text takes; letters of eastern Asia take two, marks over letters none."""
    wide = sum(unicodedata.east_asian_width(character) in "FW" for character in text)
    marks = sum(unicodedata.combining(character) > 0 for character in text)
    return len(text) + wide - marks


def aligned(cells: Sequence[str], widths: Sequence[int], between: str = "") -> str:
    """Return a line of a table: the first cell begins its column, each other ends its own."""
    name, *others = zip(cells, widths, strict=True)
    return between.join([name[0].ljust(name[1]), *(cell.rjust(width) for cell, width in others)])
