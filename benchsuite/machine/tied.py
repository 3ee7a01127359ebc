"""What a child process runs first: it ties itself to its parent before anything else is imported.

Read and run as text by whatever interpreter the child has, which may hold another release of benchsuite: it needs
nothing but Python. Its arguments are the number of the process that starts it, the module that the child serves and,
where that module's tools start processes, the word `descendants`.
"""

import json
import os
import runpy
import select
import signal
import sys
from contextlib import suppress

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
# A parent that only closes its end gives two.
_TO_END_BY_ITSELF_MS = 3000


def die_with_parent() -> None:
    """Ask Linux to kill this process when its parent dies, and end it where that is dead already.

    Elsewhere the child notices at its next request that nobody asks any more.
    """
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        # Not by the parent's number, which tells nothing where a script around the interpreter stands between.
        parent = select.poll()
        parent.register(0, 0)
        if any(event & select.POLLHUP for _, event in parent.poll(0)):
            os._exit(1)


def leave_watcher() -> None:
    """Leave a process behind that kills this one's group when this one is gone, or when only its parent is.

    Linux ends children with their parent, but not what these have started.
    """
    group = os.getpgrp()
    watched, held = os.pipe()
    if os.fork():
        os.close(watched)
        return
    # Paused or killed with the group, it could not do its work; in the session, it keeps the group's number taken.
    os.setpgid(0, 0)
    for descriptor in (held, 1, 2):
        os.close(descriptor)
    ends = select.poll()
    ends.register(watched, 0)
    ends.register(0, 0)
    ends.poll()
    ends.unregister(0)
    ends.poll(_TO_END_BY_ITSELF_MS)
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
    _, starter, name, *more = sys.argv
    die_with_parent()
    # A script between the two ends with neither.
    if more == ["descendants"] or os.getppid() != int(starter):
        leave_watcher()
    serve(name)
