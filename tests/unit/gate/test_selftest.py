"""A self-test's folder outlives whatever killed the self-test."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from benchsuite.gate import blocks
from benchsuite.gate.blocks import Block, Stream
from benchsuite.gate.selftest import SUITES_FILE, SelfTest, read_suites
from benchsuite.measure.launch import WorkerSetup
from benchsuite.measure.readings import Side
from benchsuite.options.settings import parse
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
    assert said == [f"{path}: cut off an unterminated last line of 15 characters"]
    suites, notes = read_suites(tmp_path)
    assert ([it.number for it in suites], suites[1], notes) == ([1, 2], suite, ())


def test_number_of_a_suite_is_never_given_twice(tmp_path: Path) -> None:
    """Where a line was taken out by hand, the next suite does not take another one's blocks."""
    test = selftest(tmp_path, [], (1, 3))
    assert test.replay(0.0).number == 4
