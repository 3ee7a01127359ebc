"""Whole gates of real processes, one for each way to end: two arms launched for every block, at 64 px to be quick.

What a gate decides, and of what, is tested on runtimes that take no time (tests/unit/gate/test_whole_gate.py).
"""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from benchsuite.gate import blocks

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
FP32 = "yolo26n_shapes-onnx-fp32-cpu-64-b1"
QUICK = ("--backend", "onnx", "--precision", "fp32", "--imgsz", "64", "--effort", "quick")
# A test asks whether the gate works, not what this machine's tails are.
TESTS = ("--gate-metrics", "latency,memory")


def hear_interrupts() -> None:
    """Undo what a shell does to commands that it runs in the background, and these hand on."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def start(tmp_path: Path, cache: Path, locks: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start a command in a user's folder and return its process."""
    environment = {
        **os.environ,
        "BENCHSUITE_CACHE": str(cache),
        "PYTHONPATH": str(ROOT),
        "BENCHSUITE_LOCK": str(locks / "lock"),
    }

    def start(*arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", *arguments], cwd=tmp_path, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=hear_interrupts,
        )  # fmt: skip

    return start


@pytest.fixture
def run(start: Callable[..., subprocess.Popen[str]]) -> Callable[..., tuple[int, str]]:
    """Run a command to its end and return exit code and output."""

    def run(*arguments: str) -> tuple[int, str]:
        process = start(*arguments)
        output, _ = process.communicate(timeout=400)
        return process.returncode, output

    return run


def gate(*arguments: str) -> tuple[str, ...]:
    """Return the gate's command."""
    return ("benchsuite", "gate", *QUICK, *TESTS, *arguments)


def workers() -> list[int]:
    """Return the workers that run now."""
    return [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if "benchsuite.measure.worker" in (process.info["cmdline"] or [])
    ]


def test_equal_arms_pass_and_leave_evidence(run: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    """The same environment in both arms passes; blocks, verdicts and a report are kept, and no worker is left."""
    before = workers()
    code, output = run(*gate("--against", f"env:{sys.executable}"))
    folder = tmp_path / "reports" / "latest"
    found = json.loads((folder / "findings.json").read_text())
    assert code == 0, output
    assert {(it["metric"], it["verdict"]) for it in found} >= {("latency", "PASS"), ("memory", "PASS")}
    kept = blocks.read(folder / "gate-blocks.jsonl")[0]
    assert {block.subject.control for block in kept} == {True, False}
    assert all(set(block.order) == {"A", "B"} and block.launched in ("AB", "BA") for block in kept)
    data = json.loads((folder / "gate.json").read_text())
    assert data["exit_code"] == 0
    assert data["harness_share"] < 0.15
    assert "Gate against env" in (folder / "summary.md").read_text()
    assert "differed from itself" in (folder / "index.html").read_text()
    assert set(workers()) <= set(before)
    assert max(map(len, output.splitlines())) <= 100, output


def test_baseline_that_dies_in_a_later_block_is_named(run: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    """An arm that crashes is MISSING with its reason and exit code 3; the blocks before it are kept."""
    counter = tmp_path / "starts"
    counter.write_text("")
    flaky = tmp_path / "python"
    flaky.write_text(
        f"#!/bin/sh\necho x >> {counter}\n"
        f'if [ "$(wc -l < {counter})" -gt 12 ]; then echo "illegal instruction" >&2; exit 132; fi\n'
        f'exec {sys.executable} "$@"\n'
    )
    flaky.chmod(flaky.stat().st_mode | stat.S_IXUSR)
    code, output = run(*gate("--against", f"env:{flaky}"))
    folder = tmp_path / "reports" / "latest"
    assert code == 3, output
    assert "The baseline failed after" in " ".join(output.split())
    assert "illegal instruction" in output
    assert "Traceback" not in output
    assert blocks.read(folder / "gate-blocks.jsonl")[0]


def test_interrupt_keeps_evidence_and_says_so(start: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    """Ctrl-C in the middle of a gate ends it with exit code 130, its blocks and a report, and without a traceback."""
    process = start(*gate("--against", f"env:{sys.executable}"))
    until = time.monotonic() + 120
    while not list(tmp_path.glob("reports/*/gate-blocks.jsonl")) and time.monotonic() < until:
        time.sleep(0.2)
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "interrupted; the blocks so far are kept" in output
    assert "Traceback" not in output
    assert blocks.read(tmp_path / "reports" / "latest" / "gate-blocks.jsonl")[0]
    assert json.loads((tmp_path / "reports" / "latest" / "run.json").read_text())["state"] == "interrupted"


def test_case_that_the_baseline_cannot_run_is_not_comparable(
    run: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    """A store without the case's artifact says so, with exit code 5."""
    (tmp_path / "store" / "artifacts").mkdir(parents=True)
    code, output = run(*gate("--against", "store:store"))
    assert code == 5, output
    assert "NOT_COMPARABLE" in output
    assert "the store holds no artifact" in " ".join(output.split())


def test_selftest_counts_goes_on_and_replays(run: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    """A self-test injects and finds ten percent, keeps its suites, and adds only what is missing when run again."""
    command = ("benchsuite", "selftest", *QUICK, *TESTS, "--gate-budget", "30s")
    code, output = run(*command, "--aa", "1", "--inject", "10%", "--suites", "1")
    assert "A/A suite 1 of 1" in output
    assert "+10 % suite 1 of 1" in output
    assert code in (0, 1), output
    code, output = run(*command, "--aa", "1", "--replay", "5")
    assert "suite 1 of 1" not in output
    assert "replayed suites, with exact 95 % intervals" in output
    (suites,) = tmp_path.glob("reports/selftest/*/suites.jsonl")
    modes = [json.loads(line)["mode"] for line in suites.read_text().splitlines()]
    assert modes == ["live", "live", *["replayed"] * 5]
