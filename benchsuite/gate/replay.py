"""Kept blocks drawn again at random: more suites than a machine has time for, always labelled as replayed."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

from benchsuite.gate.blocks import Arm, Block, Stream

_SWAPPED = str.maketrans("AB", "BA")


class ReplaySource:
    """Draws blocks with replacement from those in which both arms were the same, and injects slowdowns.

    Each draw tosses anew which arm is called the candidate. `seconds` adds up what the blocks took when they were live.
    """

    def __init__(self, blocks: Mapping[Stream, Sequence[Block]], slowdowns: Mapping[str, float]) -> None:
        self._blocks = blocks
        self._slowdowns = slowdowns
        self.seconds = 0.0

    def take(self, subject: Stream, sweep: int, coins: random.Random) -> Block:
        """Draw one block."""
        block = coins.choice(self._blocks[subject])
        self.seconds += (block.launch_ns + block.block_ns) / 1e9
        if coins.random() < 0.5:
            block = swapped(block)
        slowdown = 0.0 if subject.control else self._slowdowns.get(subject.case_id, 0.0)
        return replace(slowed(block, slowdown) if slowdown else block, sweep=sweep)

    def clock(self) -> float:
        """Return the seconds that the drawn blocks took when they were live."""
        return self.seconds


def swapped(block: Block) -> Block:
    """Call the baseline the candidate and the other way round."""
    peaks: dict[Arm, int] = {"A": block.peak_bytes["B"], "B": block.peak_bytes["A"]} if block.peak_bytes else {}
    return replace(block, order=block.order.translate(_SWAPPED), peak_bytes=peaks)


def slowed(block: Block, slowdown: float) -> Block:
    """Make every call of the candidate that much longer."""
    readings = tuple(
        tuple(round(ns * (1 + slowdown)) for ns in reading) if arm == "B" else reading
        for arm, reading in zip(block.order, block.readings, strict=True)
    )
    return replace(block, readings=readings)
