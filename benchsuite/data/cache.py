"""Folders that are made once, whole or not at all, however many processes ask for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchsuite.machine.files import cannot_write
from benchsuite.machine.locks import locked
from benchsuite.machine.scratch import scratch_folder
from benchsuite.terms.errors import DataError


def build_once(folder: Path, build: Callable[[Path], None]) -> None:
    """Fill `folder` by `build(temporary folder)` under a lock, unless it exists already.

    Raises DataError where the disk refuses.
    """
    try:
        if folder.is_dir():
            return
        folder.parent.mkdir(parents=True, exist_ok=True)
        with locked(folder.parent / f".{folder.name}.lock"):
            if folder.is_dir():
                return
            with scratch_folder(folder.parent) as scratch:
                build(scratch)
                scratch.replace(folder)
    except OSError as error:
        raise DataError(cannot_write(folder, error)) from None
