"""A terminal of 80 columns: where lines are broken and cut, and how a table's cells stand under each other."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

COLUMNS = 80
# Tables leave the last column free: a terminal may break a line that fills it.
WIDTH = COLUMNS - 1


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
    return text if len(text) <= width else text[: width - 1] + "…"


def aligned(cells: Sequence[str], widths: Sequence[int], between: str = "") -> str:
    """Return a line of a table: the first cell begins its column, each other ends its own."""
    name, *others = zip(cells, widths, strict=True)
    return between.join([name[0].ljust(name[1]), *(cell.rjust(width) for cell, width in others)])
