"""`--against` finds what it names, and says in one sentence what it cannot use."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from benchsuite.gate.against import parse_against, probe, ready_against
from benchsuite.machine.processes import PROTOCOL_VERSION
from benchsuite.networks.weights import resolve
from benchsuite.options.settings import parse
from benchsuite.terms.errors import UsageError


def script(path: Path, text: str) -> Path:
    """Write an executable."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_a_path_tells_what_it_is(tmp_path: Path) -> None:
    """A .pt file, a store, an interpreter and a venv's folder are recognised without their kind."""
    weights = tmp_path / "best.pt"
    weights.touch()
    (tmp_path / "store" / "artifacts").mkdir(parents=True)
    python = script(tmp_path / "venv" / "bin" / "python", "#!/bin/sh\n")
    assert str(parse_against(str(weights), tmp_path)) == f"weights:{weights}"
    assert str(parse_against(str(tmp_path / "store"), tmp_path)) == f"store:{tmp_path / 'store'}"
    assert str(parse_against(str(python), tmp_path)) == f"env:{python}"
    assert str(parse_against(f"env:{tmp_path / 'venv'}", tmp_path)) == f"env:{python}"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("nothing", "give env:PYTHON, weights:PT, store:DIR or baseline:NAME"),
        ("env:/no/python", "is no interpreter"),
        ("weights:/no/best.pt", "there is no such file"),
        ("store:/no/store", "is no artifact store"),
        ("baseline:nowhere", "holds no such baseline; there are none yet"),
    ],
)
def test_what_is_not_there_is_said(tmp_path: Path, text: str, problem: str) -> None:
    """Each kind has its sentence, with what was asked."""
    with pytest.raises(UsageError, match=problem) as error:
        parse_against(text, tmp_path)
    assert f"--against {text}" in str(error.value)


def test_weights_that_are_no_detector_are_refused(tmp_path: Path) -> None:
    """A file of another kind is refused before anything runs, with the option that named it."""
    (tmp_path / "other.pt").write_bytes(b"not a checkpoint")
    options = parse({"against": f"weights:{tmp_path / 'other.pt'}"})
    models = resolve(["yolo26n_shapes"], tmp_path)
    with pytest.raises(UsageError, match=r"^--against weights:.*damaged or no PyTorch checkpoint"):
        ready_against(options, models, tmp_path)


def test_one_model_against_other_weights_only(tmp_path: Path) -> None:
    """Two models cannot pair with one weights file, and --same-artifacts is for environments."""
    weights = tmp_path / "other.pt"
    weights.touch()
    with pytest.raises(UsageError, match="name one with --model, not 0"):
        ready_against(parse({"against": str(weights)}), [], tmp_path)
    with pytest.raises(UsageError, match="it goes with --against env"):
        ready_against(parse({"against": str(weights), "same_artifacts": "yes"}), [], tmp_path)


def test_this_interpreter_answers_with_its_packages(tmp_path: Path) -> None:
    """A fitting environment tells its Python and the versions that can change a figure."""
    packages = probe(sys.executable, tmp_path, tmp_path / "hello.log")
    assert packages["python"].startswith(f"{sys.version_info.major}.{sys.version_info.minor}")
    assert "onnxruntime" in packages


def test_interpreter_without_benchsuite(tmp_path: Path) -> None:
    """An environment that lacks benchsuite is a usage error that says so."""
    bare = script(tmp_path / "python", f'#!/bin/sh\nexec {sys.executable} -S -E "$@"\n')
    with pytest.raises(UsageError, match="benchsuite is not installed there"):
        probe(str(bare), tmp_path, tmp_path / "hello.log")


def test_interpreter_that_dies_on_start(tmp_path: Path) -> None:
    """An interpreter that cannot run is named with the last thing it said."""
    dying = script(tmp_path / "python", "#!/bin/sh\necho 'libpython is gone' >&2\nexit 127\n")
    with pytest.raises(UsageError, match="libpython is gone"):
        probe(str(dying), tmp_path, tmp_path / "hello.log")


def test_other_protocol_is_refused(tmp_path: Path) -> None:
    """A worker that speaks another protocol is told by both versions."""
    answer = f'{{"protocol": {PROTOCOL_VERSION + 1}, "python": "3.11.0", "packages": {{}}}}'
    other = script(tmp_path / "python", f"#!/bin/sh\nread line\necho '{answer}'\n")
    with pytest.raises(UsageError, match=f"protocol {PROTOCOL_VERSION + 1}, this one {PROTOCOL_VERSION}"):
        probe(str(other), tmp_path, tmp_path / "hello.log")


def test_the_release_before_is_understood(tmp_path: Path) -> None:
    """A worker that speaks the protocol before this one can be an arm."""
    other = script(
        tmp_path / "python", '#!/bin/sh\nread line\necho \'{"protocol": 4, "python": "3.10.1", "packages": {}}\'\n'
    )
    assert probe(str(other), tmp_path, tmp_path / "hello.log") == {"python": "3.10.1"}


def test_worker_older_than_the_gate_is_refused(tmp_path: Path) -> None:
    """A release without `hello` is recognised by how it refuses."""
    other = script(tmp_path / "python", "#!/bin/sh\nread line\necho '{\"error\": \"KeyError: '\"'hello'\"'\"}'\n")
    assert os.access(other, os.X_OK)
    with pytest.raises(UsageError, match="older than the gate"):
        probe(str(other), tmp_path, tmp_path / "hello.log")
