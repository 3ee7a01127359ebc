"""A child process may print, crash, hang or fail: its parent always gets an answer or a reason."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from benchsuite.machine.processes import Child, inherited_environment
from benchsuite.terms.errors import ProcessError
from benchsuite.terms.said import Said

ROOT = Path(__file__).parents[3]


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    """Start the child with many faults."""
    started = Child.start("tests.support.children", tmp_path / "log", {"PYTHONPATH": str(ROOT)}, name="test child")
    yield started
    started.close()


def test_another_interpreter_is_not_led_to_this_ones_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of this environment's paths none reach it, of libraries those of the machine do; this interpreter keeps all."""
    own, shared = str(Path(sys.prefix) / "lib"), "/usr/local/cuda/lib64"
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTHONHOME", "/somewhere")
    monkeypatch.setenv("LD_LIBRARY_PATH", os.pathsep.join((own, shared, "")))
    told = tmp_path / "told"
    other = tmp_path / "python"
    other.write_text(f"#!/bin/sh\nenv > {told}\nexit 3\n")
    other.chmod(0o755)
    started = Child.start("tests.support.children", tmp_path / "log", {"YOLO_OFFLINE": "true"}, python=str(other))
    with pytest.raises(ProcessError):
        started.request("echo", 10, text="")
    started.close()
    lines = told.read_text().splitlines()
    assert f"LD_LIBRARY_PATH={shared}" in lines
    assert "YOLO_OFFLINE=true" in lines
    assert not [line for line in lines if line.startswith(("PYTHONPATH", "PYTHONHOME"))]
    assert inherited_environment(sys.executable)["PYTHONPATH"] == str(ROOT)
    monkeypatch.setenv("LD_LIBRARY_PATH", own)
    assert "LD_LIBRARY_PATH" not in inherited_environment(str(other))


def test_answers_survive_whatever_a_runtime_prints(child: Child) -> None:
    """Text on standard output, from Python or native code, does not disturb the protocol."""
    for text in ("one", "two"):
        assert child.request("echo", 10, text=text)["said"] == text


def test_crash_names_the_signal_and_the_last_words(child: Child) -> None:
    """A child that dies by a signal is reported with the signal and its stderr."""
    with pytest.raises(ProcessError, match=r"(?s)died during 'crash' by signal 11 \(SIGSEGV\).*last words"):
        child.request("crash", 10)


def test_exit_names_its_code(child: Child) -> None:
    """A child that exits without an answer is reported with its exit code."""
    with pytest.raises(ProcessError, match="exit code 3"):
        child.request("leave", 10)


def test_hanging_child_is_killed_at_the_deadline(child: Child) -> None:
    """A child that does not answer in time is killed, and the reason says how long it had."""
    pid = child.pid
    started = time.monotonic()
    with pytest.raises(ProcessError, match="did not finish 'hang' in 1 s and was killed"):
        child.request("hang", 1)
    assert time.monotonic() - started < 10
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_error_made_on_purpose_comes_as_its_sentence(child: Child) -> None:
    """A runtime's refusal arrives word for word with what it was made of, and the child goes on serving."""
    with pytest.raises(ProcessError, match=r"^the artifact is for another machine$") as caught:
        child.request("refuse", 10)
    sentence = str(caught.value)
    assert isinstance(sentence, Said)
    assert (sentence.template, sentence.values) == ("the artifact is for {1}", ("another machine",))
    assert child.request("echo", 10, text="still here")["said"] == "still here"


def test_unexpected_error_comes_with_its_type(child: Child) -> None:
    """Any other error arrives with its type, and the child goes on serving."""
    with pytest.raises(ProcessError, match="ZeroDivisionError: by zero"):
        child.request("stumble", 10)


def test_request_to_a_dead_child_says_how_it_died(child: Child) -> None:
    """A request after the child's death raises the same kind of reason."""
    child.kill()
    with pytest.raises(ProcessError, match="SIGKILL"):
        child.request("echo", 10, text="hello")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can be asked to end a child with its parent")
def test_child_dies_with_its_parent(tmp_path: Path) -> None:
    """A child that is busy when its parent is killed does not go on alone."""
    code = (
        "import sys; from pathlib import Path; from benchsuite.machine.processes import Child\n"
        "child = Child.start('tests.support.children', Path(sys.argv[1]), {'PYTHONPATH': sys.argv[2]})\n"
        "child.request('echo', 10, text='ready'); print(child.pid, flush=True); child.request('hang', 60)"
    )
    paths = str(ROOT)
    command = [sys.executable, "-c", code, str(tmp_path / "log"), paths]
    environment = {**os.environ, "PYTHONPATH": paths}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    end = time.monotonic() + 5
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end
        time.sleep(0.05)
