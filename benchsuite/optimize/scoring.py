"""What lighter weights are worth: size, operations and accuracy beside the weights that they were made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchsuite.detect.accuracy import Accuracy
from benchsuite.measure.accuracy_loss import Losses
from benchsuite.measure.measurement import AccuracyLoss, Complexity
from benchsuite.options.settings import parse
from benchsuite.runs.preparation import Preparation
from benchsuite.runs.site import open_site
from benchsuite.terms.absence import Absent

_REFERENCE = "the weights as given"


@dataclass(frozen=True)
class ScoredWeights:
    """One checkpoint, evaluated by PyTorch FP32; `loss` is against the first of those that were scored with it."""

    name: str
    file_bytes: int
    complexity: Complexity
    accuracy: Accuracy | Absent
    loss: AccuracyLoss | Absent


def score(
    weights: Mapping[str, Path], options: Mapping[str, str], say: Callable[[str], None]
) -> tuple[ScoredWeights, ...]:
    """Evaluate checkpoints by their names, on the same images and at the same size."""
    models = ",".join(f"{name}={path}" for name, path in weights.items())
    asked = {**options, "model": models, "backend": "torch", "precision": "fp32", "device": "cpu"}
    site, cases = open_site(parse(asked), say)
    preparation = Preparation(site)
    losses = Losses(preparation.data)
    subjects = {case.model: preparation.subject(case) for case in cases}
    evaluations = {name: preparation.evaluate(subject) for name, subject in subjects.items()}
    reference = next(iter(evaluations.values()))
    return tuple(
        ScoredWeights(
            name,
            path.stat().st_size,
            subject.complexity,
            evaluations[subject.case.model].accuracy,
            losses.of(evaluations[subject.case.model], reference, _REFERENCE),
        )
        for (name, path), subject in zip(weights.items(), subjects.values(), strict=True)
    )
