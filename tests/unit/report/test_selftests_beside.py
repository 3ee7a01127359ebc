"""Self-tests that lie beside a run are shown on its page, and passed over with a note where they are damaged."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchsuite.gate.selftest import SETUP_FILE, SUITES_FILE, SelfTestSetup, read_setup, read_suites, write_setup
from benchsuite.report.gate_view import selftests
from benchsuite.report.page import write_report
from benchsuite.testing import make_machine, make_record, make_run, write_run

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "0.1.0" / "reports" / "selftest" / "0123456789ab"
FINGERPRINT = make_machine().fingerprint
CASES = (*read_setup(SAMPLE).cases, "case")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a self-test beside a second, whole one."""
    for name in ("first", "second"):
        shutil.copytree(SAMPLE, tmp_path / "selftest" / name)
    return tmp_path / "selftest" / "first"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (SETUP_FILE, b""),
        (SETUP_FILE, b"null"),
        (SETUP_FILE, b'{"fingerprint": 3, "cases": [], "options": {}}'),
        (SUITES_FILE, b"damaged\n"),
        (SUITES_FILE, b"[" * 100_000 + b"\n"),
    ],
)
def test_damaged_one_is_passed_over_with_a_note(folder: Path, name: str, content: bytes) -> None:
    """The others are shown, the note names the folder, and the page of a run beside them is written."""
    (folder / name).write_bytes(content)
    (shown,), (note,) = selftests(folder.parents[1], FINGERPRINT, CASES)
    assert shown.lines
    assert note.startswith(f"the self-test in {folder} is passed over: ")
    run = write_run(folder.parents[1], make_run([make_record()]))
    assert str(folder) in write_report(run, (), 1.0)[0].read_text()


def test_one_that_could_not_be_run_here_any_more_is_shown(folder: Path) -> None:
    """Data that has moved and more threads than this machine has say nothing about the suites."""
    options = {"data": "/moved/data.yaml", "threads": "4096", "gate_metrics": "latency", "max_slowdown": "10%"}
    write_setup(folder, SelfTestSetup(FINGERPRINT, ("case",), options))
    views, damage = selftests(folder.parents[1], FINGERPRINT, CASES)
    assert (len(views), damage) == (2, ())


def test_torn_last_line_leaves_the_earlier_suites(folder: Path) -> None:
    """What a killed process left of a suite is noted, and neither hides the others nor is glued to the next."""
    whole, _ = read_suites(folder)
    with (folder / SUITES_FILE).open("ab") as file:
        file.write(b'{"number": 9, "mo')
    suites, (note,) = read_suites(folder)
    assert suites == whole
    assert "dropped an unterminated last line of 17 characters" in note
    (first, _), damage = selftests(folder.parents[1], FINGERPRINT, CASES)
    assert (first.lines[-1], damage) == (note, ())
