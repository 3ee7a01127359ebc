"""One lock for the whole machine: two runs never time at once."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchsuite.machine.locks import is_still, open_lock_file, take
from benchsuite.terms.errors import UsageError
from benchsuite.terms.said import said

VARIABLE = "BENCHSUITE_LOCK"
_FILE = "benchsuite-measuring.lock"
# By what they are and not by what this user may do there, so that every user finds the same.
_FOLDERS = (Path("/run/lock"), Path("/var/lock"), Path("/tmp"), Path("/var/tmp"))
_HOLDER_CHARACTERS = 300


def lock_path() -> Path:
    """Return the file that every run on this machine locks: $BENCHSUITE_LOCK, or one where all users may write.

    $TMPDIR has no say in it unless there is no such folder. Containers meet where one of these folders is mounted in
    each.
    """
    given = os.environ.get(VARIABLE)
    if given:
        return Path(given).absolute()
    folder = next((it for it in _FOLDERS if _is_everybodys(it)), Path(tempfile.gettempdir()))
    return folder / _FILE


@contextmanager
def measuring_lock(say: Callable[[str], None], path: Path | None = None) -> Iterator[None]:
    """Hold the machine's measuring lock; while another run holds it, say once who that is and wait.

    Raises UsageError where the lock cannot be had.
    """
    path = path or lock_path()
    try:
        descriptor = _locked(path, say)
    except OSError as error:
        why = error.strerror or error
        raise UsageError(
            said("cannot take the measuring lock {1}: {2}; let ${3} name a file that can be.", path, why, VARIABLE)
        ) from None
    try:
        _tell(descriptor, f"process {os.getpid()} ({' '.join(sys.argv)[:200]})")
        yield
    finally:
        _tell(descriptor, "")
        os.close(descriptor)


def _locked(path: Path, say: Callable[[str], None]) -> int:
    said_so = False
    while True:
        descriptor = open_lock_file(path)
        try:
            if not take(descriptor, alone=True, wait=False):
                if not said_so:
                    say(f"waiting for another benchsuite run to finish: {_holder(descriptor)}")
                    said_so = True
                take(descriptor, alone=True)
            if is_still(path, descriptor):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        # Whoever tidies up temporary files has removed it while we waited.
        os.close(descriptor)


def _tell(descriptor: int, text: str) -> None:
    """Write into the locked file who holds it; the lock holds without, where that is another user's and read-only."""
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, text.encode(errors="replace"), 0)


def _holder(descriptor: int) -> str:
    """Return what the locked file says of its holder, whoever may have written that."""
    with suppress(OSError):
        text = os.pread(descriptor, 4 * _HOLDER_CHARACTERS, 0).decode(errors="replace")[:_HOLDER_CHARACTERS]
        told = "".join(character if character.isprintable() else "?" for character in text)
        if told:
            return told
    return "it does not say which"


def _is_everybodys(folder: Path) -> bool:
    """Say whether every user may make files in a folder, and remove nobody else's."""
    try:
        mode = folder.stat().st_mode
        read_only = os.statvfs(folder).f_flag & os.ST_RDONLY
    except OSError:
        return False
    return stat.S_ISDIR(mode) and stat.S_IMODE(mode) == 0o1777 and not read_only
