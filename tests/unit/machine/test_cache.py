"""What a cache keeps is found by its digest, and goes by how long it was unused."""

from __future__ import annotations

import os
import time
from pathlib import Path

from benchsuite.machine.cache import CacheEntry, digest_entries, remove_longest_unused

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
    assert remove_longest_unused(entries, 0, in_use_s=24 * 3600) == ()
    assert remove_longest_unused(entries, 110, in_use_s=0) == ()
    assert remove_longest_unused(entries, 109, in_use_s=0) == (artifact,)
    assert not folder.exists()
    assert [entry.digest for entry in remove_longest_unused(entries[:1], 0, in_use_s=0)] == [DIGEST]
    assert digest_entries(tmp_path / "searches", "search") == ()
