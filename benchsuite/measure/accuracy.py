"""Accuracy and detections of an artifact, evaluated once and then kept beside the artifacts."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchsuite.artifacts.recipe import Artifact
from benchsuite.data.dataset import Dataset, load_dataset, spread
from benchsuite.data.images import data_digest
from benchsuite.data.labels import unusable_labels
from benchsuite.detect.accuracy import Accuracy
from benchsuite.detect.detections import Detections, load_detections
from benchsuite.detect.postprocess import DEPLOY, EVAL
from benchsuite.machine.cache import CacheEntry, digest_entries, mark_used
from benchsuite.machine.facts import Machine, gpu_of
from benchsuite.machine.files import cannot_write
from benchsuite.machine.json_files import read_kept, write_kept
from benchsuite.measure.launch import Launch
from benchsuite.networks.weights import file_sha256
from benchsuite.terms.absence import NOT_SELECTED, Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.codec import to_builtins
from benchsuite.terms.errors import PassingError, RecordError, SessionError, UsageError
from benchsuite.terms.said import Sentence, said

# Part of every key: raise it with any change to letterboxing, decoding, NMS or scoring, but for their settings.
_VERSION = 4
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
    """The images that are evaluated, with the digest that covers their bytes and labels.

    `unusable` says why their labels can score no model, and is empty where they can.
    """

    yaml: Path
    names: tuple[str, ...]
    images: tuple[Path, ...]
    sha256: str
    unusable: str = ""
    keypoint_columns: int = 0


def evaluation_data(yaml: Path, images: int | None) -> EvaluationData:
    """Choose that many images of the val split, spread evenly over it; None is all of them."""
    dataset = load_dataset(yaml)
    chosen = evaluated_images(dataset, images)
    unusable = unusable_labels(chosen, dataset.names, dataset.keypoint_columns) or ""
    return EvaluationData(yaml, dataset.names, chosen, data_digest(chosen), unusable, dataset.keypoint_columns)


def evaluated_images(dataset: Dataset, images: int | None) -> tuple[Path, ...]:
    """Choose that many images of the val split, spread evenly over it; None is all of them."""
    split = dataset.splits["val"]
    return split if images is None else spread(split, images)


def evaluate_once(
    case: Case,
    artifact: Artifact,
    names: tuple[str, ...],
    data: EvaluationData,
    machine: Machine,
    cache_root: Path,
    launch: Callable[[], Launch],
    unscored: Sentence = "",
) -> Evaluation:
    """Return the kept evaluation of this artifact, runtime and data, or let the launch's worker make it.

    `unscored` says why its accuracy would be worth nothing, where that is known.

    A kept one that is damaged or was altered is made again, with a note. Raises SessionError where the system does not
    hand it out just now.
    """
    folder = cache_root / _FOLDER
    key = evaluation_key(case, artifact, data, machine)
    result, detections, scored_file = _files(folder, key)
    notes: tuple[str, ...] = ()
    unscored = unscored or class_mismatch(names, data.names) or data.unusable or ""
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
            if unscored or kept.accuracy != NOT_SELECTED:
                mark_used(result)
                return Evaluation(found, Absent(unscored) if unscored else kept.accuracy, scored_file)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SessionError(cannot_write(folder, error)) from None
    partial = [folder / f".{key}.{os.getpid()}{end}" for end in (".npz", "-scored.npz")]
    accuracy: Accuracy | Absent = launch().evaluate(data.images, data.yaml, data.sha256, not unscored, *partial)
    try:
        digests = [file_sha256(path) for path in partial]
        partial[0].replace(detections)
        partial[1].replace(scored_file)
        # Why it was not scored depends on the model's class names, which the key does not hold.
        write_kept(result, Scored(accuracy, *digests))
    except (OSError, UsageError) as error:
        why = cannot_write(folder, error) if isinstance(error, OSError) else str(error)
        raise SessionError(why) from None
    accuracy = Absent(unscored) if unscored else accuracy
    return Evaluation(tuple(load_detections(detections)), accuracy, scored_file, notes)


def is_kept(case: Case, artifact: Artifact, data: EvaluationData, machine: Machine, cache_root: Path) -> bool:
    """Say whether an evaluation is kept, whole or not."""
    return all(path.is_file() for path in _files(cache_root / _FOLDER, evaluation_key(case, artifact, data, machine)))


def _files(folder: Path, key: str) -> tuple[Path, Path, Path]:
    return folder / f"{key}.json", folder / f"{key}.npz", folder / f"{key}-scored.npz"


def kept_evaluations(cache_root: Path) -> tuple[CacheEntry, ...]:
    """Return the evaluations that are kept."""
    return digest_entries(cache_root / _FOLDER, "evaluation")


def class_mismatch(model: tuple[str, ...], data: tuple[str, ...]) -> str | None:
    """Say why the data's labels cannot score the model, or None if they can.

    Names that differ only in case, spaces, hyphens and underscores are the same; mere numbers say nothing.
    """
    if len(model) != len(data):
        others = "the model knows {1} classes and the data has {2}: name the data it was trained for with --data"
        return said(others, len(model), len(data))
    ours, theirs = [_plain(name) for name in model], [_plain(name) for name in data]
    differing = [number for number, pair in enumerate(zip(ours, theirs, strict=True)) if pair[0] != pair[1]]
    if not differing or all(map(_NUMBERED.fullmatch, ours)) or all(map(_NUMBERED.fullmatch, theirs)):
        return None
    first = differing[0]
    called = said("class {1} is {2} to the model and {3} in the data", first, model[first], data[first])
    if sorted(ours) == sorted(theirs):
        return said("{1}, which names the same classes in another order: number its labels as the model does", called)
    if not set(ours) & set(theirs):
        return said("{1}, and no other name agrees either: {2}", called, _OTHER_CLASSES)
    return said("{1}: {2}", called, _OTHER_CLASSES)


UNTRAINED = "its weights are random, of a yaml: it finds nothing"
_OTHER_CLASSES = "name the data it was trained for with --data, or give the same classes the model's names in data.yaml"
# What networks and data sets are given where nobody named their classes.
_NUMBERED = re.compile(r"(class|cls|object|item|label)?[0-9]+")


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name).casefold()


def evaluation_key(case: Case, artifact: Artifact, data: EvaluationData, machine: Machine) -> str:
    """Digest everything that decides detections and accuracy.

    That is the artifact, the data with its class names, how it is run, the settings of postprocessing, versions, the
    instruction set, and the GPU with its driver.
    """
    names = ("backend", "precision", "device", "imgsz", "batch", "head", "variant")
    run = {name: getattr(case, name) for name in names}
    gpu = gpu_of(case.device, machine)
    facts = [
        _VERSION, artifact.sha256, data.sha256, data.names, data.keypoint_columns, run, DEPLOY, EVAL,
        dict(machine.packages), machine.arch, machine.isa, [gpu.name, machine.gpu_driver] if gpu else [],
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(to_builtins(facts), sort_keys=True).encode()).hexdigest()[:24]
