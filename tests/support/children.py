"""Child processes with one fault each, for the tests of the process that starts them."""

from __future__ import annotations

import os
import signal
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


def refuse(_: dict[str, Any]) -> dict[str, Any]:
    """Report an error made on purpose."""
    raise SessionError(said("the artifact is for {1}", said("another {1}", "machine")))


def stumble(_: dict[str, Any]) -> dict[str, Any]:
    """Report an error that nobody expected."""
    raise ZeroDivisionError("by zero")


if __name__ == "__main__":
    serve({"echo": echo, "crash": crash, "leave": leave, "hang": hang, "refuse": refuse, "stumble": stumble})
