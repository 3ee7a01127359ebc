"""The content-addressed store of artifacts: built once, whole or not at all, checked on every use."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from weakref import WeakSet

from benchsuite.artifacts.digests import digest_folder
from benchsuite.artifacts.exporters import parent_recipe
from benchsuite.artifacts.manifest import MANIFEST_FILE, Manifest, read_manifest
from benchsuite.artifacts.model_names import model_of, note_model
from benchsuite.artifacts.recipe import Artifact, Recipe
from benchsuite.machine.cache import CacheEntry, mark_used, remove_longest_unused
from benchsuite.machine.json_files import read_kept, write_kept
from benchsuite.machine.locks import HeldFolders, locked
from benchsuite.machine.nvml import list_gpus
from benchsuite.machine.processes import Child, offline_environment
from benchsuite.machine.scratch import remove_folder, scratch_folder
from benchsuite.terms.cases import Head
from benchsuite.terms.codec import from_builtins, to_builtins
from benchsuite.terms.errors import BuildError, ModelError, PassingError, ProcessError, RecordError, UsageError
from benchsuite.terms.input_size import InputSize
from benchsuite.terms.said import Sentence, said

SIZE_CAP_BYTES = 20_000_000_000
_FILES = "files"
# What says what a card holds, and how benchsuite asks for it: raise the number with any change to that.
_CARD_PACKAGES, _CARD_VERSION = ("benchsuite", "ultralytics", "ultralytics-thop", "torch"), 2
_BUILD_DEADLINE_S = 1800
_HELD = HeldFolders()
# Another run may have taken an artifact's path a moment ago: nothing used within this time is evicted.
_IN_USE_S = 24 * 3600

# Writes an artifact's files and returns the peak memory that it took.
Builder = Callable[[Recipe, Path, Path | None, Sequence[Path], Path], int]


@dataclass(frozen=True)
class Card:
    """What a checkpoint is: class names, and size of the fused network with the head that runs.

    `trained_px` is the side of the images that it was trained on; None where it does not say. `origin` tells of
    weights that benchsuite made; those that were never trained are worth nothing but their speed.
    """

    names: tuple[str, ...]
    params: int
    gflops: float
    heads: tuple[Head, ...]
    trained_px: int | None = None
    origin: Sentence = ""
    untrained: bool = False


@dataclass(frozen=True)
class Cost:
    """What building an artifact took; 0 bytes where its builder does not say."""

    build_s: float
    peak_bytes: int


@dataclass(frozen=True)
class Stored(CacheEntry):
    """One stored artifact; `bytes` are those that a runtime loads."""

    recipe: Recipe


class Store:
    """Artifacts under one folder, shared by any number of processes, which may be unable to write there.

    Those that were handed out last are locked against removal as long as the process lives.
    """

    def __init__(self, root: Path, build: Builder | None = None, python: str = sys.executable) -> None:
        self._root = root
        self._python = python
        self._build = build
        self._kept: Child | None = None
        self._children: WeakSet[Child] = WeakSet()
        self.log = root / "logs" / f"build-{os.getpid()}.log"

    def get(
        self, recipe: Recipe, weights: Path, calibration: Sequence[Path] = (), *, gpu: str = "", model: str = ""
    ) -> tuple[Artifact, tuple[str, ...]]:
        """Return the artifact of a recipe, building it and what it derives from if needed, and what was noted.

        An engine is built on the GPU whose UUID is `gpu`, else on one of its recipe's kind. `model` is what the weights
        are called; an artifact keeps the name that it was built, or first asked for, under. Raises BuildError. A stored
        artifact whose bytes are not those that were built is rebuilt, with a note; one that cannot be read just now is
        left alone.
        """
        stored, _ = self._stored(recipe)
        if stored:
            mark_used(self._folder(recipe) / MANIFEST_FILE)
            note_model(self._folder(recipe), model)
            return stored, ()
        with self._alone(recipe):
            stored, damage = self._stored(recipe)
            if stored:
                return stored, ()
            notes: tuple[str, ...] = ()
            if damage:
                notes = (said("artifact {1} was {2} and has been rebuilt", recipe.digest, damage),)
                remove_folder(self._folder(recipe))
            parent = parent_recipe(recipe)
            source, parent_notes = self.get(parent, weights, calibration, model=model) if parent else (None, ())
            parent_folder = Path(source.folder) if source else None
            build = self._build or partial(self._build_in_child, gpu)
            self._make(recipe, lambda files: build(recipe, weights, parent_folder, calibration, files))
            note_model(self._folder(recipe), model)
            built, damage = self._stored(recipe)
            if not built:
                raise BuildError(
                    said("artifact {1} was {2} right after it was built: is the disk sound?", recipe.digest, damage)
                )
        self.clean(SIZE_CAP_BYTES)
        return built, parent_notes + notes

    def put(self, recipe: Recipe, write: Callable[[Path], int]) -> None:
        """Store an artifact that `write` makes in the folder that it is given; it returns the memory that took."""
        if self._stored(recipe)[0] is not None:
            return
        with self._alone(recipe):
            found, damage = self._stored(recipe)
            if damage:
                remove_folder(self._folder(recipe))
            if found is None:
                self._make(recipe, write)

    def cost(self, recipe: Recipe) -> Cost:
        """Return what building a stored artifact took, without what it was made from."""
        manifest = read_manifest(self._folder(recipe))
        return Cost(manifest.build_s, manifest.peak_bytes)

    @contextmanager
    def one_builder(self) -> Iterator[None]:
        """Build everything within the context in one process: starting one takes longer than many a small artifact."""
        self._kept = self._child()
        try:
            yield
        finally:
            self._kept.close()
            self._kept = None

    def stop(self) -> None:
        """End what other threads are building."""
        for child in tuple(self._children):
            child.kill()

    def has(self, recipe: Recipe) -> bool:
        """Say whether an artifact of the recipe is there, without checking its bytes."""
        with suppress(OSError):
            return (self._folder(recipe) / MANIFEST_FILE).is_file()
        return False

    def find(self, recipe: Recipe) -> Artifact | None:
        """Return the artifact of a recipe if it is there and whole, without building it."""
        return self._stored(recipe)[0]

    def card(
        self, weights: Path, weights_sha256: str, imgsz: InputSize, head: Head, packages: Mapping[str, str]
    ) -> tuple[Card, tuple[str, ...]]:
        """Return what Ultralytics says of a checkpoint, asked once by these packages and then kept, and what was noted.

        Raises ModelError, or BuildError where nothing can ask. A kept card that is damaged is asked for again, with a
        note.
        """
        versions = [_CARD_VERSION, *(packages.get(name, "") for name in _CARD_PACKAGES)]
        asked_by = hashlib.sha256(json.dumps(versions).encode()).hexdigest()[:8]
        path = self._root / "cards" / f"{weights_sha256[:16]}-{imgsz}-{head}-{asked_by}.json"
        notes: tuple[str, ...] = ()
        if path.exists():
            try:
                return read_kept(path, Card, "it is made again"), ()
            except PassingError as error:
                raise BuildError(str(error)) from None
            except RecordError as damage:
                notes = (str(damage),)
        child = self._child()
        try:
            answer = child.request("describe", 300, weights=str(weights), imgsz=imgsz.plain, head=head)
        except ProcessError as error:
            raise ModelError(said("--model {1}: {2}", weights, error)) from None
        finally:
            child.close()
        # Another release's builder may say more.
        card = from_builtins({field.name: answer[field.name] for field in fields(Card) if field.name in answer}, Card)
        try:
            write_kept(path, card)
        except UsageError as error:
            # It is known all the same, and asked for again next time.
            notes += (str(error),)
        return card, notes

    def entries(self) -> tuple[tuple[Stored, ...], tuple[str, ...]]:
        """Return every stored artifact, and a sentence for each whose manifest cannot be read."""
        found, damage = [], []
        # Those whose names begin with a point are being built.
        for path in sorted((self._root / "artifacts").glob(f"[!.]*/{MANIFEST_FILE}")):
            folder = path.parent
            try:
                manifest, used_at = read_manifest(folder), path.stat().st_mtime
            except (OSError, RecordError) as error:
                # Another process may be evicting it.
                damage += [str(error)] if path.exists() else []
                continue
            recipe = manifest.recipe
            size = f"{recipe.imgsz} px b{recipe.batch}"
            words = (model_of(folder, recipe), recipe.format, recipe.precision, size, recipe.head, recipe.scheme)
            what = " ".join(word for word in words if word)
            found.append(Stored(folder.name, what, (folder,), manifest.bytes, used_at, recipe))
        return tuple(found), tuple(damage)

    def clean(self, cap_bytes: int, in_use_s: float = _IN_USE_S) -> tuple[Stored, ...]:
        """Remove the artifacts unused for longest until the rest fits the cap; return what was removed."""
        return remove_longest_unused(self.entries()[0], cap_bytes, in_use_s).removed

    @contextmanager
    def _alone(self, recipe: Recipe) -> Iterator[None]:
        """Keep others from making the artifact; raises BuildError where the store cannot be written."""
        folder = self._folder(recipe)
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with locked(folder.parent / f".{recipe.digest}.lock"):
                yield
        except OSError as error:
            raise BuildError(
                said("cannot write to the artifact store {1}: {2}", self._root, error.strerror or error)
            ) from error

    def _folder(self, recipe: Recipe) -> Path:
        return self._root / "artifacts" / recipe.digest

    def _stored(self, recipe: Recipe) -> tuple[Artifact | None, str]:
        """Return the artifact if it is whole, else what is wrong with what lies there (empty for nothing there)."""
        folder = self._folder(recipe)
        try:
            if not _HELD.hold(folder):
                return None, "incomplete" if os.path.lexists(folder) else ""
            manifest = read_manifest(folder)
            sha256, size = digest_folder(folder / _FILES)
        except PassingError as error:
            # What cannot be read at this moment may be whole.
            raise BuildError(said("cannot read artifact {1}: {2}", folder, error)) from None
        except (FileNotFoundError, NotADirectoryError, RecordError):
            damage = "incomplete"
        except OSError as error:
            raise BuildError(said("cannot read artifact {1}: {2}", folder, error.strerror or error)) from error
        else:
            if manifest.sha256 == sha256:
                return Artifact(recipe, str(folder / _FILES), sha256, size), ""
            damage = "truncated or altered"
        _HELD.let_go(folder)
        return None, damage

    def _make(self, recipe: Recipe, write: Callable[[Path], int]) -> None:
        folder = self._folder(recipe)
        with scratch_folder(folder.parent) as scratch:
            (scratch / _FILES).mkdir()
            started = time.monotonic()
            peak_bytes = write(scratch / _FILES)
            sha256, size = digest_folder(scratch / _FILES)
            manifest = Manifest(recipe, sha256, size, round(time.monotonic() - started, 2), peak_bytes)
            (scratch / MANIFEST_FILE).write_text(json.dumps(to_builtins(manifest), indent=1))
            scratch.replace(folder)
            # While the scratch folder's own lock still keeps others from removing it.
            _HELD.hold(folder)

    def _build_in_child(
        self, gpu: str, recipe: Recipe, weights: Path, parent: Path | None, calibration: Sequence[Path], folder: Path
    ) -> int:
        child = self._kept or self._child((gpu or _first_gpu(recipe)) if "gpu" in recipe.build else "")
        try:
            answer = child.request(
                "build",
                _BUILD_DEADLINE_S,
                recipe=to_builtins(recipe),
                weights=str(weights),
                parent=str(parent) if parent else None,
                images=[str(path) for path in calibration],
                folder=str(folder),
            )
        except ProcessError as error:
            raise BuildError(said("{1} {2} could not be built: {3}", recipe.format, recipe.precision, error)) from None
        finally:
            if child is not self._kept:
                child.close()
        return int(answer["peak_rss_bytes"])

    def _child(self, gpu: str = "") -> Child:
        environment = {**offline_environment(self._root), "CUDA_VISIBLE_DEVICES": gpu}
        try:
            child = Child.start(
                "benchsuite.artifacts.builder", self.log, environment, self._python, name="builder", descendants=True
            )
        except ProcessError as error:
            raise BuildError(str(error)) from None
        self._children.add(child)
        return child


def _first_gpu(recipe: Recipe) -> str:
    """Return the UUID of a GPU of the kind that a recipe names; empty for none."""
    return next((gpu.uuid for gpu in list_gpus()[0] if gpu.name == recipe.build["gpu"]), "")
