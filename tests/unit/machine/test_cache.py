"""What a cache keeps is found by its digest, and goes by how long it was unused."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest

from benchsuite.machine.cache import CacheEntry, Removal, digest_entries, remove_longest_unused
from benchsuite.machine.locks import HeldFolders

DIGEST, OTHER = "0123456789abcdef01234567", "fedcba9876543210fedcba98"


def write(path: Path, size_bytes: int, age_s: float) -> None:
    """Write a file that was used so long ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size_bytes))
    stamp = time.time() - age_s
    os.utime(path, (stamp, stamp))


def test_files_of_one_digest_are_one_entry(tmp_path: Path) -> None:
    """Its size is theirs together, its last use that of the newest; what is still being written is none."""
    write(tmp_path / f"{DIGEST}.json", 10, 60)
    write(tmp_path / f"{DIGEST}-scored.npz", 500, 3600)
    write(tmp_path / f".{OTHER}.4711.npz", 500, 1)
    write(tmp_path / "notes.txt", 5, 1)
    (entry,) = digest_entries(tmp_path, "evaluation")
    assert (entry.digest, entry.what, entry.bytes) == (DIGEST, "evaluation", 510)
    assert 55 < time.time() - entry.used_at < 120
    assert digest_entries(tmp_path / "nowhere", "evaluation") == ()


def test_longest_unused_goes_first_be_it_files_or_a_folder(tmp_path: Path) -> None:
    """Entries of several kinds share one cap; what is in use is never removed."""
    write(tmp_path / "artifacts" / OTHER / "model.bin", 100, 3600)
    write(tmp_path / "searches" / f"{DIGEST}.json", 10, 60)
    folder = tmp_path / "artifacts" / OTHER
    artifact = CacheEntry(OTHER, "onnx fp32", (folder,), 100, time.time() - 3600)
    entries = (*digest_entries(tmp_path / "searches", "search"), artifact)
    assert remove_longest_unused(entries, 0, in_use_s=24 * 3600) == Removal(())
    assert remove_longest_unused(entries, 110, in_use_s=0) == Removal(())
    assert remove_longest_unused(entries, 109, in_use_s=0) == Removal((artifact,))
    assert not folder.exists()
    assert [entry.digest for entry in remove_longest_unused(entries[:1], 0, in_use_s=0).removed] == [DIGEST]
    assert digest_entries(tmp_path / "searches", "search") == ()


def test_what_is_held_stays_and_what_cannot_be_removed_is_no_removal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An entry that a process holds is left whole, and one that the disk refuses to remove is named with the cause."""
    folder = tmp_path / "artifacts" / OTHER
    write(folder / "model.bin", 100, 3600)
    entry = CacheEntry(OTHER, "onnx fp32", (folder,), 100, 0.0)
    held = HeldFolders()
    assert held.hold(folder)
    assert remove_longest_unused([entry], 0, in_use_s=0) == Removal((), in_use=(entry,))
    held.let_go(folder)

    def refuse(path: Path, target: Path) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    with monkeypatch.context() as context:
        context.setattr(Path, "rename", refuse)
        refused = remove_longest_unused([entry], 0, in_use_s=0)
    assert refused == Removal((), refused=(f"cannot remove {folder}: Read-only file system",))
    assert (folder / "model.bin").is_file()
    assert remove_longest_unused([entry], 0, in_use_s=0).removed == (entry,)
    assert list((tmp_path / "artifacts").iterdir()) == []
