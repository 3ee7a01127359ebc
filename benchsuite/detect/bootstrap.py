"""How sure a difference of mAP is: both networks are scored on the same images, drawn again and again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchsuite.detect.accuracy import Matches, map50_95

_RESAMPLES = 400


@dataclass(frozen=True)
class MapLoss:
    """Points of mAP50-95 that a network loses against its reference, with a 95 % interval over images."""

    points: float
    ci95: tuple[float, float]


class MapReference:
    """The reference's side: its score on each resample, computed once for all networks held against it."""

    def __init__(self, matched: Sequence[Matches], seed: int = 0) -> None:
        self._draws = np.random.default_rng(seed).integers(len(matched), size=(_RESAMPLES, len(matched)))
        self._map = map50_95(matched)
        self._resampled = self._scores(matched)

    def loss(self, matched: Sequence[Matches]) -> MapLoss:
        """Return what a network loses; `matched` are its outcomes on the same images, in the same order."""
        differences = (self._resampled - self._scores(matched)) * 100
        low, high = np.quantile(differences, (0.025, 0.975))
        return MapLoss((self._map - map50_95(matched)) * 100, (float(low), float(high)))

    def _scores(self, matched: Sequence[Matches]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.array([map50_95([matched[index] for index in draw]) for draw in self._draws])
