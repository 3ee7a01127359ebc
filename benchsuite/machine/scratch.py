"""Folders that something is made in: gone when it is done, and swept where its maker was killed."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchsuite.machine.locks import is_still, open_lock_file, take

BUILDING = ".building-"
_IN_TEMP = "benchsuite-scratch-"
# Files that are written whole have such names until they are: see `files.write_whole` and detections.
_PARTIAL_FILE = re.compile(r"\..+\.[0-9a-f]{32}|\.[0-9a-f]{16,}\.\d+(-scored)?\.npz")
# Detections lie there until they are scored. Whoever makes a folder locks it right after.
_FORGOTTEN_S = 3600
_JUST_MADE_S = 2


@contextmanager
def scratch_folder(parent: Path | None = None) -> Iterator[Path]:
    """Make a folder in `parent`, or in the system's folder for temporary files, and remove it at the end.

    It is locked for as long, so that `sweep` tells it from what a killed process left. One in `parent` may be renamed
    to stay.
    """
    if parent is None:
        folder = Path(tempfile.mkdtemp(prefix=_IN_TEMP))
    else:
        # Not tempfile: its folders can be read by their owner only, and a store may be shared.
        folder = parent / f"{BUILDING}{uuid.uuid4().hex}"
        folder.mkdir()
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        take(descriptor, alone=False)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


@contextmanager
def temporary_files_in(parent: Path) -> Iterator[None]:
    """Let temporary files lie in a scratch folder of `parent`, so that whoever cleans up there finds them too."""
    before = tempfile.tempdir
    with scratch_folder(parent) as folder:
        tempfile.tempdir = str(folder)
        try:
            yield
        finally:
            tempfile.tempdir = before


def remove_folder(folder: Path) -> None:
    """Remove a folder so that nobody sees half of it; raises OSError where it stays what it was."""
    aside = folder.with_name(f"{BUILDING}{uuid.uuid4().hex}")
    folder.rename(aside)
    if aside.is_dir():
        shutil.rmtree(aside, ignore_errors=True)
    else:
        aside.unlink()


def remove_unused(folder: Path) -> bool:
    """Remove a folder unless a process holds it; say whether it is gone. Raises OSError where that is refused."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return True
    try:
        if not take(descriptor, alone=True, wait=False):
            return False
        if is_still(folder, descriptor):
            remove_folder(folder)
        return True
    finally:
        os.close(descriptor)


def sweep(root: Path) -> int:
    """Remove what killed processes left unfinished under `root` and among temporary files; return how many that were.

    What lives, and what cannot be removed, stays.
    """
    now, swept = time.time(), 0
    left = [*root.glob(f"*/{BUILDING}*"), *Path(tempfile.gettempdir()).glob(f"{_IN_TEMP}*")]
    for folder in left:
        swept += _swept_folder(folder, now)
    for path in root.glob("*/.*"):
        swept += bool(_PARTIAL_FILE.fullmatch(path.name)) and _swept_file(path, now)
    for path in root.glob("*/.*.lock"):
        with suppress(OSError):
            _remove_lock(path)
    return swept


def _remove_lock(path: Path) -> None:
    """Remove a lock file that nobody holds; who waits for it looks whether it is still there."""
    descriptor = open_lock_file(path)
    try:
        if take(descriptor, alone=True, wait=False) and is_still(path, descriptor):
            path.unlink()
    finally:
        os.close(descriptor)


def _swept_folder(folder: Path, now: float) -> bool:
    try:
        if folder.lstat().st_mtime > now - _JUST_MADE_S:
            # Its maker may be about to lock it.
            return False
        return folder.is_dir() and not folder.is_symlink() and remove_unused(folder) and not folder.exists()
    except OSError:
        return False


def _swept_file(path: Path, now: float) -> bool:
    try:
        if path.is_dir() or path.lstat().st_mtime > now - _FORGOTTEN_S:
            return False
        path.unlink()
    except OSError:
        return False
    return True
