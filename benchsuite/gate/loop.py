"""The gate's loop: sweep after sweep over the undecided subjects until each is decided or the budget is spent."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from benchsuite.gate.blocks import LAUNCHES, QUADS, Block, Stream
from benchsuite.gate.judging import TAILS, Judgement, Thresholds, contaminated, judge_shift, judge_tail
from benchsuite.gate.pair import ArmError
from benchsuite.gate.shift import Shift, common_shift
from benchsuite.options.chosen import GateMetric
from benchsuite.terms.said import Sentence, said

# A machine that spoils this many blocks of a case on end will spoil the next one too.
_MOST_VOID = 8


class BlockSource(Protocol):
    """Where blocks come from: real workers, a replay of kept blocks, or a simulation."""

    def take(self, subject: Stream, sweep: int, coins: random.Random) -> Block:
        """Launch both arms and take one block; raises ArmError."""
        ...


@dataclass(frozen=True)
class Status:
    """What is known of one subject so far; `stopped` says why it got no verdict, empty where it did or may."""

    subject: Stream
    blocks: int
    judgements: tuple[Judgement, ...]
    done: bool
    void: int = 0
    failed_arm: str = ""
    stopped: Sentence = ""


@dataclass(frozen=True)
class Outcome:
    """How a gate ended; `control_ds` are the control's blocks, `contaminated` says that it differs from itself."""

    statuses: tuple[Status, ...]
    control_ds: tuple[float, ...]
    contaminated: bool
    shift: Shift | None
    sweeps: int
    elapsed_s: float
    interrupted: bool = False


@dataclass
class _Progress:
    """The blocks of one subject that count, and what ended it."""

    subject: Stream
    blocks: list[Block] = field(default_factory=list)
    void: int = 0
    void_on_end: int = 0
    failed_arm: str = ""
    stopped: str = ""
    status: Status | None = None


@dataclass(frozen=True)
class Loop:
    """Everything that a gate needs to run; `tests` maps a subject to its tests and their thresholds."""

    tests: Mapping[Stream, Mapping[GateMetric, Thresholds]]
    control: Stream | None
    budget_s: float
    source: BlockSource
    coins: random.Random
    keep: Callable[[Block], None] = lambda _: None
    show: Callable[[Sequence[Status]], None] = lambda _: None
    clock: Callable[[], float] = time.monotonic

    def run(self) -> Outcome:
        """Measure until every subject is decided or the pooled budget is spent; Ctrl-C ends it with what there is."""
        subjects = [_Progress(subject) for subject in self.tests]
        control = _Progress(self.control) if self.control else None
        began, sweeps, interrupted = self.clock(), 0, False
        end = began + self.budget_s * len(subjects)
        try:
            while (waiting := [it for it in subjects if not self._status(it).done]) and self.clock() < end:
                sweeps += 1
                visit = [*waiting, *([control] if control and not control.stopped else [])]
                for progress in self.coins.sample(visit, len(visit)):
                    if self.clock() >= end:
                        break
                    self._visit(progress, sweeps)
                    self.show([self._status(it) for it in subjects])
        except KeyboardInterrupt:
            interrupted = True
            for it in subjects:
                if not self._status(it).done:
                    it.stopped, it.status = said("the gate was interrupted"), None
        control_ds = tuple(block.d for block in control.blocks) if control else ()
        return Outcome(
            statuses=tuple(self._status(it) for it in subjects),
            control_ds=control_ds,
            contaminated=contaminated(control_ds),
            shift=common_shift([[block.d for block in it.blocks] for it in subjects if self._unmoved(it)]),
            sweeps=sweeps,
            elapsed_s=self.clock() - began,
            interrupted=interrupted,
        )

    def _unmoved(self, progress: _Progress) -> bool:
        """Say whether a subject's latency shows no move by itself: what one case shows needs no suite to show it."""
        latency = [it for it in self._status(progress).judgements if it.metric == "latency"]
        return any(it.decision not in ("REGRESSED", "IMPROVED") for it in latency)

    def _visit(self, progress: _Progress, sweep: int) -> None:
        try:
            block = self.source.take(progress.subject, sweep, self.coins)
        except ArmError as error:
            progress.failed_arm, progress.stopped = error.arm, str(error)
        else:
            self.keep(block)
            if block.void:
                progress.void += 1
                progress.void_on_end += 1
                if progress.void_on_end == _MOST_VOID:
                    progress.stopped = said("{1} blocks on end had to be thrown away: {2}", _MOST_VOID, block.void)
            else:
                progress.void_on_end = 0
                progress.blocks.append(block)
        progress.status = None

    def _status(self, progress: _Progress) -> Status:
        if progress.status is None:
            progress.status = _judge(progress, self.tests.get(progress.subject, {}))
        return progress.status


def reading_order(coins: random.Random, quads: int) -> str:
    """Toss a fair coin for each four readings of a block: ABBA or BAAB."""
    return "".join(coins.choice(QUADS) for _ in range(quads))


def launch_order(coins: random.Random) -> str:
    """Toss a fair coin for the arm that is launched first."""
    return coins.choice(LAUNCHES)


def judge_blocks(blocks: Sequence[Block], tests: Mapping[GateMetric, Thresholds]) -> tuple[Judgement, ...]:
    """Judge every test of a subject by its blocks."""
    judgements = []
    for metric, thresholds in tests.items():
        if metric in TAILS:
            judgements.append(judge_tail(metric, blocks, thresholds))
        else:
            ds = [block.d_memory if metric == "memory" else block.d for block in blocks]
            judgements.append(judge_shift(metric, ds, thresholds))
    return tuple(judgements)


def decided(judgements: Sequence[Judgement]) -> bool:
    """Say whether more blocks would change nothing: a tail is waited for only where it looks worse."""
    shifts = [judgement for judgement in judgements if judgement.metric not in TAILS]
    regressed = any(judgement.decision == "REGRESSED" for judgement in judgements)
    return all(it.done for it in shifts) and (regressed or not any(it.suspicious for it in judgements))


def _judge(progress: _Progress, tests: Mapping[GateMetric, Thresholds]) -> Status:
    judgements = judge_blocks(progress.blocks, tests)
    return Status(
        subject=progress.subject,
        blocks=len(progress.blocks),
        judgements=judgements,
        done=bool(progress.stopped) or decided(judgements),
        void=progress.void,
        failed_arm=progress.failed_arm,
        stopped=progress.stopped,
    )
