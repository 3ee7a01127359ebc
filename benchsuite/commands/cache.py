"""What lies in the cache and can be made again: artifacts, evaluations of them, searches for schemes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchsuite.artifacts.store import Store, Stored
from benchsuite.machine.cache import CacheEntry, remove_longest_unused
from benchsuite.machine.scratch import sweep
from benchsuite.measure.accuracy import kept_evaluations
from benchsuite.study.search import kept_searches
from benchsuite.terms.errors import UsageError
from benchsuite.terms.said import said


def list_lines(root: Path) -> Iterator[str]:
    """Yield a line for everything that is kept, the most recently used first, and one for what cannot be read."""
    entries, damage = _kept(root)
    for entry in sorted(entries, key=lambda entry: -entry.used_at):
        used = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.used_at))
        yield f"{entry.digest:24}  {entry.bytes / 1e6:8.2f} MB  {used}  {entry.what}"
    yield from damage
    yield _counted(entries)


def clean_lines(root: Path, cap_bytes: int) -> Iterator[str]:
    """Remove what was unused for longest until the rest fits the cap, and say how much that was.

    What killed processes left unfinished goes too; what runs use now stays. Raises UsageError, at the end, where the
    disk refuses.
    """
    entries, damage = _kept(root)
    yield from damage
    removal = remove_longest_unused(entries, cap_bytes, in_use_s=0)
    swept = sweep(root)
    yield f"removed {_counted(removal.removed)}"
    if removal.in_use:
        yield f"left {_counted(removal.in_use)}, which a run uses now"
    if swept:
        yield f"removed {swept} unfinished files and folders of processes that were killed"
    if removal.refused:
        first, *others = removal.refused
        raise UsageError(said("{1} and {2} more", first, len(others)) if others else first)


def _kept(root: Path) -> tuple[Sequence[CacheEntry], Sequence[str]]:
    artifacts, damage = Store(root).entries()
    return (*artifacts, *kept_evaluations(root), *kept_searches(root)), damage


def _counted(entries: Sequence[CacheEntry]) -> str:
    artifacts = sum(isinstance(entry, Stored) for entry in entries)
    megabytes = sum(entry.bytes for entry in entries) / 1e6
    return f"{artifacts} artifacts, {len(entries) - artifacts} evaluations and searches, {megabytes:.0f} MB"
