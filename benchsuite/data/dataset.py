"""A data set as its data.yaml describes it: class names, splits of images, and which of them calibrate."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchsuite.terms.errors import DataError
from benchsuite.terms.printable import excerpt, printable
from benchsuite.terms.reading import MOST_RECORDED_BYTES, read_text, why

# The formats that Ultralytics lists; anything else in a folder is passed over.
IMAGE_SUFFIXES = (
    ".avif", ".bmp", ".dng", ".heic", ".heif", ".jp2", ".jpeg", ".jpg", ".mpo", ".png", ".tif", ".tiff", ".webp",
)  # fmt: skip
_CHANNELS, _MOST_CLASSES = 3, 100_000
# These lead everywhere and back, the first being the root of all, and hold no pictures.
_OF_THE_SYSTEM = ((), ("proc",), ("sys",), ("dev",))
_SHARED_MEMORY = ("dev", "shm")
# A split and the names it goes by in data.yaml.
_SPLIT_KEYS = {"train": ("train",), "val": ("val", "validation"), "calib": ("calib", "calibration")}


@dataclass(frozen=True)
class Dataset:
    """What a data.yaml names; `splits` lists a split's images, sorted, when it is asked for them.

    `splits` holds train, val and calib, as far as the file names them; val is never empty. `keypoint_columns` is how
    many numbers of a pose follow a box in a label file.
    """

    yaml: Path
    names: tuple[str, ...]
    splits: Mapping[str, tuple[Path, ...]]
    keypoint_columns: int = 0


class _Splits(Mapping[str, tuple[Path, ...]]):
    """List a split at its first use: a run that only validates needs no training images, and does not wait for them."""

    def __init__(self, yaml: Path, root: Path, sources: Mapping[str, tuple[str, ...]]) -> None:
        self._yaml = yaml
        self._root = root
        self._sources = sources
        self._listed: dict[str, tuple[Path, ...]] = {}

    def __getitem__(self, split: str) -> tuple[Path, ...]:
        if split not in self._listed:
            self._listed[split] = _list_split(self._yaml, self._root, split, self._sources[split])
        return self._listed[split]

    def __contains__(self, split: object) -> bool:
        return split in self._sources

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources)

    def __len__(self) -> int:
        return len(self._sources)


def load_dataset(yaml: Path) -> Dataset:
    """Read a YOLO data.yaml by Ultralytics' rules.

    A split is a folder, a list of folders, or a text file of image paths. Relative splits start at `path`, which
    itself starts at the working directory or else at the file's folder. Raises DataError for a file that is missing,
    not YAML, without names, or that contradicts itself, for a split that is missing and for a val split without
    images; a missing train or calib split only once it is used.
    """
    fields = _read_yaml(yaml)
    names = _names(yaml, fields)
    sources = {split: found for split in _SPLIT_KEYS if (found := _sources(yaml, fields, split))}
    if "val" not in sources:
        raise DataError(
            f"'{yaml}' names no val split; add a line 'val:' with a folder, a list of folders or a .txt list of images"
        )
    splits = _Splits(yaml, _root(yaml, fields, sources["val"]), sources)
    if not splits["val"]:
        raise DataError(
            f"the val split of '{yaml}' ({printable(', '.join(sources['val']), 300)}) was found and holds no images; "
            f"it needs at least one file ending in {', '.join(IMAGE_SUFFIXES)}"
        )
    return Dataset(yaml, names, splits, _keypoint_columns(yaml, fields))


def calibration_images(dataset: Dataset, size: int) -> tuple[Path, ...]:
    """Choose `size` images spread over the calib split, else over train; raise DataError where there are none."""
    split = next((name for name in ("calib", "train") if name in dataset.splits), None)
    if split is None:
        raise DataError(
            f"'{dataset.yaml}' names neither a calib nor a train split to calibrate on; "
            f"add 'calib:' with a folder of images that are not in val, or leave int8 out with --precision"
        )
    images = dataset.splits[split]
    if not images:
        raise DataError(f"the {split} split of '{dataset.yaml}' was found and holds no images to calibrate on")
    if size < 1:
        raise DataError(f"asked for {size} calibration images; ask for 1 or more ({split} has {len(images)})")
    return spread(images, size)


def spread(images: Sequence[Path], size: int) -> tuple[Path, ...]:
    """Choose `size` images at even distances, the same ones every time; all of them where there are fewer."""
    count = min(size, len(images))
    return tuple(images[index * len(images) // count] for index in range(count))


def _read_yaml(yaml: Path) -> Mapping[str, Any]:
    from benchsuite.data.yaml import read_yaml

    if not yaml.is_file():
        found = "a folder" if yaml.is_dir() else "nothing"
        raise DataError(f"no data set at '{yaml}': found {found} there; name the data.yaml of a YOLO data set")
    try:
        fields = read_yaml(yaml)
    except OSError as error:
        raise DataError(f"'{yaml}' cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise DataError(f"'{yaml}' is no data.yaml: {error}; name the data.yaml of a data set") from None
    if not isinstance(fields, dict):
        raise DataError(f"'{yaml}' holds no 'key: value' lines; a data.yaml names at least 'val' and 'names'")
    return fields


def _names(yaml: Path, fields: Mapping[str, Any]) -> tuple[str, ...]:
    names, count = fields.get("names"), fields.get("nc")
    if names is None and isinstance(count, int) and 0 < count <= _MOST_CLASSES:
        # As Ultralytics calls them.
        names = [f"class_{number}" for number in range(count)]
    if isinstance(names, list):
        names = dict(enumerate(names))
    if names and not isinstance(names, dict):
        raise DataError(
            f"'names' of '{yaml}' is {excerpt(names)}; it must be a list, or a mapping from class number to name"
        )
    if not names:
        raise DataError(f"'{yaml}' names no classes; add 'names:' with a list, or a mapping from class number to name")
    try:
        by_number = {int(number): _name(name) for number, name in names.items()}
    except (TypeError, ValueError, OverflowError):
        raise DataError(f"'names' of '{yaml}' maps something other than a class number to a name") from None
    if count not in (None, len(names)):
        raise DataError(f"'{yaml}' names {len(names)} classes and says nc: {count!r:.40}; correct either line")
    channels = fields.get("channels", _CHANNELS)
    if channels != _CHANNELS:
        raise DataError(f"'{yaml}' says channels: {channels!r:.40}; images are read in red, green and blue alone")
    if sorted(by_number) != list(range(len(names))):
        raise DataError(
            f"'names' of '{yaml}' numbers {len(names)} classes {excerpt(min(by_number))} to {excerpt(max(by_number))}; "
            f"they must be 0 to {len(names) - 1}, each once"
        )
    return tuple(by_number[number] for number in range(len(names)))


def _keypoint_columns(yaml: Path, fields: Mapping[str, Any]) -> int:
    shape = fields.get("kpt_shape")
    if shape is None:
        return 0
    if (
        not isinstance(shape, list)
        or len(shape) != 2
        or not all(type(number) is int and number > 0 for number in shape)
    ):
        raise DataError(
            f"'kpt_shape' of '{yaml}' is {shape!r}; it must be two numbers, of keypoints and of numbers for each"
        )
    keypoints, numbers = shape
    return int(keypoints * numbers)


def _name(name: object) -> str:
    if isinstance(name, (list, dict)):
        raise TypeError("a class has one name")
    return str(name)


def _sources(yaml: Path, fields: Mapping[str, Any], split: str) -> tuple[str, ...]:
    value = next((fields[key] for key in _SPLIT_KEYS[split] if fields.get(key)), None)
    entries = value if isinstance(value, list) else [value] if value is not None else []
    if not all(isinstance(entry, str) for entry in entries):
        raise DataError(
            f"'{split}' of '{yaml}' is {excerpt(value)}; it must be a folder, a list of folders or a .txt list of "
            "images"
        )
    return tuple(entries)


def _root(yaml: Path, fields: Mapping[str, Any], val: tuple[str, ...]) -> Path:
    """Return the folder that relative splits start at."""
    named = fields.get("path")
    if named is None:
        return yaml.parent
    if not isinstance(named, str):
        raise DataError(f"'path' of '{yaml}' is {excerpt(named)}; it must be a folder")
    # Ultralytics takes the working directory, where such a folder exists; the file's own folder is where people who
    # move a data set expect it. For an absolute path both are the same.
    candidates = (Path(named), yaml.parent / named)
    holding = (root for root in candidates if all(_locate(root, entry).exists() for entry in val))
    return next(holding, candidates[-1])


def _locate(root: Path, entry: str) -> Path:
    """Return where a split's entry lies; some exporters write `../` for what lies beside the file."""
    try:
        path = (root / entry).resolve()
        if not path.exists() and entry.startswith("../"):
            return (root / entry[3:]).resolve()
    except (OSError, ValueError, RuntimeError):
        raise DataError(f"{excerpt(entry)} can be no path; name a folder or a .txt list of images") from None
    return path


def _list_split(yaml: Path, root: Path, split: str, sources: tuple[str, ...]) -> tuple[Path, ...]:
    images: list[Path] = []
    for entry in sources:
        path = _locate(root, entry)
        if path.is_dir():
            if path.parts[1:2] in _OF_THE_SYSTEM and path.parts[1:3] != _SHARED_MEMORY:
                raise DataError(
                    f"the {split} split of '{yaml}' is '{path}', a folder of the system; name one of images"
                )
            images += _walk(path)
        elif path.is_file():
            images += _read_list(path, root)
        else:
            raise DataError(
                f"the {split} split of '{yaml}' is missing: found nothing at '{printable(str(path))}'; "
                f"correct '{split}:' or 'path:' in the file"
            )
    # Sorted as strings, as Ultralytics does: Path compares part by part and would order some folders otherwise.
    return tuple(sorted((image for image in images if image.suffix.lower() in IMAGE_SUFFIXES), key=str))


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".") and not _leads_back(Path(parent, name))]
        for name in files:
            if not name.startswith("."):
                yield Path(parent, name)


def _leads_back(folder: Path) -> bool:
    """Say whether a folder is a link to one above it on the way here, which would be walked without end."""
    return folder.is_symlink() and folder.resolve() in {above.resolve() for above in folder.parents}


def _is_there(path: Path) -> bool:
    return os.path.exists(path)  # noqa: PTH110 (a line that can be no path is none, too)


def _read_list(file: Path, root: Path) -> Iterator[Path]:
    """Yield the paths in a list: `./` starts at the list's folder, other relative ones at the root or there."""
    try:
        lines = read_text(file, MOST_RECORDED_BYTES, "utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise DataError(f"the list of images '{file}' cannot be read: {why(error)}") from None
    base: Path | None = None
    for line in filter(None, map(str.strip, lines)):
        if line.startswith("./"):
            yield file.parent / line
        elif Path(line).is_absolute():
            yield Path(line)
        else:
            # Decided once: looking for each of 100,000 images on disk would take seconds.
            if base is None:
                base = next((folder for folder in (root, file.parent) if _is_there(folder / line)), root)
            yield base / line
