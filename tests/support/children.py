"""Child processes with one fault each, for the tests of the process that starts them."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import stat
import subprocess
import sys
import time
from typing import Any

from benchsuite.machine.processes import serve
from benchsuite.terms.errors import SessionError
from benchsuite.terms.said import said


def echo(request: dict[str, Any]) -> dict[str, Any]:
    """Print where a runtime would print, and answer."""
    print("a runtime's banner")
    os.write(1, b"and its native half\n")
    return {"said": request["text"], "pid": os.getpid()}


def crash(_: dict[str, Any]) -> dict[str, Any]:
    """Die as a segmentation fault does."""
    print("last words", file=sys.stderr, flush=True)
    os.kill(os.getpid(), signal.SIGSEGV)
    return {}


def leave(_: dict[str, Any]) -> dict[str, Any]:
    """Exit without an answer."""
    os._exit(3)


def hang(_: dict[str, Any]) -> dict[str, Any]:
    """Never answer."""
    time.sleep(60)
    return {}


def tear(_: dict[str, Any]) -> dict[str, Any]:
    """Be killed in the middle of the answer."""
    answers = next(number for number in range(3, 20) if _leads_to_parent(number))
    os.write(answers, b'{"half": ')
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def _leads_to_parent(descriptor: int) -> bool:
    try:
        is_pipe = stat.S_ISFIFO(os.fstat(descriptor).st_mode)
    except OSError:
        return False
    return is_pipe and bool(fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_WRONLY)


def start_another(_: dict[str, Any]) -> dict[str, Any]:
    """Start a process that lives on, and tell its number."""
    return {"pid": subprocess.Popen(["sleep", "60"]).pid}


def fill(_: dict[str, Any]) -> dict[str, Any]:
    """Fail as on a full disk, to which the log cannot be written either."""

    class Full:
        def write(self, text: str) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        def flush(self) -> None: ...

    sys.stderr = Full()  # type: ignore[assignment]
    raise OSError(errno.ENOSPC, "No space left on device", "/cache/model.onnx")


def refuse(_: dict[str, Any]) -> dict[str, Any]:
    """Report an error made on purpose."""
    raise SessionError(said("the artifact is for {1}", said("another {1}", "machine")))


def stumble(_: dict[str, Any]) -> dict[str, Any]:
    """Report an error that nobody expected."""
    raise ZeroDivisionError("by zero")


if __name__ == "__main__":
    handlers = (echo, crash, leave, hang, tear, start_another, fill, refuse, stumble)
    serve({handler.__name__: handler for handler in handlers})
