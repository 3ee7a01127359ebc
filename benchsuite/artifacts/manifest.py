"""What stands beside an artifact's files: how they were made, and what they must read back as."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchsuite.artifacts.recipe import Recipe
from benchsuite.machine.json_files import read_json

MANIFEST_FILE = "artifact.json"


@dataclass(frozen=True)
class Manifest:
    """An artifact's recipe, the digest and size of its files, and what building them took."""

    recipe: Recipe
    sha256: str
    bytes: int
    build_s: float
    peak_bytes: int = 0


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest in an artifact's folder; raises RecordError."""
    return read_json(folder / MANIFEST_FILE, Manifest, "remove its folder, or let a run that needs it build it again")
