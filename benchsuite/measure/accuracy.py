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
from benchsuite.machine.cache import CacheEntry, digest_entries, mark_used
from benchsuite.machine.facts import Machine
from benchsuite.machine.json_files import read_kept, write_kept
from benchsuite.measure.launch import Launch
from benchsuite.networks.weights import file_sha256
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.codec import to_builtins
from benchsuite.terms.errors import PassingError, RecordError, SessionError
from benchsuite.terms.said import said

# Part of every key: raise it with any change to letterboxing, decoding, NMS or scoring.
_VERSION = 3
_FOLDER = "evaluations"


@dataclass(frozen=True)
class Evaluation:
    """What an artifact detects on the evaluated images, and how well.

    `detections` are those of a deployment; `scored_file` holds the many more of low score that accuracy is made of.
    `notes` say what was odd about the kept files.
    """

    detections: tuple[Detections, ...]
    accuracy: Accuracy | Absent
    scored_file: Path
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scored:
    """How well the detections score: what is kept of an evaluation beside them, with the digests of their files."""

    accuracy: Accuracy | Absent
    detections_sha256: str
    scored_sha256: str


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
    """Return the kept evaluation of this artifact, runtime and data, or let the launch's worker make it.

    A kept one that is damaged or was altered is made again, with a note. Raises SessionError where the system does not
    hand it out just now.
    """
    folder = cache_root / _FOLDER
    key = evaluation_key(case, artifact, data, machine)
    result, detections, scored_file = (folder / f"{key}{end}" for end in (".json", ".npz", "-scored.npz"))
    notes: tuple[str, ...] = ()
    if result.is_file() and detections.is_file() and scored_file.is_file():
        try:
            kept = read_kept(result, Scored, "it is made again")
            # Whoever asks for what was scored must find it whole.
            load_detections(scored_file, "they are made again", kept.scored_sha256)
            found = tuple(load_detections(detections, "they are made again", kept.detections_sha256))
        except PassingError as error:
            raise SessionError(str(error)) from None
        except RecordError as damage:
            notes = (str(damage),)
        else:
            mark_used(result)
            return Evaluation(found, kept.accuracy, scored_file)
    folder.mkdir(parents=True, exist_ok=True)
    partial = [folder / f".{key}.{os.getpid()}{end}" for end in (".npz", "-scored.npz")]
    mismatch = class_mismatch(names, data.names)
    accuracy: Accuracy | Absent = launch().evaluate(data.images, data.yaml, data.sha256, mismatch is None, *partial)
    if mismatch is not None:
        accuracy = Absent(mismatch)
    digests = [file_sha256(path) for path in partial]
    partial[0].replace(detections)
    partial[1].replace(scored_file)
    write_kept(result, Scored(accuracy, *digests))
    return Evaluation(tuple(load_detections(detections)), accuracy, scored_file, notes)


def kept_evaluations(cache_root: Path) -> tuple[CacheEntry, ...]:
    """Return the evaluations that are kept."""
    return digest_entries(cache_root / _FOLDER, "evaluation")


def class_mismatch(model: tuple[str, ...], data: tuple[str, ...]) -> str | None:
    """Say why the data's labels cannot score the model, or None if they can."""
    if len(model) == len(data):
        return None
    others = "the model knows {1} classes and the data has {2}: name the data it was trained for with --data"
    return said(others, len(model), len(data))


def evaluation_key(case: Case, artifact: Artifact, data: EvaluationData, machine: Machine) -> str:
    """Digest everything that decides detections and accuracy.

    That is the artifact, the data with its class names, how it is run, versions and the instruction set.
    """
    names = ("backend", "precision", "device", "imgsz", "batch", "head", "variant")
    run = {name: getattr(case, name) for name in names}
    facts = [
        _VERSION, artifact.sha256, data.sha256, data.names, run, dict(machine.packages), machine.arch, machine.isa,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(to_builtins(facts), sort_keys=True).encode()).hexdigest()[:24]
