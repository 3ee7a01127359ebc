"""The file that keeps detections."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.detect.detections import Detections, load_detections, save_detections
from benchsuite.terms.errors import RecordError


def make_detections(count: int, seed: int = 0) -> Detections:
    rng = np.random.default_rng(seed)
    boxes = rng.uniform(0, 640, (count, 4)).astype(np.float32)
    return Detections(boxes, rng.random(count, np.float32), rng.integers(0, 80, count))


@given(counts=st.lists(st.integers(0, 5), max_size=6))
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, counts: list[int]) -> None:
    """What is read equals what was written, image by image, empty ones included."""
    path = tmp_path_factory.mktemp("cache") / "new" / "detections.npz"
    written = [make_detections(count, seed) for seed, count in enumerate(counts)]
    save_detections(path, written)
    read = load_detections(path)
    assert len(read) == len(written)
    for one, other in zip(read, written, strict=True):
        for name in ("boxes", "scores", "classes"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name), strict=True)
    assert [file.name for file in path.parent.iterdir()] == ["detections.npz"]


def test_damaged_file_is_an_error(tmp_path: Path) -> None:
    """A missing, truncated, empty or foreign file is said to be unreadable, whatever numpy makes of it."""
    path = tmp_path / "detections.npz"
    save_detections(path, [make_detections(3)])
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"text"):
        path.write_bytes(content)
        with pytest.raises(RecordError, match="cannot be read"):
            load_detections(path)
    np.savez(path, other=np.zeros(1))
    with pytest.raises(RecordError, match="cannot be read"):
        load_detections(path)
    path.unlink()
    with pytest.raises(RecordError, match="cannot be read"):
        load_detections(path)


def test_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fills up half-way is said so, and leaves neither a broken file nor a scrap."""
    path = tmp_path / "detections.npz"
    save_detections(path, [make_detections(2)])
    before = path.read_bytes()

    def fill_up(file: BinaryIO, **_: object) -> None:
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", fill_up)
    with pytest.raises(RecordError, match=r"cannot write .*detections\.npz: No space left on device"):
        save_detections(path, [make_detections(3)])
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
