"""What a child process runs first: it ties itself to its parent before anything else is imported.

Read and run as text by whatever interpreter the child has, which may hold another release of benchsuite: it needs
nothing but Python. Its arguments are the module that the child serves and, where that module's tools start processes,
the word `descendants`.
"""

import json
import os
import runpy
import select
import signal
import sys
from contextlib import suppress

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def die_with_parent() -> None:
    """Ask Linux to kill this process when its parent dies, and end it where that is dead already.

    Elsewhere the child notices at its next request that nobody asks any more.
    """
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        # Not by the parent's number: the interpreter may be a script that stands between.
        parent = select.poll()
        parent.register(0, 0)
        if any(event & select.POLLHUP for _, event in parent.poll(0)):
            os._exit(1)


def take_descendants_along() -> None:
    """Leave a process behind that kills this one's group when this one is gone, however it ended.

    Linux ends children with their parent, but not what these have started.
    """
    group = os.getpgrp()
    watched, held = os.pipe()
    if os.fork():
        os.close(watched)
        return
    # Paused or killed with the group, it could not do its work; in the session, it keeps the group's number taken.
    os.setpgid(0, 0)
    os.close(held)
    for descriptor in range(3):
        os.close(descriptor)
    os.read(watched, 1)
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
    os._exit(0)


def serve(module: str) -> None:
    """Run a module as `python -m` does; a disk that keeps it from serving is its answer to whatever is asked next."""
    answers = os.dup(1)
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except OSError as error:
        # The log, which says the same, may lie on that disk. The parent may be gone.
        with suppress(OSError):
            os.write(answers, json.dumps({"error": f"{type(error).__name__}: {error}"}).encode() + b"\n")
        raise


if __name__ == "__main__":
    _, name, *more = sys.argv
    die_with_parent()
    if more == ["descendants"]:
        take_descendants_along()
    serve(name)
