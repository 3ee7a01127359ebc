"""Folders that are made once, whole or not at all, however many processes ask for them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path


def build_once(folder: Path, build: Callable[[Path], None]) -> None:
    """Fill `folder` by `build(temporary folder)` under a file lock, unless it exists already."""
    from filelock import FileLock

    if folder.exists():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.parent / f".{folder.name}.lock"):
        if folder.exists():
            return
        scratch = Path(tempfile.mkdtemp(prefix=".building-", dir=folder.parent))
        try:
            build(scratch)
            scratch.replace(folder)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
