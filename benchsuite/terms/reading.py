"""The one way to open what somebody else may have written: a regular file, up to a size, and nothing that waits."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from benchsuite.terms.printable import excerpt
from benchsuite.terms.said import said

MEGABYTE = 1_000_000
# What people write by hand: options, tolerances, a data set's description.
MOST_WRITTEN_BYTES = 1 * MEGABYTE
# What a run, a study or a gate leaves behind.
MOST_RECORDED_BYTES = 200 * MEGABYTE
MOST_NESTED = 100
# Waits for no pipe's other end; Windows has neither.
_AT_ONCE = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
# What says something about the path that was asked for; anything else may be over in a moment.
_LASTING = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG}


def read_regular(path: Path, most_bytes: int = MOST_RECORDED_BYTES) -> bytes:
    """Return what a file holds.

    Raises OSError where the system refuses, and ValueError, with a sentence, for what is no regular file or larger.
    """
    # Looked at before it is opened: opening alone can make a device do something.
    _refuse_irregular(os.stat(path), most_bytes)  # noqa: PTH116 (a path with a NUL in it raises ValueError here)
    with os.fdopen(os.open(path, os.O_RDONLY | _AT_ONCE), "rb") as file:
        _refuse_irregular(os.fstat(file.fileno()), most_bytes)
        # A file of /proc says that it is empty, and one that is being written to grows.
        parts, left = [], most_bytes
        while left >= 0 and (part := file.read(MEGABYTE)):
            parts.append(part)
            left -= len(part)
    if left < 0:
        raise ValueError(_too_large(most_bytes))
    return b"".join(parts)


def read_text(path: Path, most_bytes: int = MOST_WRITTEN_BYTES, encoding: str = "utf-8") -> str:
    """Return the text of a file, its line ends as they are; raises as `read_regular` does, and ValueError."""
    return decoded(read_regular(path, most_bytes), encoding)


def decoded(content: bytes, encoding: str = "utf-8") -> str:
    """Return the text that bytes hold; raises ValueError."""
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise ValueError(said("it is not UTF-8 text")) from None


def inside(folder: Path, name: str) -> Path:
    """Return the file of a folder that one of its files names; raises ValueError where it lies elsewhere."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ValueError(said("{1} does not lie inside {2}", excerpt(name), folder))
    return path


def why(error: Exception) -> str:
    """Return why a file could not be read, without its name."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error)


def is_passing(error: Exception) -> bool:
    """Say whether reading may succeed later, so that an error says nothing about what the file holds."""
    return isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno not in _LASTING)


def refuse_deep(text: str) -> None:
    """Raise ValueError where brackets outside of double quotes are nested more than MOST_NESTED deep."""
    if text.count("[") + text.count("{") <= MOST_NESTED:
        return
    depth = 0
    for part in text.replace("\\\\", "").replace('\\"', "").split('"')[::2]:
        for mark in part:
            if mark in "[{":
                depth += 1
                if depth > MOST_NESTED:
                    raise ValueError(said("it is nested more than {1} deep", MOST_NESTED))
            elif mark in "]}":
                depth -= 1


def _refuse_irregular(state: os.stat_result, most_bytes: int) -> None:
    if stat.S_ISDIR(state.st_mode):
        raise ValueError(said("it is a folder"))
    if not stat.S_ISREG(state.st_mode):
        raise ValueError(said("it is no regular file"))
    if state.st_size > most_bytes:
        raise ValueError(_too_large(most_bytes))


def _too_large(most_bytes: int) -> str:
    return said("it is larger than {1} MB", f"{most_bytes / MEGABYTE:g}")
