"""Child processes that answer requests: one JSON line each way, on descriptors that no library can print on."""

from __future__ import annotations

import json
import os
import platform
import queue
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from benchsuite.terms.codec import sentence_from_builtins, sentence_to_builtins
from benchsuite.terms.errors import BenchsuiteError, ProcessError
from benchsuite.terms.said import said

# Raise it with every change to a request or an answer: an arm of a gate may run another release's worker.
PROTOCOL_VERSION = 5
# What this release can talk to: version 4 answered in finished sentences, which are read as well.
PROTOCOLS = (4, 5)
Handler = Callable[[dict[str, Any]], dict[str, Any]]
_STDERR_LINES = 12
_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def offline_environment(cache_root: Path, offline: bool = True) -> dict[str, str]:
    """Return the variables that keep runtimes and exporters from the network, from pip and from the home folder."""
    return {
        "YOLO_CONFIG_DIR": str(cache_root / "ultralytics"),
        "YOLO_AUTOINSTALL": "false",
        "YOLO_OFFLINE": str(offline).lower(),
        "YOLO_VERBOSE": "false",
        # On Linux ONNX Runtime starts a thread for it when it is imported, and writes to the home folder.
        "ORT_DISABLE_TELEMETRY": "1",
    }


# By module: what answers in this process in its place. benchsuite.testing puts its doubles here.
STAND_INS: dict[str, Callable[[], Child]] = {}


class Child:
    """A running child process; requests are answered one at a time, in order."""

    def __init__(self, process: subprocess.Popen[str], name: str, log: Path) -> None:
        self._process = process
        self._name = name
        self._log = log
        # A thread that blocks in readline costs nothing while a child measures, and a queue can time out
        # on every operating system.
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @classmethod
    def start(
        cls, module: str, log: Path, environment: Mapping[str, str], python: str = sys.executable, name: str = "worker"
    ) -> Child:
        """Start `python -m module` in a process group of its own, its stderr appended to `log`.

        Raises ProcessError where the interpreter cannot be started.
        """
        if module in STAND_INS:
            return STAND_INS[module]()
        log.parent.mkdir(parents=True, exist_ok=True)
        # `-m` looks into the working directory first. Another interpreter must find the benchsuite that is
        # installed there, and not the source tree that this one may have been started in.
        folder = None if python == sys.executable else log.parent
        try:
            with log.open("a") as stderr:
                process = subprocess.Popen(
                    [python, "-m", module],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=stderr,
                    text=True,
                    env={**os.environ, **environment},
                    start_new_session=True,
                    cwd=folder,
                )
        except OSError as error:
            raise ProcessError(said("{1} could not be started: {2}", python, error.strerror or error)) from None
        return cls(process, name, log)

    @property
    def pid(self) -> int:
        return self._process.pid

    def request(self, op: str, deadline_s: float, **arguments: Any) -> dict[str, Any]:
        """Send one request and wait for its answer.

        Raises ProcessError if the child dies, does not answer in time (it is killed then) or reports an error.
        """
        self.send(op, **arguments)
        return self.receive(op, deadline_s)

    def send(self, op: str, **arguments: Any) -> None:
        """Send one request without waiting; `receive` gets its answer."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"op": op, **arguments}) + "\n")
            self._process.stdin.flush()
        except OSError:
            raise ProcessError(self._death(op)) from None

    def receive(self, op: str, deadline_s: float) -> dict[str, Any]:
        """Wait for the answer to `op`; raises as `request` does."""
        try:
            line = self._lines.get(timeout=deadline_s)
        except queue.Empty:
            self.kill()
            raise ProcessError(
                self._told("{1} did not finish '{2}' in {3} s and was killed", op, f"{deadline_s:.0f}")
            ) from None
        if not line:
            raise ProcessError(self._death(op))
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise ProcessError(sentence_from_builtins(answer["error"]))
        return answer

    def close(self) -> None:
        """Let the child end by itself, and kill it if it does not within two seconds."""
        if self._process.stdin is not None:
            # The child may be gone already, which is what closing wants.
            with suppress(OSError):
                self._process.stdin.close()
        try:
            self._process.wait(2.0)
        except subprocess.TimeoutExpired:
            self.kill()
        self._reader.join(2.0)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def kill(self) -> None:
        """Kill the child and everything it started."""
        if hasattr(os, "killpg"):
            self._signal(signal.SIGKILL)
        else:
            self._process.kill()
        self._process.wait()

    def pause(self) -> None:
        """Stop the child and all its threads until `resume`; POSIX only."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused child go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        # It may have ended between our look and the signal.
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def _death(self, op: str) -> str:
        try:
            code = self._process.wait(5.0)
        except subprocess.TimeoutExpired:
            self.kill()
            return self._told("{1} closed its answers during '{2}' and was killed", op)
        return self._told("{1} died during '{2}' by {3}", op, describe_exit(code))

    def _told(self, template: str, *values: str) -> str:
        """Return what happened to the child, and the last that it wrote."""
        happened, tail = said(template, self._name, *values), self._tail()
        return said("{1}: {2}", happened, tail) if tail else happened

    def _tail(self) -> str:
        try:
            lines = self._log.read_text(errors="replace").strip().splitlines()[-_STDERR_LINES:]
        except OSError:
            return ""
        return "\n".join(lines)


def describe_exit(code: int) -> str:
    """Name an exit code or a signal: `signal 9 (SIGKILL: killed from outside, often for want of memory)`."""
    if code >= 0:
        return said("exit code {1}", code)
    name = signal.Signals(-code).name
    if name == "SIGKILL":
        return said("signal {1} ({2}: killed from outside, often for want of memory)", -code, name)
    return said("signal {1} ({2})", -code, name)


def serve(
    handlers: Mapping[str, Handler], packages: Sequence[str] = (), steps: Mapping[str, str] | None = None
) -> None:
    """Answer requests until the parent closes its end; `hello` tells the versions of `packages`, and of own `steps`.

    Runtimes print on standard output whenever they like, so that descriptor is moved away before any is imported.
    """
    _die_with_parent()
    requests, answers = _private_streams()
    known = {"hello": lambda _: _hello(packages, steps or {}), **handlers}
    for line in requests:
        request = json.loads(line)
        try:
            answer = known[request.pop("op")](request)
        except BenchsuiteError as error:
            answer = {"error": sentence_to_builtins(str(error))}
        except MemoryError:
            answer = {"error": "out of memory"}
        except Exception as error:  # Whatever a runtime raises is that case's failure, not the protocol's.
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _hello(packages: Sequence[str], steps: Mapping[str, str]) -> dict[str, Any]:
    """Answer who serves: the protocol's version and the packages of this interpreter."""
    from benchsuite.machine.facts import gpu_packages, package_versions
    from benchsuite.machine.nvml import list_gpus

    return {
        "protocol": PROTOCOL_VERSION,
        "python": platform.python_version(),
        "packages": dict(package_versions((*packages, *gpu_packages(list_gpus()[0])))),
        "steps": dict(steps),
    }


def _die_with_parent() -> None:
    """Ask Linux to kill this process when its parent dies: a killed run must not leave a worker computing for minutes.

    Elsewhere the child notices at its next request that nobody asks any more.
    """
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _private_streams() -> tuple[TextIO, TextIO]:
    requests = os.fdopen(os.dup(0), "r")
    answers = os.fdopen(os.dup(1), "w")
    with Path(os.devnull).open() as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    return requests, answers
