"""Quantities as text with sensible digits; the unit stands in the caller's heading unless the name says otherwise.

Values are rounded once, as `format` does: by their exact value, halves to the even digit. Pages' scripts do the same
(`report/templates/common.js`).
"""

from __future__ import annotations

NS_PER_MS = 1_000_000
MINUS = "\N{MINUS SIGN}"


def significant(value: float, digits: int = 3) -> str:
    """Round to so many significant digits, whole numbers kept whole: 41.2, 4.12, 0.412, 1,234."""
    if value == 0:
        return "0"
    # The exponent of what is rounded already: rounding can carry into a new digit, as that of 99.96 does.
    exponent = int(f"{value:.{digits - 1}e}".partition("e")[2])
    return f"{value:,.{max(digits - 1 - exponent, 0)}f}".replace("-", MINUS)


def milliseconds(ns: float) -> str:
    """Return nanoseconds as milliseconds: `41.2`."""
    return significant(ns / NS_PER_MS)


def megabytes(size_bytes: float) -> str:
    """Return bytes as megabytes of 10^6 bytes: `9.80`."""
    return significant(size_bytes / 1e6)


def signed(value: float, decimals: int = 1) -> str:
    """Return a change with its sign: `+1.2`, `−0.3`, `0.0`."""
    text = f"{abs(value):,.{decimals}f}"
    if not text.strip("0."):
        return text
    return ("+" if value > 0 else MINUS) + text
