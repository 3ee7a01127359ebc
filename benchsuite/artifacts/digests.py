"""Digests of what artifacts hold and of what they were calibrated on."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from benchsuite.artifacts.engine import BESIDE_ENGINE
from benchsuite.artifacts.recipe import Calibration


def digest_folder(folder: Path) -> tuple[str, int]:
    """Return the SHA-256 over every file's relative name and bytes, and the bytes of those that a runtime loads."""
    digest, size = hashlib.sha256(), 0
    for path in sorted(_files(folder)):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
        size += 0 if path.name in BESIDE_ENGINE else len(content)
    return digest.hexdigest(), size


def calibration_of(images: Sequence[Path], method: str) -> Calibration:
    """Return the calibration that stands in a recipe for these images, in this order."""
    digest = hashlib.sha256()
    for path in images:
        state = path.stat()
        digest.update(_image_digest(path, state.st_size, state.st_mtime_ns))
    return Calibration(digest.hexdigest(), len(images), method)


@cache
def _image_digest(path: Path, size_bytes: int, modified_ns: int) -> bytes:  # noqa: ARG001 (what tells a changed file)
    # A study asks for the same images under every method.
    return hashlib.sha256(path.read_bytes()).digest()


def _files(folder: Path) -> Iterator[Path]:
    """Yield every file under a folder; raises OSError where a folder cannot be listed, which globbing passes over."""

    def refuse(error: OSError) -> None:
        raise error

    for parent, _, names in os.walk(folder, onerror=refuse):
        yield from (path for name in names if (path := Path(parent, name)).is_file())
