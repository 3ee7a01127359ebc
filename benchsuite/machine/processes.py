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

from benchsuite.machine.files import cannot_write
from benchsuite.terms.codec import sentence_from_builtins, sentence_to_builtins
from benchsuite.terms.errors import BenchsuiteError, ProcessError
from benchsuite.terms.said import said

# Raise it with every change to a request or an answer: an arm of a gate may run another release's worker.
PROTOCOL_VERSION = 6
# What this release can talk to. Version 4 answered in finished sentences, which are read as well; 5 knew no
# turns, which no gate takes.
PROTOCOLS = (4, 5, 6)
Handler = Callable[[dict[str, Any]], dict[str, Any]]
_STDERR_LINES = 12
_RUN_TIED = "import runpy, sys; runpy.run_path(sys.argv.pop(1), run_name='__main__')"
_TIED = Path(__file__).with_name("tied.py")


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


# What leads an interpreter to this one's packages; of folders of libraries, those within this environment do.
_TO_PACKAGES = ("PYTHONPATH", "PYTHONHOME")
_TO_LIBRARIES = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")

# By module: what answers in this process in its place. benchsuite.testing puts its doubles here.
STAND_INS: dict[str, Callable[[], Child]] = {}


def inherited_environment(python: str) -> dict[str, str]:
    """Return the variables that a child inherits; another interpreter none that leads to this one's packages."""
    if python == sys.executable:
        return dict(os.environ)
    kept = {name: text for name, text in os.environ.items() if name not in _TO_PACKAGES}
    for name in _TO_LIBRARIES:
        folders = shared_libraries(name)
        kept.pop(name, None)
        if folders:
            kept[name] = os.pathsep.join(folders)
    return kept


def shared_libraries(name: str) -> tuple[str, ...]:
    """Return the folders of a variable that lie outside this environment, as a driver's or CUDA's."""
    folders = os.environ.get(name, "").split(os.pathsep)
    return tuple(it for it in folders if it and not Path(it).absolute().is_relative_to(sys.prefix))


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
        cls,
        module: str,
        log: Path,
        environment: Mapping[str, str],
        python: str = sys.executable,
        name: str = "worker",
        descendants: bool = False,
    ) -> Child:
        """Start `python -m module` in a process group of its own, tied to this one, its stderr appended to `log`.

        Where its tools start processes, `descendants` ties these to it too. Raises ProcessError where the log cannot be
        written or the interpreter cannot be started.
        """
        if module in STAND_INS:
            return STAND_INS[module]()
        # Python looks into the working directory first. Another interpreter must find the benchsuite that is
        # installed there, and not the source tree that this one may have been started in.
        folder = None if python == sys.executable else log.parent
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            stderr = log.open("a")
        except OSError as error:
            raise ProcessError(cannot_write(log, error)) from None
        words = [str(_TIED), str(os.getpid()), module, *(["descendants"] if descendants else [])]
        try:
            with stderr:
                process = subprocess.Popen(
                    [python, "-c", _RUN_TIED, *words],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=stderr,
                    text=True,
                    env={**inherited_environment(python), **environment},
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
        # One that was killed while it answered leaves half a line.
        if not line.endswith("\n"):
            raise ProcessError(self._death(op))
        try:
            answer: dict[str, Any] = json.loads(line)
        except ValueError:
            self.kill()
            # As of a script around the interpreter, that greets whoever starts it.
            raise ProcessError(
                self._told("{1} answered '{2}' with {3}, which is no answer, and was killed", op, repr(line[:80]))
            ) from None
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
        """Kill the child and everything it started, unless it has ended by itself."""
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
        # Once it has been waited for, its number may be another's. Until then it is kept, be the child dead or not.
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            for line in self._process.stdout:
                self._lines.put(line)
        finally:
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
    try:
        name = signal.Signals(-code).name
    except ValueError:
        # A real-time signal has no name of its own.
        return said("signal {1}", -code)
    if name == "SIGKILL":
        return said("signal {1} ({2}: killed from outside, often for want of memory)", -code, name)
    return said("signal {1} ({2})", -code, name)


def serve(
    handlers: Mapping[str, Handler], packages: Sequence[str] = (), steps: Mapping[str, str] | None = None
) -> None:
    """Answer requests until the parent closes its end; `hello` tells the versions of `packages`, and of own `steps`.

    Runtimes print on standard output whenever they like, so that descriptor is moved away before any is imported.
    """
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
            # The log may lie on the very disk that is full.
            with suppress(OSError):
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


def _private_streams() -> tuple[TextIO, TextIO]:
    requests = os.fdopen(os.dup(0), "r")
    answers = os.fdopen(os.dup(1), "w")
    with Path(os.devnull).open() as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    return requests, answers
