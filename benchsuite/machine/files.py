"""Files written whole or not at all: a reader sees the old text or the new one, never half of it."""

from __future__ import annotations

import contextlib
import os
import uuid
from pathlib import Path

from benchsuite.terms.errors import UsageError
from benchsuite.terms.said import said


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file in one step, its folder made where needed; raises UsageError where the disk refuses.

    What is no file, as a pipe or /dev/stdout, is written into: replacing it would take it from everybody.
    """
    if is_device(path):
        try:
            with path.open("wb") as device:
                device.write(_bytes(content))
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
            file.write(_bytes(content))
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    except OSError as error:
        # The write's own error is the one to tell.
        with contextlib.suppress(OSError):
            scratch.unlink()
        raise UsageError(cannot_write(path, error)) from None


def _bytes(content: str | bytes) -> bytes:
    # A path of bytes that the locale has no letters for holds surrogates; JSON reads such an escape as what it was.
    return content.encode(errors="backslashreplace") if isinstance(content, str) else content


def is_device(path: Path) -> bool:
    """Say whether a path is written into and never replaced: a pipe, a device, or a stream by its name."""
    stream = str(path).startswith(("/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/"))
    return stream or (path.exists() and not path.is_file() and not path.is_dir())


def cannot_write(path: Path, error: OSError) -> str:
    """Say in one sentence that a path cannot be written, why, and what to do."""
    return said(
        "cannot write {1}: {2}; free some space there or choose a folder that can be written.",
        path,
        error.strerror or error,
    )


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
