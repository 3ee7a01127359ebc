"""Texts in Markdown that show as they are."""

from __future__ import annotations

import re
from collections.abc import Iterable


def escape(text: str) -> str:
    """Return text that Markdown shows as it is, on one line and in one table cell."""
    text = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # Entities, because a backslash does not keep a forge from linking #numbers and @names.
    text = text.replace("#", "&#35;").replace("@", "&#64;")
    return re.sub(r"([\\`*_\[\]|~$])", r"\\\1", text)


def table_line(cells: Iterable[str]) -> str:
    """Return a line of a table; its cells are escaped already."""
    return "| " + " | ".join(cells) + " |"
