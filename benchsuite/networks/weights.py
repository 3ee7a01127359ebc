"""From a model's name or path to checked weights on disk."""

from __future__ import annotations

import hashlib
import pickletools
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchsuite.networks.names import names_of, read_model
from benchsuite.terms.errors import ModelError, UsageError, raise_all

BUNDLED = "yolo26n_shapes"
_OFFICIAL = re.compile(r"(yolo26|yolo11|yolov8)[nsmlx](\.pt)?")
_DETECTOR = "ultralytics.nn.tasks DetectionModel"
_TASKS = {
    "ultralytics.nn.tasks SegmentationModel": "segmentation",
    "ultralytics.nn.tasks PoseModel": "pose",
    "ultralytics.nn.tasks ClassificationModel": "classification",
    "ultralytics.nn.tasks OBBModel": "oriented-box",
}


@dataclass(frozen=True)
class ModelRef:
    """A model as asked for; `path` is None for an official name that is not on this disk yet."""

    slug: str
    name: str
    path: Path | None


def resolve(names: Sequence[str], cache_root: Path) -> tuple[ModelRef, ...]:
    """Find each model's weights and check, without running any of their code, that they are a detector's.

    Raises one ModelError for all that is wrong. An official name that is not on disk is left to `fetch`.
    """
    models, problems = [], []
    for name, model_slug in zip(names, names_of(names), strict=True):
        try:
            models.append(_resolve_one(name, model_slug, cache_root))
        except ModelError as error:
            problems.append(str(error))
    by_slug: dict[str, ModelRef] = {}
    for model in models:
        twin = by_slug.setdefault(model.slug, model)
        if twin is not model:
            problems.append(
                f"--model {model.name}: it has the same name ({model.slug}) as {twin.name}, and ids would clash; "
                f"give one of them a name of its own, as in --model other={model.name}."
            )
    try:
        raise_all(problems)
    except UsageError as error:
        raise ModelError(str(error)) from None
    return tuple(models)


def _resolve_one(asked: str, model_slug: str, cache_root: Path) -> ModelRef:
    name = read_model(asked).path
    try:
        name.encode()
    except UnicodeEncodeError:
        shown = name.encode(errors="backslashreplace").decode()
        raise ModelError(
            f"--model {shown}: its path is not valid UTF-8, and records hold nothing else; rename it, or name a "
            "link to it."
        ) from None
    path = Path(name)
    try:
        is_there = path.exists()
    except OSError:
        # It is longer than what files can be called.
        is_there = False
    if name in (BUNDLED, f"{BUNDLED}.pt") and not is_there:
        return ModelRef(model_slug, name, Path(__file__).with_name(f"{BUNDLED}.pt"))
    if path.suffix == ".pt" and is_there and path.is_file():
        check_checkpoint(path)
        return ModelRef(model_slug, name, path.resolve())
    if _OFFICIAL.fullmatch(name):
        fetched = cache_root / "weights" / f"{path.stem}.pt"
        return ModelRef(model_slug, name, fetched if fetched.is_file() else None)
    found = "it is not a .pt file" if is_there else "there is no such file"
    raise ModelError(
        f"--model {asked}: {found}; give {BUNDLED}, a path to a YOLO detection .pt, "
        "or an official name such as yolo26n.pt, yolo11s.pt or yolov8m.pt."
    )


def check_checkpoint(path: Path) -> None:
    """Raise ModelError unless the file is a whole PyTorch checkpoint that holds a detection model.

    Reads the pickle's class names as data; nothing in the file is run.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            pickle_name = next(name for name in archive.namelist() if name.endswith("data.pkl"))
            classes = _class_names(archive.read(pickle_name))
    except (zipfile.BadZipFile, StopIteration, OSError, ValueError):
        raise ModelError(
            f"--model {path}: it is damaged or no PyTorch checkpoint; give a .pt file that Ultralytics saved."
        ) from None
    if _DETECTOR in classes:
        return
    task = next((task for name, task in _TASKS.items() if name in classes), None)
    kind = f"holds a {task} model" if task else "holds no Ultralytics detection model"
    raise ModelError(f"--model {path}: it {kind}; benchsuite measures detection models (YOLO26, YOLO11, YOLOv8) only.")


def _class_names(pickle: bytes) -> set[str]:
    return {str(argument) for opcode, argument, _ in pickletools.genops(pickle) if opcode.name == "GLOBAL"}


def fetch(model: ModelRef, cache_root: Path, log: Path) -> Path:
    """Return the path of the weights, letting Ultralytics download an official model that is not on disk.

    Raises ModelError in one sentence where there is no network.
    """
    from benchsuite.machine.processes import Child, offline_environment
    from benchsuite.terms.errors import ProcessError

    if model.path is not None:
        return model.path
    folder = cache_root / "weights"
    folder.mkdir(parents=True, exist_ok=True)
    environment = offline_environment(cache_root, offline=False)
    child = Child.start("benchsuite.networks.fetch", log, environment, name="download")
    try:
        answer = child.request("fetch", deadline_s=600, name=f"{Path(model.name).stem}.pt", folder=str(folder))
    except ProcessError:
        raise ModelError(
            f"--model {model.name}: Ultralytics could not download it (is there a network?); "
            f"give a path to the file, or put it at {folder / Path(model.name).stem}.pt."
        ) from None
    finally:
        child.close()
    path = Path(answer["path"])
    check_checkpoint(path)
    return path


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()
