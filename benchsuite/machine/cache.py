"""What a cache folder keeps and can make again: listed, and the longest unused removed first."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

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


def remove_longest_unused(entries: Iterable[E], cap_bytes: int, in_use_s: float) -> tuple[E, ...]:
    """Remove what was unused for longest until the rest fits the cap; return what was removed.

    Nothing that was used within the last `in_use_s` is removed.
    """
    oldest_first = sorted(entries, key=lambda entry: entry.used_at)
    total_bytes = sum(entry.bytes for entry in oldest_first)
    removed = []
    for entry in oldest_first:
        if total_bytes <= cap_bytes or entry.used_at > time.time() - in_use_s:
            break
        for path in entry.paths:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                with suppress(OSError):
                    path.unlink()
        total_bytes -= entry.bytes
        removed.append(entry)
    return tuple(removed)
