"""`pytest bench/` in this process, around fakes."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from benchsuite.commands.init import scaffold
from benchsuite.testing import FakeBackend, fake_runtimes

Bench = Callable[..., pytest.RunResult]


@pytest.fixture
def bench(pytester: pytest.Pytester, data: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Give `pytest bench/` in a folder of its own, on the data of the test's module."""
    scaffold(pytester.path)
    (pytester.path / "conftest.py").write_text("")
    monkeypatch.setenv("BENCHSUITE_CACHE", str(pytester.path / "cache"))
    # There pytest-benchmark keeps nothing.
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    # Fakes disturb nobody, and need not wait for whoever measures on this machine.
    monkeypatch.setenv("BENCHSUITE_LOCK", str(pytester.path / "lock"))
    monkeypatch.setattr(tempfile, "tempdir", str(pytester.path))

    def run(*arguments: str, runtimes: tuple[FakeBackend, ...] = ()) -> pytest.RunResult:
        with fake_runtimes(FakeBackend("torch"), *(runtimes or (FakeBackend("onnx"),))), warnings.catch_warnings():
            # What is an error here is a warning where people run it.
            warnings.simplefilter("default")
            # Other tests of this process have modules of the same names.
            fixed = ("bench/", "-p", "benchsuite.plugin", "--import-mode=importlib", "--data", str(data))
            return pytester.runpytest_inprocess(*fixed, *arguments, no_reraise_ctrlc=True)

    return run
