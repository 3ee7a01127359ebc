"""What a cache folder keeps and can make again: listed, and the longest unused removed first."""

from __future__ import annotations

import os
import re
import time
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from benchsuite.machine.scratch import remove_unused
from benchsuite.terms.said import said

_DIGEST = re.compile("[0-9a-f]{16,}")


@dataclass(frozen=True)
class CacheEntry:
    """Something kept under a digest: the files or folders that hold it, and when it was used last."""

    digest: str
    what: str
    paths: tuple[Path, ...]
    bytes: int
    used_at: float


E = TypeVar("E", bound=CacheEntry)


def digest_entries(folder: Path, what: str) -> tuple[CacheEntry, ...]:
    """Return an entry for each digest that names of files in a folder begin with."""
    files: dict[str, list[Path]] = defaultdict(list)
    for path in folder.glob("*"):
        if found := _DIGEST.match(path.name):
            files[found[0]].append(path)
    entries = []
    for digest, paths in sorted(files.items()):
        # Another process may be removing it.
        with suppress(FileNotFoundError):
            states = [path.stat() for path in paths]
            size_bytes, used_at = sum(it.st_size for it in states), max(it.st_mtime for it in states)
            entries.append(CacheEntry(digest, what, tuple(paths), size_bytes, used_at))
    return tuple(entries)


def mark_used(path: Path) -> None:
    """Note at a file of an entry that the entry was used just now; another process may be removing it."""
    with suppress(OSError):
        os.utime(path)


@dataclass(frozen=True)
class Removal(Generic[E]):
    """What was removed of a cache, what was left because a process uses it, and a sentence for what refused to go."""

    removed: tuple[E, ...]
    in_use: tuple[E, ...] = ()
    refused: tuple[str, ...] = ()


def remove_longest_unused(entries: Iterable[E], cap_bytes: int, in_use_s: float) -> Removal[E]:
    """Remove what was unused for longest until the rest fits the cap.

    Nothing that was used within the last `in_use_s`, or that a process holds, is removed.
    """
    oldest_first = sorted(entries, key=lambda entry: entry.used_at)
    total_bytes = sum(entry.bytes for entry in oldest_first)
    removed: list[E] = []
    in_use: list[E] = []
    refused: list[str] = []
    for entry in oldest_first:
        if total_bytes <= cap_bytes or entry.used_at > time.time() - in_use_s:
            break
        try:
            gone = all(_remove(path) for path in entry.paths)
        except OSError as error:
            refused.append(said("cannot remove {1}: {2}", entry.paths[0], error.strerror or error))
            continue
        (removed if gone else in_use).append(entry)
        total_bytes -= entry.bytes if gone else 0
    return Removal(tuple(removed), tuple(in_use), tuple(refused))


def _remove(path: Path) -> bool:
    if path.is_dir() and not path.is_symlink():
        return remove_unused(path)
    path.unlink(missing_ok=True)
    return True
