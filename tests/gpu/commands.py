"""Commands with a time limit, in an environment that touches neither the network nor the home folder."""

from __future__ import annotations

import ctypes
import os
import signal
import site
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Between asking a command to end, at which pytest writes its page, and ending it.
_GRACE_S = 8
_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_LIBC = ctypes.CDLL(None)


def environment(scratch: Path) -> dict[str, str]:
    """Return this process's variables, with everything that is written or installed below `scratch`."""
    dropped = ("PYTEST_ADDOPTS", "GITHUB_STEP_SUMMARY", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    (scratch / "home").mkdir()
    return {
        **kept,
        "HOME": str(scratch / "home"),
        # Packages may lie in the real home folder.
        "PYTHONUSERBASE": site.getuserbase(),
        "PYTHONPATH": os.pathsep.join(filter(None, (str(scratch / "site"), str(ROOT), kept.get("PYTHONPATH")))),
        "PYTHONUNBUFFERED": "1",
        "BENCHSUITE_CACHE": str(scratch / "cache"),
        # benchsuite says so to its own children; these are for what a test or a library starts beside them.
        "TORCHINDUCTOR_CACHE_DIR": str(scratch / "inductor"),
        "YOLO_CONFIG_DIR": str(scratch / "ultralytics"),
        "YOLO_AUTOINSTALL": "false",
        "YOLO_OFFLINE": "true",
        "PIP_NO_INDEX": "1",
        "PIP_CONFIG_FILE": os.devnull,
        # The machine's other plugins would have a say.
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }


def call(
    command: Sequence[str], variables: Mapping[str, str], limit_s: float, hear: Callable[[str], None]
) -> int | None:
    """Let `hear` have each line of a command as it comes; return its exit status, or None where its time was over."""
    if limit_s <= 0:
        return None
    process = start(command, variables, subprocess.PIPE)
    late = threading.Event()

    def stop() -> None:
        late.set()
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        try:
            process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            _kill(process)

    timer = threading.Timer(limit_s, stop)
    timer.start()
    assert process.stdout is not None
    try:
        for line in process.stdout:
            hear(line.rstrip("\n"))
        status = process.wait()
    finally:
        timer.cancel()
        _kill(process)
        process.stdout.close()
    return None if late.is_set() else status


def start(command: Sequence[str], variables: Mapping[str, str], output: int) -> subprocess.Popen[str]:
    """Start a command that dies with this process, both its streams going to `output`."""
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
        preexec_fn=_in_child,
    )


def _in_child() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # A shell that runs this in the background has switched it off, for what is started here too.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _kill(process: subprocess.Popen[str]) -> None:
    """End a command and what it has started in its session."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
