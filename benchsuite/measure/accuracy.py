"""Accuracy and detections of an artifact, evaluated once and then kept beside the artifacts."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchsuite.artifacts.recipe import Artifact
from benchsuite.data.dataset import load_dataset, spread
from benchsuite.data.images import data_digest
from benchsuite.detect.accuracy import Accuracy
from benchsuite.detect.detections import Detections, load_detections
from benchsuite.machine.facts import Machine
from benchsuite.machine.files import write_whole
from benchsuite.measure.launch import Launch
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.codec import from_builtins, to_builtins

# Part of every key: raise it with any change to letterboxing, decoding, NMS or scoring.
_VERSION = 3


@dataclass(frozen=True)
class Evaluation:
    """What an artifact detects on the evaluated images, and how well.

    `detections` are those of a deployment; `scored_file` holds the many more of low score that accuracy is made of.
    """

    detections: tuple[Detections, ...]
    accuracy: Accuracy | Absent
    scored_file: Path


@dataclass(frozen=True)
class EvaluationData:
    """The images that are evaluated, with the digest that covers their bytes and labels."""

    yaml: Path
    names: tuple[str, ...]
    images: tuple[Path, ...]
    sha256: str


def evaluation_data(yaml: Path, images: int | None) -> EvaluationData:
    """Choose that many images of the val split, spread evenly over it; None is all of them."""
    dataset = load_dataset(yaml)
    split = dataset.splits["val"]
    chosen = split if images is None else spread(split, images)
    return EvaluationData(yaml, dataset.names, chosen, data_digest(chosen))


def evaluate_once(
    case: Case,
    artifact: Artifact,
    names: tuple[str, ...],
    data: EvaluationData,
    machine: Machine,
    cache_root: Path,
    launch: Callable[[], Launch],
) -> Evaluation:
    """Return the kept evaluation of this artifact, runtime and data, or let the launch's worker make it."""
    folder = cache_root / "evaluations"
    key = evaluation_key(case, artifact, data, machine)
    result, detections, scored_file = (folder / f"{key}{end}" for end in (".json", ".npz", "-scored.npz"))
    mismatch = class_mismatch(names, data.names)
    if not (result.is_file() and detections.is_file() and scored_file.is_file()):
        folder.mkdir(parents=True, exist_ok=True)
        partial = [folder / f".{key}.{os.getpid()}{end}" for end in (".npz", "-scored.npz")]
        scored = launch().evaluate(data.images, data.yaml, data.sha256, mismatch is None, *partial)
        partial[0].replace(detections)
        partial[1].replace(scored_file)
        write_whole(result, json.dumps(scored))
    kept = json.loads(result.read_text())
    accuracy: Accuracy | Absent
    if mismatch is not None:
        accuracy = Absent(mismatch)
    elif "absent" in kept:
        accuracy = from_builtins(kept, Absent)
    else:
        accuracy = from_builtins(kept, Accuracy)
    return Evaluation(tuple(load_detections(detections)), accuracy, scored_file)


def class_mismatch(model: tuple[str, ...], data: tuple[str, ...]) -> str | None:
    """Say why the data's labels cannot score the model, or None if they can."""
    if len(model) == len(data):
        return None
    return (
        f"the model knows {len(model)} classes and the data has {len(data)}: "
        "name the data it was trained for with --data"
    )


def evaluation_key(case: Case, artifact: Artifact, data: EvaluationData, machine: Machine) -> str:
    """Digest everything that can change a detection: artifact, data, how it is run, versions, instruction set."""
    names = ("backend", "precision", "device", "imgsz", "batch", "head", "variant")
    run = {name: getattr(case, name) for name in names}
    facts = [_VERSION, artifact.sha256, data.sha256, run, dict(machine.packages), machine.arch, list(machine.isa)]
    return hashlib.sha256(json.dumps(to_builtins(facts), sort_keys=True).encode()).hexdigest()[:24]
