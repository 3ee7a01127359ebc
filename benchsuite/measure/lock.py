"""One lock for the whole machine: two runs never time at once."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchsuite.terms.errors import UsageError


def lock_path() -> Path:
    """Return the lock that every user of this machine shares."""
    return Path(tempfile.gettempdir()) / "benchsuite-measuring.lock"


@contextmanager
def measuring_lock(say: Callable[[str], None], path: Path | None = None) -> Iterator[None]:
    """Hold the machine's measuring lock; while another run holds it, say once who that is and wait."""
    from filelock import FileLock, Timeout

    path = path or lock_path()
    holder = path.with_suffix(".holder")
    lock = FileLock(path, mode=0o666)
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            say(f"waiting for another benchsuite run to finish: {_describe(holder)}")
            lock.acquire()
    except OSError as error:
        raise UsageError(f"cannot take the measuring lock {path}: {error.strerror or error}") from None
    try:
        # Another user's leftover file may be in the way; the lock holds without it.
        with suppress(OSError):
            holder.write_text(f"process {os.getpid()} ({' '.join(sys.argv)[:200]})")
        yield
    finally:
        with suppress(OSError):
            holder.unlink(missing_ok=True)
        lock.release()


def _describe(holder: Path) -> str:
    try:
        return holder.read_text()
    except OSError:
        return "it does not say which"
