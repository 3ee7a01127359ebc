"""Units that people read figures in, and how many digits each is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchsuite.terms.absence import DASH
from benchsuite.terms.quantities import NS_PER_MS, signed, significant
from benchsuite.terms.said import said


@dataclass(frozen=True)
class Unit:
    """A unit by its `text`, or `spelt` where there is room; `scaled` turns what records hold into it.

    `decimals` of None are three significant digits. `said` writes a value of which a small change must show; without
    it that is a table's text and the unit. A fraction changes by `points`, so many for one of the unit; all else by a
    share of itself. `held` names what records hold it in, where that is another unit.
    """

    text: str
    scaled: Callable[[float], float] = lambda value: value
    decimals: int | None = None
    said: Callable[[float], str] | None = None
    spelt: str = ""
    points: int = 0
    held: str = ""

    @property
    def in_full(self) -> str:
        """Return the unit's name where there is room for it."""
        return self.spelt or self.text

    def show(self, value: float) -> str:
        """Return a value for a table, whose heading has the unit."""
        return self.digits(self.scaled(value))

    def say(self, value: float) -> str:
        """Return a value for a sentence."""
        return self.said(value) if self.said else f"{self.show(value)} {self.text}".rstrip()

    def say_both(self, old: float, new: float) -> tuple[str, str]:
        """Return two values for a sentence, with all of their digits where they differ and would look equal."""
        both = self.say(old), self.say(new)
        if both[0] != both[1] or old == new:
            return both
        return f"{old:,} {self.held}".rstrip(), f"{new:,} {self.held}".rstrip()

    def digits(self, scaled: float) -> str:
        """Write a value that is in this unit already."""
        return significant(scaled) if self.decimals is None else f"{scaled:,.{self.decimals}f}"

    def change(self, old: float, new: float) -> str:
        """Write by how much a value that is in this unit already has changed, from the old one to the new."""
        if self.points:
            return said("{1} points", signed((new - old) * self.points, 2))
        return said("{1} %", signed((new / old - 1) * 100)) if old else DASH


NUMBER = Unit("", said="{:,}".format)
MILLISECONDS = Unit("ms", lambda ns: ns / NS_PER_MS)
SECONDS = Unit("s")
MEGABYTES = Unit("MB", lambda size_bytes: size_bytes / 1e6, held="bytes")
MILLIONS = Unit("M", lambda number: number / 1e6, said="{:,}".format)
GFLOPS = Unit("", said="{:.4g}".format)
IMAGES_PER_S = Unit("img/s", spelt="images/s")
JOULES = Unit("J")
# mAP is a fraction and read as one; agreement is a fraction and read in percent.
FRACTION = Unit("", decimals=3, said="{:.4f}".format, points=100)
PERCENT = Unit("%", lambda fraction: fraction * 100, decimals=1, said="{:.4f}".format, points=1)
