"""A block is free of drift, swaps sign with its arms, and is kept whole."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from benchsuite.gate.blocks import append, read
from benchsuite.gate.replay import slowed, swapped
from benchsuite.terms.errors import RecordError
from tests.support.gates import make_block


def test_d_is_the_log_ratio_of_the_medians() -> None:
    """Ten percent longer is ln 1.1, in either order, and likewise for memory."""
    for order in ("ABBA", "BAAB"):
        assert make_block(order).d == pytest.approx(math.log(1.1))
    assert make_block().d_memory == pytest.approx(math.log(1.1))


def test_linear_drift_cancels() -> None:
    """Calls that get slower at a steady pace show no difference between equal arms."""
    drifting = tuple((1_000_000 + 1_000 * place,) for place in range(4))
    assert make_block("ABBA", drifting).d == pytest.approx(0, abs=1e-9)
    assert make_block("BAAB", drifting).d == pytest.approx(0, abs=1e-9)


def test_swapped_arms_change_the_sign_and_nothing_else() -> None:
    """Calling the baseline the candidate turns d and the memory's d around."""
    block = make_block("ABBABAAB", tuple((1_000_000 + 7_000 * place**2,) for place in range(8)))
    assert swapped(block).d == pytest.approx(-block.d)
    assert swapped(block).d_memory == pytest.approx(-block.d_memory)
    assert swapped(swapped(block)) == block


def test_injected_slowdown_moves_d_by_its_log() -> None:
    """Slowing the candidate's calls by five percent adds ln 1.05."""
    assert slowed(make_block(), 0.05).d == pytest.approx(make_block().d + math.log(1.05), abs=1e-6)


def test_blocks_come_back_as_they_were(tmp_path: Path) -> None:
    """What was appended is read back equal, without the unfinished line of a killed gate, which is said."""
    path = tmp_path / "blocks.jsonl"
    written = [make_block(), make_block("BAAB", void="the machine slept for 3.0 s", conditions={"stolen": 0.01})]
    for block in written:
        append(path, block)
    with path.open("a") as file:
        file.write('{"d": 0.1, "subj')
    found, notes = read(path)
    assert found == tuple(written)
    assert notes == (f"{path}: dropped an unterminated last line of 16 characters",)


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    """A line that is no block is an error that names file and line."""
    path = tmp_path / "blocks.jsonl"
    append(path, make_block())
    with path.open("a") as file:
        file.write("{}\n")
    with pytest.raises(RecordError, match=r"blocks\.jsonl, line 2: no block"):
        read(path)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"readings": [[0], [1], [1], [1]]}, "0 is no time and no size"),
        ({"readings": [[-5], [1], [1], [1]]}, "-5 is no time"),
        ({"readings": [[10**400], [1], [1], [1]]}, "a whole number was expected"),
        ({"readings": [[1], [1], [1]]}, "it has 3 readings for the order 'ABBA'"),
        ({"readings": [[1, 2], [1], [1], [1]]}, "must have calls, and all as many"),
        ({"readings": [[], [], [], []]}, "must have calls, and all as many"),
        ({"order": "", "readings": []}, "order and launched name the arms A and B"),
        ({"order": "AAAA"}, "order and launched name the arms A and B"),
        ({"order": "ABCA"}, "order and launched name the arms A and B"),
        ({"launched": ""}, "order and launched name the arms A and B"),
        ({"peak_bytes": {"A": 0, "B": 1}}, "0 is no time and no size"),
        ({"peak_bytes": {"A": 1}}, "peak_bytes must have both arms"),
        ({"block_ns": -1}, "a number of at least 0 was expected, found -1"),
    ],
)
def test_figures_that_no_block_has_are_refused(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    """Times of nothing, and readings that do not go with their order, end in a sentence and not in arithmetic."""
    path = tmp_path / "blocks.jsonl"
    append(path, make_block())
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}) + "\n")
    with pytest.raises(RecordError, match=r"blocks\.jsonl, line 1: no block of a gate: .*" + problem):
        read(path)
