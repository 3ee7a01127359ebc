"""A self-test's folder outlives whatever killed the self-test."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from benchsuite.gate import blocks
from benchsuite.gate.blocks import Block, Stream
from benchsuite.gate.replay import ReplaySource
from benchsuite.gate.selftest import SUITES_FILE, SelfTest, read_suites
from benchsuite.measure.launch import WorkerSetup
from benchsuite.measure.readings import Side
from benchsuite.options.settings import parse
from benchsuite.terms.errors import UsageError
from benchsuite.testing import make_case

CASE = make_case()
LIVE = (
    '{"number":%d,"mode":"live","injected":{},"verdicts":{},"blocks":{},"contaminated":false,"seconds":1.0,'
    '"harness_share":0.1,"seed":5}'
)


def selftest(folder: Path, said: list[str], numbers: tuple[int, ...]) -> SelfTest:
    """Give a self-test of one case that has run live suites, each of the same blocks."""
    (folder / SUITES_FILE).write_text("".join(LIVE % number + "\n" for number in numbers))
    for number in numbers:
        for stream in (Stream(CASE.id), Stream(CASE.id, control=True)):
            readings = tuple((1_000_000 + number,) for _ in "ABBA")
            block = Block(stream, 1, "ABBA", "AB", readings, launch_ns=10**9, block_ns=10**9)
            blocks.append(folder / "blocks" / f"{number:05}.jsonl", block)
    options = parse({"against": "baseline:x", "gate_metrics": "latency"}).gate
    side = Side(CASE, cast(WorkerSetup, None))
    return SelfTest(folder, {CASE.id: side}, CASE.id, options, said.append)


def test_suite_that_was_cut_off_is_said_and_the_next_stands_on_a_line_of_its_own(tmp_path: Path) -> None:
    """A line that a kill left half written does not lock the folder."""
    said: list[str] = []
    test = selftest(tmp_path, said, (1,))
    path = tmp_path / SUITES_FILE
    with path.open("a") as file:
        file.write('{"number":2,"mo')
    assert read_suites(tmp_path)[1] == (f"{path}: dropped an unterminated last line of 15 characters",)
    suite = test.replay(0.0)
    assert suite is not None
    assert said == [f"{path}: cut off an unterminated last line of 15 characters"]
    suites, notes = read_suites(tmp_path)
    assert ([it.number for it in suites], suites[1], notes) == ([1, 2], suite, ())


def test_number_of_a_suite_is_never_given_twice(tmp_path: Path) -> None:
    """Where a line was taken out by hand, the next suite does not take another one's blocks."""
    suite = selftest(tmp_path, [], (1, 3)).replay(0.0)
    assert suite is not None
    assert suite.number == 4


def test_replay_without_blocks_says_what_it_needs(tmp_path: Path) -> None:
    """Nothing to draw from, or blocks that took no time and would never spend a budget, end in one sentence."""
    with pytest.raises(
        UsageError, match=rf"--replay: .* left no block of {CASE.id} that counts; give more of them by --aa"
    ):
        selftest(tmp_path, [], ()).replay(0.05)
    test = selftest(tmp_path, [], (1,))
    path = tmp_path / "blocks" / "00001.jsonl"
    path.write_text(
        path.read_text().replace('"launch_ns":1000000000,"block_ns":1000000000', '"launch_ns":0,"block_ns":0')
    )
    with pytest.raises(UsageError, match="no block of"):
        test.replay(0.0)


def test_replay_needs_no_blocks_of_the_control_that_is_chosen_now(tmp_path: Path) -> None:
    """Where nothing is changed, a case's own blocks are a control's: which one is chosen may differ from run to run."""
    test = selftest(tmp_path, [], (1,))
    path = tmp_path / "blocks" / "00001.jsonl"
    path.write_text("".join(line + "\n" for line in path.read_text().splitlines() if '"control":false' in line))
    assert test.replay(0.0) is not None


def test_interrupted_replay_is_no_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends a replay as it ends a live suite: what it had is not counted."""
    test = selftest(tmp_path, [], (1,))

    def interrupt(*_: object) -> Block:
        raise KeyboardInterrupt

    monkeypatch.setattr(ReplaySource, "take", interrupt)
    assert test.replay(0.0) is None
    assert [suite.number for suite in read_suites(tmp_path)[0]] == [1]
