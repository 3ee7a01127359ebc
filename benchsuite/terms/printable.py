"""Text from a file as a terminal may show it: nothing in it moves the cursor, changes colours or hides what follows."""

from __future__ import annotations

import re

from benchsuite.terms.said import said

MOST_CHARACTERS = 80
# Control characters, line separators, what turns the direction of writing, and halves of surrogate pairs.
_UNSHOWN = "\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_UNPRINTABLE = re.compile(f"[{_UNSHOWN}]")
_UNPRINTABLE_IN_LINES = re.compile(f"(?!\n)[{_UNSHOWN}]")


def printable(text: str, most: int | None = None) -> str:
    """Return one line of text, cut to `most` characters; what cannot be shown is written as Python escapes it."""
    cut = text if most is None or len(text) <= most else text[:most] + "…"
    return _UNPRINTABLE.sub(_escaped, cut)


def short(text: str) -> str:
    """Return the begin of a text, which fits into a sentence."""
    return printable(text, MOST_CHARACTERS)


def printable_lines(text: str) -> str:
    """Return text whose line breaks stay; what else cannot be shown is written as Python escapes it."""
    return _UNPRINTABLE_IN_LINES.sub(_escaped, text)


def excerpt(value: object) -> str:
    """Return what was found in a file, short enough for a sentence; of a list or an object only that it is one."""
    if value is None:
        return said("nothing")
    if isinstance(value, dict):
        return said("an object")
    if isinstance(value, (list, tuple, set)):
        return said("a list")
    # Python refuses to write integers of thousands of digits out.
    if isinstance(value, int) and abs(value) >= 10**MOST_CHARACTERS:
        return said("a number of more than {1} digits", MOST_CHARACTERS)
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return f"'{short(text)}'" if isinstance(value, (str, bytes)) else printable(text)


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()
