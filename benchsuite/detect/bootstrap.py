"""How sure a difference of mAP is: both networks are scored on the same images, drawn again and again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchsuite.detect.accuracy import BoolArray, Matches, Values, areas, map50_95
from benchsuite.detect.detections import IntArray

_RESAMPLES = 400
_CONFIDENCE = 0.95
# One image says nothing about others.
_FEWEST_IMAGES = 2
_ANY_LOSS = (-100.0, 100.0)
# Labels of one image are found or missed together: those of a crowd do not vouch for that many images.
_MOST_LABELS_OF_AN_IMAGE = 10


@dataclass(frozen=True)
class MapLoss:
    """Points of mAP50-95 that a network loses against its reference, with a 95 % interval over images."""

    points: float
    ci95: tuple[float, float]


class MapReference:
    """The reference's side: its score on each resample, computed once for all networks held against it."""

    def __init__(self, matched: Sequence[Matches], seed: int = 0) -> None:
        images = len(matched)
        draws = np.random.default_rng(seed).integers(images, size=(_RESAMPLES, images))
        self._counts = np.stack([np.bincount(draw, minlength=images) for draw in draws])
        self._map = map50_95(matched)
        self._resampled = self._scores(matched)
        self._widening = _widening(images) if images >= _FEWEST_IMAGES else 1.0
        self._unseen = unseen_loss([len(outcome.label_classes) for outcome in matched])

    def loss(self, matched: Sequence[Matches]) -> MapLoss:
        """Return what a network loses; `matched` are its outcomes on the same images, in the same order.

        Where few outcomes differ, resamples hardly scatter, so the interval reaches as far at least as `unseen_loss`.
        """
        points = (self._map - map50_95(matched)) * 100
        if len(matched) < _FEWEST_IMAGES:
            return MapLoss(points, _ANY_LOSS)
        differences = (self._resampled - self._scores(matched)) * 100
        ends = np.quantile(differences, ((1 - _CONFIDENCE) / 2, (1 + _CONFIDENCE) / 2))
        low, high = (float(points + (end - points) * self._widening) for end in ends)
        return MapLoss(points, (min(low, points - self._unseen), max(high, points + self._unseen)))

    def _scores(self, matched: Sequence[Matches]) -> Values:
        ranked = _by_class(matched)
        return np.array([_score(ranked, counts) for counts in self._counts])


@dataclass(frozen=True)
class _Ranked:
    """One class over all images: its n detections, best score first, with their images, and the labels an image has."""

    correct: BoolArray
    images: IntArray
    labels: IntArray


def _by_class(matched: Sequence[Matches]) -> tuple[_Ranked, ...]:
    """Rank once what every resample needs."""
    correct, scores, classes, label_classes = (
        np.concatenate([getattr(outcome, name) for outcome in matched])
        for name in ("correct", "scores", "classes", "label_classes")
    )
    numbers = np.arange(len(matched))
    images = np.repeat(numbers, [len(outcome.scores) for outcome in matched])
    labelled = np.repeat(numbers, [len(outcome.label_classes) for outcome in matched])
    found = []
    for number in np.unique(label_classes):
        mine = np.flatnonzero(classes == number)
        order = mine[np.argsort(-scores[mine], kind="stable")]
        labels = np.bincount(labelled[label_classes == number], minlength=len(matched))
        found.append(_Ranked(correct[order], images[order], labels))
    return tuple(found)


def _score(ranked: Sequence[_Ranked], counts: IntArray) -> float:
    """Return the mean average precision where each image counts that often; a class without a label left drops out."""
    found = [
        areas(np.repeat(it.correct, counts[it.images], axis=0), int(it.labels @ counts)).mean()
        for it in ranked
        if it.labels @ counts
    ]
    return float(np.mean(found)) if found else 0.0


def unseen_loss(labels: Sequence[int]) -> float:
    """Return how many points may be lost though no outcome differs; `labels` counts those of each image.

    Where a share q of the labels is found no more, about 100 q points are lost. The 95 % interval of a share of which m
    labels showed none ends at 1 − 0.025^(1/m), about 3.7/m: Clopper and Pearson, Biometrika 26 (1934); with one side
    alone it is the rule of three.
    """
    counted = sum(min(count, _MOST_LABELS_OF_AN_IMAGE) for count in labels)
    return float(100 * (1 - ((1 - _CONFIDENCE) / 2) ** (1 / counted))) if counted else _ANY_LOSS[1]


def _widening(images: int) -> float:
    """Return by how much few images make the interval of resamples too narrow: Student's t over the normal quantile."""
    # Not scipy.stats, which takes half a second to import.
    from scipy.special import ndtri, stdtrit

    tail = (1 + _CONFIDENCE) / 2
    return float(stdtrit(images - 1, tail) / ndtri(tail) * np.sqrt(images / (images - 1)))
