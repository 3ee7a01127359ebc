"""From a model's name or path to checked weights on disk."""

from __future__ import annotations

import hashlib
import pickletools
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchsuite.terms.cases import slug
from benchsuite.terms.errors import ModelError, UsageError, raise_all
from benchsuite.terms.reading import why

BUNDLED = "yolo26n_shapes"
_ENCRYPTED = 0x1
_MOST_GROWTH = 20
# What describes a network beside its weights takes a small part of these.
_MOST_PICKLE_BYTES = 32_000_000
_MOST_OPCODES = 1_000_000
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
    for name in names:
        try:
            models.append(_resolve_one(name, cache_root))
        except ModelError as error:
            problems.append(str(error))
    by_slug: dict[str, ModelRef] = {}
    for model in models:
        twin = by_slug.setdefault(model.slug, model)
        if twin is not model:
            problems.append(
                f"--model {model.name}: it has the same name ({model.slug}) as {twin.name}, and ids would clash; "
                "rename one of the files."
            )
    try:
        raise_all(problems)
    except UsageError as error:
        raise ModelError(str(error)) from None
    return tuple(models)


def _resolve_one(name: str, cache_root: Path) -> ModelRef:
    if name in (BUNDLED, f"{BUNDLED}.pt") and not Path(name).exists():
        return ModelRef(BUNDLED, name, Path(__file__).with_name(f"{BUNDLED}.pt"))
    path = Path(name)
    if path.suffix == ".pt" and path.is_file():
        check_checkpoint(path)
        return ModelRef(slug(path.stem), name, path.resolve())
    if _OFFICIAL.fullmatch(name):
        fetched = cache_root / "weights" / f"{path.stem}.pt"
        return ModelRef(slug(path.stem), name, fetched if fetched.is_file() else None)
    found = "it is not a .pt file" if path.exists() else "there is no such file"
    raise ModelError(
        f"--model {name}: {found}; give {BUNDLED}, a path to a YOLO detection .pt, "
        "or an official name such as yolo26n.pt, yolo11s.pt or yolov8m.pt."
    )


def check_checkpoint(path: Path) -> None:
    """Raise ModelError unless the file is a whole PyTorch checkpoint that holds a detection model.

    Reads the pickle's class names as data; nothing in the file is run.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _refuse_bomb(path, archive)
            member = next(it for it in archive.infolist() if it.filename.endswith("data.pkl"))
            with archive.open(member) as file:
                pickle = file.read(_MOST_PICKLE_BYTES + 1)
            classes = _class_names(pickle)
    except ModelError:
        raise
    except OSError as error:
        raise ModelError(f"--model {path}: it cannot be read: {why(error)}.") from None
    except Exception:  # Whatever zipfile, zlib and pickletools make of a damaged file.
        raise ModelError(
            f"--model {path}: it is damaged or no PyTorch checkpoint; give a .pt file that Ultralytics saved."
        ) from None
    if _DETECTOR in classes:
        return
    task = next((task for name, task in _TASKS.items() if name in classes), None)
    kind = f"holds a {task} model" if task else "holds no Ultralytics detection model"
    raise ModelError(f"--model {path}: it {kind}; benchsuite measures detection models (YOLO26, YOLO11, YOLOv8) only.")


def _refuse_bomb(path: Path, archive: zipfile.ZipFile) -> None:
    """Raise ModelError for an archive that torch could not load, or that would fill the memory."""
    members = archive.infolist()
    if any(member.flag_bits & _ENCRYPTED for member in members):
        raise ModelError(f"--model {path}: it is encrypted; give the .pt file as Ultralytics saved it.")
    size_bytes = path.stat().st_size
    unpacked_bytes = sum(member.file_size for member in members)
    # PyTorch compresses nothing.
    if unpacked_bytes > _MOST_GROWTH * size_bytes:
        raise ModelError(
            f"--model {path}: its {size_bytes:,} bytes unpack to {unpacked_bytes:,}, as no network's do; give the .pt "
            "file as Ultralytics saved it."
        )


def _class_names(pickle: bytes) -> set[str]:
    """Return the classes that a pickle names; raises ValueError for one that is larger than any checkpoint's."""
    found: set[str] = set()
    for number, (opcode, argument, _) in enumerate(pickletools.genops(pickle)):
        if number > _MOST_OPCODES:
            raise ValueError("no checkpoint has so many parts")
        if opcode.name == "GLOBAL":
            found.add(str(argument))
    return found


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
