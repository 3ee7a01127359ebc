"""What the gate measures: blocks of short readings that alternate between the arms, and the file that keeps them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from benchsuite.machine.json_files import Lines
from benchsuite.terms.codec import from_builtins, to_builtins
from benchsuite.terms.errors import RecordError
from benchsuite.terms.numbers import Count
from benchsuite.terms.printable import excerpt
from benchsuite.terms.said import Sentence, said

Arm = Literal["A", "B"]
Timed = Literal["latency", "throughput"]
QUADS = ("ABBA", "BAAB")
LAUNCHES = ("AB", "BA")
_MISFIT = "no block of a gate"
# A reading of a century, and a worker of a million terabytes: beyond it floats overflow.
_MOST = 10**18


@dataclass(frozen=True)
class Stream:
    """What blocks are taken of; a control has the baseline in both arms."""

    case_id: str
    metric: Timed = "latency"
    control: bool = False


@dataclass(frozen=True)
class Block:
    """Readings of both arms, from workers that were launched for this block; A is the baseline, B the candidate.

    `order` is a letter a reading: a fair coin chose each four of them, ABBA or BAAB. A reading holds ns a call
    (latency), or one value of ns an image (throughput). `conditions` says what the machine did meanwhile; `void` why
    the block does not count, empty where it does. `block_ns` lasts from the first reading's begin to the last one's
    end, `calls_ns` is the workers' share of it.
    """

    subject: Stream
    sweep: int
    order: str
    launched: str
    readings: tuple[tuple[int, ...], ...]
    peak_bytes: Mapping[Arm, int] = field(default_factory=dict)
    conditions: Mapping[str, float] = field(default_factory=dict)
    void: Sentence = ""
    launch_ns: Count = 0
    block_ns: Count = 0
    calls_ns: Count = 0

    def calls(self, arm: Arm) -> tuple[int, ...]:
        """Return what all readings of an arm hold."""
        return tuple(
            ns for letter, reading in zip(self.order, self.readings, strict=True) if letter == arm for ns in reading
        )

    @property
    def d(self) -> float:
        """Return ln(median B / median A) over the block's calls: the log of how many times longer the candidate takes.

        The two arms swap sign with the coins. Within four readings linear drift cancels.
        """
        return math.log(statistics.median(self.calls("B")) / statistics.median(self.calls("A")))

    @property
    def d_memory(self) -> float:
        """Return the log of how many times more memory the candidate's worker took at its peak."""
        return math.log(self.peak_bytes["B"] / self.peak_bytes["A"])


def append(path: Path, block: Block) -> tuple[str, ...]:
    """Append one block, hand it to the disk, and return what was noted of the file; raises RecordError."""
    return _lines(path).append(block)


def read(path: Path) -> tuple[tuple[Block, ...], tuple[str, ...]]:
    """Return the blocks of a file, and a sentence for a last line that was cut off; raises RecordError."""
    return _lines(path).read()


def _lines(path: Path) -> Lines[Block]:
    return Lines(path, Block, _MISFIT, _encoded, _decoded)


def _encoded(block: Block) -> dict[str, Any]:
    """Return the block as JSON values, with its d, which others need not compute then."""
    return {"d": round(block.d, 6), **to_builtins(block)}


def _decoded(data: dict[str, Any]) -> Block:
    block = from_builtins({name: value for name, value in data.items() if name != "d"}, Block)
    problem = _problem(block)
    if problem:
        raise RecordError(said("{1}: {2}", _MISFIT, problem))
    return block


def _problem(block: Block) -> str:
    """Say what of a block nothing can be computed from, or nothing."""
    if set(block.order) != {"A", "B"} or block.launched not in LAUNCHES:
        named = excerpt(block.order), excerpt(block.launched)
        return said("order and launched name the arms A and B, and not {1} and {2}", *named)
    if len(block.readings) != len(block.order):
        return said("it has {1} readings for the order {2}", len(block.readings), excerpt(block.order))
    if len({len(reading) for reading in block.readings}) > 1 or not block.readings[0]:
        return said("its readings must have calls, and all as many")
    figures = [*(ns for reading in block.readings for ns in reading), *block.peak_bytes.values()]
    wrong = next((figure for figure in figures if not 0 < figure < _MOST), None)
    if wrong is not None:
        return said("{1} is no time and no size", excerpt(wrong))
    if block.peak_bytes and set(block.peak_bytes) != {"A", "B"}:
        return said("peak_bytes must have both arms")
    lasted = (block.launch_ns, block.block_ns, block.calls_ns)
    if not all(0 <= ns < _MOST for ns in lasted):
        return said("{1} are no times", ", ".join(excerpt(ns) for ns in lasted))
    return ""
