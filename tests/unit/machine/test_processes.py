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


def test_answer_that_was_cut_off_is_a_death(child: Child) -> None:
    """A child that is killed while it answers died by that signal, whatever half of the answer came."""
    with pytest.raises(ProcessError, match=r"died during 'tear' by signal 9 \(SIGKILL"):
        child.request("tear", 10)


def test_full_disk_is_told_though_the_log_lies_on_it(child: Child) -> None:
    """What a child meets on a full disk arrives, and the child goes on serving, though it can log nothing."""
    with pytest.raises(ProcessError, match=r"No space left on device: '/cache/model.onnx'$"):
        child.request("fill", 10)
    assert child.request("echo", 10, text="still here")["said"] == "still here"


def test_log_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The sentence names the log, and no interpreter that would have been at fault."""
    (tmp_path / "log").mkdir()
    with pytest.raises(ProcessError, match=f"^cannot write {tmp_path / 'log'}: Is a directory; "):
        Child.start("tests.support.children", tmp_path / "log", {"PYTHONPATH": str(ROOT)})


def test_nothing_is_signalled_once_the_child_was_waited_for(child: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its number may be another process's by then."""
    child.kill()
    monkeypatch.setattr(os, "killpg", lambda *_: pytest.fail("signalled"))
    child.pause()
    child.resume()
    child.kill()


LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux can be asked to end a child with its parent")
_START = (
    "import sys; from pathlib import Path; from benchsuite.machine.processes import Child\n"
    "_, log, module, root, python = sys.argv\n"
    "child = Child.start(module, Path(log), {'PYTHONPATH': root}, python, descendants=python == sys.executable)\n"
)


def parent(
    code: str, module: str, folder: Path, python: str = sys.executable, **variables: str
) -> subprocess.Popen[str]:
    """Start a process that starts a child, of whatever interpreter, and goes on with `code`."""
    command = [sys.executable, "-c", _START + code, str(folder / "log"), module, str(ROOT), python]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def ends(pid: int, within_s: float = 5.0) -> bool:
    """Say whether a process ends within so many seconds."""
    end = time.monotonic() + within_s
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


@LINUX
def test_child_and_what_it_started_die_with_the_parent(tmp_path: Path) -> None:
    """Neither a child that is busy when its parent is killed nor a process that it started goes on alone."""
    code = "print(child.pid, child.request('start_another', 10)['pid'], flush=True); child.request('hang', 60)"
    with parent(code, "tests.support.children", tmp_path) as started:
        assert started.stdout is not None
        pids = [int(word) for word in started.stdout.readline().split()]
        started.kill()
    assert [ends(pid) for pid in pids] == [True, True]


@LINUX
def test_paused_child_behind_a_script_dies_with_the_parent(tmp_path: Path) -> None:
    """A script around the interpreter, which stays when the parent dies, keeps no child alive, be it paused or not."""
    script = tmp_path / "python"
    script.write_text(f'#!/bin/sh\n{sys.executable} "$@"\n')
    script.chmod(0o755)
    code = (
        "print(child.pid, child.request('echo', 10, text='')['pid'], flush=True); child.pause(); "
        "import time; print(flush=True); time.sleep(60)"
    )
    with parent(code, "tests.support.children", tmp_path, str(script)) as started:
        assert started.stdout is not None
        pids = [int(word) for word in started.stdout.readline().split()]
        started.stdout.readline()
        started.kill()
    assert [ends(pid) for pid in pids] == [True, True]


@LINUX
def test_what_a_child_started_goes_with_it(tmp_path: Path) -> None:
    """A child that ends, here by being closed, leaves none of its own behind."""
    child = Child.start("tests.support.children", tmp_path / "log", {"PYTHONPATH": str(ROOT)}, descendants=True)
    pid = child.request("start_another", 10)["pid"]
    child.close()
    assert ends(pid)


@LINUX
def test_child_dies_with_its_parent_while_it_imports(tmp_path: Path) -> None:
    """It is tied to its parent before it imports what it serves with."""
    begun = tmp_path / "begun"
    with parent("print(child.pid, flush=True); child.request('any', 60)", "tests.support.slow_import", tmp_path,
                BEGUN=str(begun)) as started:  # fmt: skip
        assert started.stdout is not None
        pid = int(started.stdout.readline())
        while not begun.exists():
            time.sleep(0.01)
        started.kill()
    assert ends(pid)


@LINUX
@pytest.mark.parametrize("delay_s", [0.0, 0.005, 0.01, 0.02, 0.04])
def test_child_dies_with_its_parent_in_its_first_moments(tmp_path: Path, delay_s: float) -> None:
    """A child whose parent is gone before it could be tied to it looks, and ends."""
    code = "import os, signal, time; print(child.pid, flush=True); time.sleep(60)"
    with parent(code, "tests.support.slow_import", tmp_path, BEGUN=str(tmp_path / "begun")) as started:
        assert started.stdout is not None
        pid = int(started.stdout.readline())
        time.sleep(delay_s)
        started.kill()
    assert ends(pid)
