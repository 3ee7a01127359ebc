"""The size of a network's input."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TEXT = re.compile(r"([1-9][0-9]{0,4})(?:x([1-9][0-9]{0,4}))?")


@dataclass(frozen=True, order=True)
class InputSize:
    """Height and width in px; as text `640`, or `384x640`, height first, where they differ."""

    height: int
    width: int

    @classmethod
    def square(cls, side: int) -> InputSize:
        """Return a size whose sides are equal."""
        return cls(side, side)

    @classmethod
    def parse(cls, text: str) -> InputSize:
        """Read `640` or `384x640`; raises ValueError."""
        found = _TEXT.fullmatch(text)
        if found is None:
            raise ValueError("it must be a side in px, as in 640, or height x width, as in 384x640")
        return cls(int(found[1]), int(found[2] or found[1]))

    @property
    def plain(self) -> int | str:
        """Return what files and tables hold: a number for a square, else the text."""
        return self.height if self.height == self.width else f"{self.height}x{self.width}"

    @property
    def pixels(self) -> int:
        return self.height * self.width

    @property
    def shape(self) -> tuple[int, int]:
        """Return (height, width)."""
        return self.height, self.width

    def __str__(self) -> str:
        return str(self.plain)
