"""Numbers that a file may hold, each with the bounds that make sense where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from benchsuite.terms.said import said

# No figure comes near.
LARGEST = 2**63


@dataclass(frozen=True)
class Within:
    """The bounds of a number, both included; without an upper one where that is None."""

    least: float
    most: float | None = None

    def holds(self, value: float) -> bool:
        """Say whether a number lies within."""
        return self.least <= value and (self.most is None or value <= self.most)

    @property
    def said(self) -> str:
        """Return what is expected, for a sentence."""
        if self.most is None:
            return said("a number of at least {1}", f"{self.least:g}")
        return said("a number from {1} to {2}", f"{self.least:g}", f"{self.most:g}")


Count = Annotated[int, Within(0)]
AtLeastOne = Annotated[int, Within(1)]
Measure = Annotated[float, Within(0)]
# Of two times, none of which is 0.
TimeRatio = Annotated[float, Within(1e-9)]
# A mean of ones may come out a rounding beyond them.
Fraction = Annotated[float, Within(0, 1 + 1e-9)]
