"""Locks on open files, which end with the process that holds them: whoever it belongs to, and however it ends."""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# A folder on such a file system is used without a lock: what is put into it appears whole or not at all anyway.
_NO_LOCKS_HERE = {errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK, errno.EINVAL, errno.EBADF}
# A process may have so many files open.
_MOST_HELD = 128


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file alone; made where it is missing, waited for where another process holds it.

    Raises OSError where it can neither be made nor opened.
    """
    while True:
        descriptor = open_lock_file(path)
        try:
            take(descriptor, alone=True)
            if is_still(path, descriptor):
                yield
                return
        finally:
            os.close(descriptor)


def open_lock_file(path: Path) -> int:
    """Open a lock file and return its descriptor; a new one can be locked by everybody who reaches its folder.

    Raises OSError, also for what is no plain file: no link is followed, and no pipe waited for.
    """
    plain = os.O_NOFOLLOW | os.O_NONBLOCK
    while True:
        try:
            descriptor = _open_existing(path, plain)
        except FileNotFoundError:
            # Linux refuses O_CREAT for another user's file in a folder such as /tmp, to root as well. Only a new file
            # is opened so.
            mask = os.umask(0)
            try:
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | plain, 0o666)
            except FileExistsError:
                continue
            finally:
                os.umask(mask)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise OSError(error.errno, "it is a link", str(path)) from None
            raise
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return descriptor
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no plain file", str(path))


def take(descriptor: int, alone: bool, wait: bool = True) -> bool:
    """Lock an open file or folder, alone or beside others, and say whether that came about.

    It always does on a file system without locks.
    """
    # Windows has none, and its users shall come as far as a run.
    import fcntl

    try:
        fcntl.flock(descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS_HERE:
            raise
    return True


def is_still(path: Path, descriptor: int) -> bool:
    """Say whether a path still names the file or folder that was opened: it may have been removed meanwhile."""
    with suppress(OSError):
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    return False


class HeldFolders:
    """Folders that this process locks, beside others who use them, until it ends: the last 128 of them."""

    def __init__(self) -> None:
        self._descriptors: dict[Path, int] = {}
        # Threads build side by side.
        self._lock = threading.RLock()

    def hold(self, folder: Path) -> bool:
        """Lock a folder and say whether there is such a one; nothing is written.

        Raises OSError where it cannot be opened.
        """
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except (FileNotFoundError, NotADirectoryError):
            self.let_go(folder)
            return False
        try:
            take(descriptor, alone=False)
            held = is_still(folder, descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        with self._lock:
            # Only now, so that nobody removes it in between.
            self.let_go(folder)
            if not held:
                os.close(descriptor)
                return False
            self._descriptors[folder] = descriptor
            if len(self._descriptors) > _MOST_HELD:
                self.let_go(next(iter(self._descriptors)))
        return True

    def let_go(self, folder: Path) -> None:
        """Unlock a folder, be it locked or not."""
        with self._lock:
            descriptor = self._descriptors.pop(folder, None)
        if descriptor is not None:
            os.close(descriptor)


def _open_existing(path: Path, plain: int) -> int:
    try:
        return os.open(path, os.O_RDWR | plain)
    except PermissionError:
        return os.open(path, os.O_RDONLY | plain)
