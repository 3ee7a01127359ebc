"""Files written whole or not at all: a reader sees the old text or the new one, never half of it."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
import uuid
from pathlib import Path

from benchsuite.terms.errors import UsageError
from benchsuite.terms.said import said

# What more room does not mend.
_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT)
_IN_THE_WAY = (errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.ENOTEMPTY, errno.ENAMETOOLONG, errno.ELOOP)
# Less than any artifact of a network.
_FULL_BYTES = 1 << 20


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file in one step, its folder made where needed; raises UsageError where the disk refuses.

    What is no file, as a pipe or /dev/stdout, is written into: replacing it would take it from everybody. Names that
    are no Unicode, as a file system may hold, are written escaped.
    """
    content = content.encode(errors="backslashreplace") if isinstance(content, str) else content
    if is_device(path):
        try:
            with path.open("wb") as device:
                device.write(content)
        except OSError as error:
            raise UsageError(cannot_write(path, error)) from None
        return
    # A link stays one: what it names is replaced.
    path = path.resolve() if path.is_symlink() else path
    # Not tempfile: its files can be read by their owner only, and a report is served like any other file.
    try:
        scratch = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    except ValueError:
        raise UsageError(f"cannot write {path}: it names no file; give one, as page.html.") from None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with scratch.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    except OSError as error:
        # The write's own error is the one to tell.
        with contextlib.suppress(OSError):
            scratch.unlink()
        raise UsageError(cannot_write(path, error)) from None


def unwritable(folder: Path) -> str:
    """Say why nothing can be written into a folder, or into one that would be made for it; empty where it can."""
    there = _nearest(folder)
    if not there.is_dir():
        return f"{there} is no folder"
    try:
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(b"x")
            file.flush()
    except OSError as error:
        return f"{there}: {error.strerror or error}"
    return ""


def free_bytes(folder: Path) -> int:
    """Return the room on the disk where a folder lies, or would be made."""
    return shutil.disk_usage(_nearest(folder)).free


def _nearest(folder: Path) -> Path:
    """Return the folder itself, or that around it which is there."""
    # Unlike a Path, os says no to names that no file can have; a broken link is there.
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if os.path.lexists(path))


def is_device(path: Path) -> bool:
    """Say whether a path is written into and never replaced: a pipe, a device, or a stream by its name."""
    stream = str(path).startswith(("/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/"))
    return stream or (path.exists() and not path.is_file() and not path.is_dir())


def cannot_write(path: Path, error: OSError) -> str:
    """Say in one sentence that a path cannot be written, why, and what to do."""
    why = error.strerror or error
    if error.strerror is None and is_full(path.parent):
        # numpy only counts what it could not write.
        why = os.strerror(errno.ENOSPC)
    if error.errno in (errno.EEXIST, errno.ENOTDIR):
        # The system tells what is wrong with the whole path, not where.
        there = next(it for it in path.absolute().parents if os.path.lexists(it))
        why = why if there.is_dir() else said("{1} is no folder", there)
    if error.errno in _IN_THE_WAY:
        return said("cannot write {1}: {2}; give another name, or move what is in the way.", path, why)
    if error.errno in _DENIED:
        return said("cannot write {1}: {2}; choose a folder that can be written.", path, why)
    return said("cannot write {1}: {2}; free some space there or choose a folder that can be written.", path, why)


def is_full(folder: Path) -> bool:
    """Say whether the disk that holds a folder has no room left: libraries fail on it with whatever they meet first."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return False
    free_blocks = disk.f_bavail if os.geteuid() else disk.f_bfree
    return free_blocks * disk.f_frsize < _FULL_BYTES or (disk.f_files > 0 and disk.f_ffree == 0)


def template_folder() -> Path:
    """Return the folder of what people copy from here: a wheel carries it, a checkout has it at its root."""
    package = Path(__file__).parents[1]
    packed = package / "template"
    return packed if packed.is_dir() else package.parent


def cache_root() -> Path:
    """Return the folder that holds artifacts, data and weights: $BENCHSUITE_CACHE or the user's cache folder."""
    import platformdirs

    # Absolute, because workers of another interpreter have another working directory.
    return Path(os.environ.get("BENCHSUITE_CACHE") or platformdirs.user_cache_dir("benchsuite")).absolute()
