"""What an artifact loses of the accuracy that PyTorch FP32 of its weights has on the same images."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from benchsuite.data.images import read_image
from benchsuite.data.labels import Labels
from benchsuite.data.truth import read_truth
from benchsuite.detect.accuracy import Matches, outcomes
from benchsuite.detect.bootstrap import MapLoss, MapReference
from benchsuite.detect.detections import load_detections
from benchsuite.measure.accuracy import Evaluation, EvaluationData
from benchsuite.measure.measurement import AccuracyLoss
from benchsuite.terms.absence import Absent
from benchsuite.terms.said import said


class Losses:
    """Holds evaluations of one data set against their references; each reference is drawn again and again only once."""

    def __init__(self, data: EvaluationData) -> None:
        self._data = data
        self._references: dict[Path, MapReference] = {}

    def of(
        self, candidate: Evaluation, reference: Evaluation, name: str, calibrated_on: int = 0
    ) -> AccuracyLoss | Absent:
        """Return what a candidate loses against the reference of that name; absent where either has no accuracy."""
        if isinstance(candidate.accuracy, Absent):
            return candidate.accuracy
        if isinstance(reference.accuracy, Absent):
            return Absent(said("{1} has no accuracy: {2}", name, reference.accuracy.reason))
        loss = self._held(candidate, reference)
        return AccuracyLoss(
            points=loss.points,
            ci95=loss.ci95,
            images=len(self._data.images),
            reference=name,
            reference_map50=reference.accuracy.map50,
            reference_map50_95=reference.accuracy.map50_95,
            calibrated_on=calibrated_on,
        )

    def _held(self, candidate: Evaluation, reference: Evaluation) -> MapLoss:
        if candidate.scored_file == reference.scored_file:
            # Nothing of it is open: other images would not tell a network from itself either.
            return MapLoss(0.0, (0.0, 0.0))
        if reference.scored_file not in self._references:
            self._references[reference.scored_file] = MapReference(self.matched(reference))
        return self._references[reference.scored_file].loss(self.matched(candidate))

    def matched(self, evaluation: Evaluation) -> tuple[Matches, ...]:
        """Match what was scored with the labels."""
        return outcomes(load_detections(evaluation.scored_file), self._labels)

    @cached_property
    def _labels(self) -> tuple[Labels, ...]:
        found = []
        for path in self._data.images:
            labels = read_truth(path, self._data.names, self._data.keypoint_columns).labels
            if not labels.left_out:
                height, width = read_image(path).shape[:2]
                labels = labels.scaled(width, height)
            found.append(labels)
        return tuple(found)
