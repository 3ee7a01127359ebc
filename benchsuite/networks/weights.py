"""From a model's name or path to checked weights on disk."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchsuite.networks.names import names_of, read_model
from benchsuite.networks.pickled import Pickled, read_pickled
from benchsuite.terms.errors import ModelError, UsageError, raise_all
from benchsuite.terms.said import said

BUNDLED = "yolo26n_shapes"
_OFFICIAL = re.compile(r"(yolo26|yolo11|yolov8)[nsmlx](\.pt)?")
_SUFFIX = ".pt"
_YAML = (".yaml", ".yml")
_DETECTOR = "ultralytics.nn.tasks DetectionModel"
_OTHERS = {
    "ultralytics.nn.tasks SegmentationModel": "a segmentation model",
    "ultralytics.nn.tasks PoseModel": "a pose model",
    "ultralytics.nn.tasks ClassificationModel": "a classification model",
    "ultralytics.nn.tasks OBBModel": "an oriented-box model",
    "ultralytics.nn.tasks RTDETRDetectionModel": "an RT-DETR model",
    "ultralytics.nn.tasks WorldModel": "a YOLO-World model",
    "ultralytics.nn.tasks YOLOEModel": "a YOLOE model",
    "models.yolo Model": "a YOLOv5 model of the yolov5 repository",
    "models.yolo DetectionModel": "a YOLOv5 model of the yolov5 repository",
}


@dataclass(frozen=True)
class ModelRef:
    """A model as asked for; `path` is None for an official name, or a yaml, whose weights are not on this disk yet."""

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
    there = os.path.exists(name)  # noqa: PTH110 (a name that no file can have is none, too)
    if name in (BUNDLED, f"{BUNDLED}.pt") and not there:
        return ModelRef(model_slug, name, Path(__file__).with_name(f"{BUNDLED}.pt"))
    if path.suffix.lower() == _SUFFIX and there and path.is_file():
        check_checkpoint(path)
        return ModelRef(model_slug, name, path.resolve())
    if is_yaml(name) and (there or _OFFICIAL.fullmatch(path.stem)):
        made = _untrained_path(path, cache_root)
        return ModelRef(model_slug, name, made if made.is_file() else None)
    if _OFFICIAL.fullmatch(name):
        fetched = cache_root / "weights" / f"{path.stem}.pt"
        return ModelRef(model_slug, name, fetched if fetched.is_file() else None)
    found = "there is no such file"
    if there:
        found = "it is a folder" if path.is_dir() else "it is neither a .pt file nor a .yaml"
    raise ModelError(
        f"--model {asked}: {found}; give {BUNDLED}, a path to a YOLO detection .pt, an official name such as "
        "yolo26n.pt, yolo11s.pt or yolov8m.pt, or a .yaml for random weights."
    )


def check_checkpoint(path: Path) -> None:
    """Raise ModelError unless the file is a whole PyTorch checkpoint that holds a detection model.

    Reads the pickle's class names as data; nothing in the file is run.
    """
    found = read_pickled(path)
    if isinstance(found, str):
        raise ModelError(f"--model {path}: {found}; give a .pt file that Ultralytics saved.")
    problem = _unfit(found)
    if problem:
        raise ModelError(f"--model {path}: it {problem}")


def _unfit(found: Pickled) -> str:
    """Say why what is pickled cannot be measured, or nothing."""
    script = sorted(name.partition(" ")[2] for name in found.classes if name.startswith("__main__ "))
    if script:
        return (
            f"holds {', '.join(script)} of the script that saved it (__main__), which no other program can load: move "
            "it into a module that can be imported, load the weights there and save them again."
        )
    if _DETECTOR not in found.classes:
        kind = next((kind for name, kind in _OTHERS.items() if name in found.classes), "no Ultralytics detection model")
        return f"holds {kind}; benchsuite measures detection models (YOLO26, YOLO11, YOLOv8) only."
    if found.outermost == _DETECTOR:
        return (
            "is a module that was pickled whole, without the checkpoint around it: load it where it was made and save "
            "it with torch.save({'model': module}, path)."
        )
    return ""


def fetch(model: ModelRef, cache_root: Path, log: Path, classes: Sequence[str] = ()) -> Path:
    """Return the path of the weights, letting Ultralytics download or build what is not on disk.

    Random weights of a yaml know `classes` in place of the yaml's own where there are any. Raises ModelError in one
    sentence where there is no network, or a yaml describes no detector.
    """
    from benchsuite.machine.files import cannot_write, is_full
    from benchsuite.machine.processes import Child, offline_environment
    from benchsuite.terms.errors import ProcessError

    if is_yaml(model.name):
        return _untrained(model.name, cache_root, log, classes)
    if model.path is not None:
        return model.path
    folder = cache_root / "weights"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelError(cannot_write(folder, error)) from None
    environment = offline_environment(cache_root, offline=False)
    child = Child.start("benchsuite.networks.fetch", log, environment, name="download", descendants=True)
    try:
        answer = child.request("fetch", deadline_s=600, name=f"{Path(model.name).stem}.pt", folder=str(folder))
    except ProcessError as error:
        if is_full(folder):
            raise ModelError(said("no space is left on the disk of {1}: {2}", folder, error)) from None
        raise ModelError(
            f"--model {model.name}: Ultralytics could not download it (is there a network?); "
            f"give a path to the file, or put it at {folder / Path(model.name).stem}.pt."
        ) from None
    finally:
        child.close()
    path = Path(answer["path"])
    check_checkpoint(path)
    return path


def is_yaml(name: str) -> bool:
    """Say whether a model's name is that of a yaml, which has no weights."""
    return Path(name).suffix.lower() in _YAML


def _untrained(name: str, cache_root: Path, log: Path, classes: Sequence[str]) -> Path:
    """Return random weights of a yaml, built if need be."""
    from benchsuite.machine.processes import Child, offline_environment
    from benchsuite.terms.errors import ProcessError

    output = _untrained_path(Path(name), cache_root, classes)
    if output.is_file():
        return output
    output.parent.mkdir(parents=True, exist_ok=True)
    child = Child.start("benchsuite.networks.fetch", log, offline_environment(cache_root), name="builder")
    try:
        child.request("build", deadline_s=600, yaml=name, output=str(output), classes=list(classes))
    except ProcessError as error:
        raise ModelError(said("--model {1}: {2}", name, error)) from None
    finally:
        child.close()
    return output


def _untrained_path(yaml: Path, cache_root: Path, classes: Sequence[str] = ()) -> Path:
    """Return where random weights of a yaml lie: by what it says, or by its name where it is Ultralytics' own."""
    content = yaml.read_bytes() if yaml.is_file() else b""
    digest = hashlib.sha256("\0".join((yaml.name, *classes, "")).encode() + content).hexdigest()[:12]
    return cache_root / "weights" / f"{yaml.stem}-random-{digest}.pt"


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()
