"""How much can be pruned: shares of the channels against what they cost in accuracy and gain in time, as measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from benchsuite.machine.facts import Machine
from benchsuite.measure.measurement import AccuracyLoss
from benchsuite.optimize.recipe import LightRecipe
from benchsuite.optimize.scoring import ScoredWeights, TimedArtifact
from benchsuite.study.timed import Timed
from benchsuite.terms.absence import Absent

GUIDE_FILE = "guide.json"
SCHEMA = 1
# Points of mAP50-95 that a share may cost and still be called safe.
SAFE_POINTS = 1.0
Verdict = Literal["FASTER", "SAME", "SLOWER"]
NOTHING_ALIKE = Absent("the whole network was not trained alike")


@dataclass(frozen=True)
class GuideRow:
    """One share: the weights right after the cut, after training, and what runtimes made of them.

    `ratio` is 0 for the whole network after the same training. The losses of the scores are against the weights as
    they were given; `by_cut` is against the whole network after the same training, which is the cut's own.
    """

    ratio: float
    untrained: ScoredWeights | Absent
    trained: ScoredWeights
    times: tuple[TimedArtifact, ...]
    train_s: float
    by_cut: AccuracyLoss | Absent = NOTHING_ALIKE


@dataclass(frozen=True)
class Guide:
    """The rows of a guide, by their shares, beside the weights as they were given."""

    command: str
    finished: str
    machine: Machine
    effort: str
    data: str
    images: int
    recipe: LightRecipe
    given: ScoredWeights
    given_artifacts: tuple[TimedArtifact, ...]
    rows: tuple[GuideRow, ...]
    schema: int = SCHEMA

    @property
    def safe(self) -> float | None:
        """Return the largest share up to which all are shown to lose less than a point of the weights as given."""
        return self._up_to(lambda row: row.trained.loss)

    @property
    def safe_cut(self) -> float | None:
        """Return the largest share up to which all cuts are shown to cost less than a point themselves."""
        return self._up_to(lambda row: row.by_cut)

    @property
    def is_alike(self) -> bool:
        """Whether the whole network was trained too, so that what the cuts cost themselves is known."""
        return len(self.cuts) < len(self.rows)

    def _up_to(self, loss_of: Callable[[GuideRow], AccuracyLoss | Absent]) -> float | None:
        found = None
        for row in self.cuts:
            loss = loss_of(row)
            if isinstance(loss, Absent) or loss.ci95[1] >= SAFE_POINTS:
                break
            found = row.ratio
        return found

    @property
    def cuts(self) -> Sequence[GuideRow]:
        """Return the rows that cut something."""
        return [row for row in self.rows if row.ratio]


def verdict(timed: Timed) -> Verdict:
    """Say whether an artifact is shown to be faster or slower than that of the weights as they were given."""
    low, high = timed.ratio_ci95
    return "FASTER" if high < 1 else "SLOWER" if low > 1 else "SAME"
