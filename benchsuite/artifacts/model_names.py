"""What the weights of a stored artifact were called when it was built."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from benchsuite.artifacts.recipe import Recipe
from benchsuite.terms.cases import slug
from benchsuite.terms.reading import read_text

# Beside the manifest, not in it: earlier releases refuse one with a key that they do not know.
_FILE = "model.txt"
_MOST_BYTES = 1_000


def note_model(folder: Path, model: str) -> None:
    """Keep a model's name in an artifact's folder that has none yet; one that cannot be written to stays without."""
    path = folder / _FILE
    with suppress(OSError):
        if model and not path.exists():
            path.write_text(model, encoding="utf-8")


def model_of(folder: Path, recipe: Recipe) -> str:
    """Return the name of an artifact's model, or how the digest of its weights begins where none was kept."""
    name = ""
    with suppress(OSError, ValueError):
        # It is printed: what is no name is made one.
        name = slug(read_text(folder / _FILE, _MOST_BYTES))
    return name or f"weights {recipe.weights_sha256[:12]}"
