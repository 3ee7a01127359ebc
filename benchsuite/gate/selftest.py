"""The gate gates itself: how often it cries wolf, and how often it finds a slowdown of known size, on this machine."""

from __future__ import annotations

import json
import random
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from benchsuite.gate import blocks
from benchsuite.gate.blocks import Arm, Block, Stream
from benchsuite.gate.live import LiveSource
from benchsuite.gate.loop import BlockSource, Loop, Outcome, Status
from benchsuite.gate.replay import ReplaySource
from benchsuite.gate.suite import plan_tests
from benchsuite.machine.files import cannot_write
from benchsuite.measure.readings import Side
from benchsuite.options.chosen import GateOptions
from benchsuite.terms.codec import from_builtins, to_builtins
from benchsuite.terms.errors import RecordError

SUITES_FILE = "suites.jsonl"
Mode = Literal["live", "replayed"]
_ALARMS = ("REGRESSED", "IMPROVED")


@dataclass(frozen=True)
class Suite:
    """One gate of equal arms; `injected` maps slowed cases to their slowdown, `verdicts` each case to its metrics'."""

    number: int
    mode: Mode
    injected: Mapping[str, float]
    verdicts: Mapping[str, Mapping[str, str]]
    blocks: Mapping[str, int]
    contaminated: bool
    seconds: float
    harness_share: float
    seed: int

    @property
    def false_alarms(self) -> tuple[str, ...]:
        """Return what was called changed and was not, as `case metric verdict`."""
        return tuple(
            f"{case_id} {metric} {verdict}"
            for case_id, by_metric in self.verdicts.items()
            if case_id not in self.injected and not self.contaminated
            for metric, verdict in by_metric.items()
            if verdict in _ALARMS
        )

    @property
    def caught(self) -> Mapping[str, bool]:
        """Return for every injected case whether its latency was called REGRESSED."""
        return {
            case_id: self.verdicts[case_id]["latency"] == "REGRESSED" and not self.contaminated
            for case_id in self.injected
        }


@dataclass(frozen=True)
class SelfTest:
    """Runs suites of the same artifacts in both arms and keeps each in `folder` as soon as it ends."""

    folder: Path
    sides: Mapping[str, Side]
    control: str
    options: GateOptions

    def live(self, slowdown: float, show: Callable[[Sequence[Status]], None]) -> Suite | None:
        """Run one suite on real workers, half of its cases slowed where there is a slowdown; None if interrupted."""
        seed = secrets.randbits(48)
        coins = random.Random(seed)
        injected = self._inject(coins, slowdown)
        path = self._blocks_file(len(read_suites(self.folder)) + 1)
        # A suite that was cut off left its blocks; they must not count in this one.
        path.unlink(missing_ok=True)
        taken: list[Block] = []

        def keep(block: Block) -> None:
            taken.append(block)
            blocks.append(path, block)

        outcome = replace(self._loop(LiveSource(self._arms(injected)), coins), keep=keep, show=show).run()
        if outcome.interrupted:
            return None
        return self._kept("live", injected, outcome, seed, harness_share(taken))

    def replay(self, slowdown: float) -> Suite:
        """Run one suite on blocks that live suites without a slowdown have left."""
        seed = secrets.randbits(48)
        coins = random.Random(seed)
        injected = self._inject(coins, slowdown)
        source = ReplaySource(self._pool, injected)
        outcome = replace(self._loop(source, coins), clock=source.clock).run()
        return self._kept("replayed", injected, outcome, seed, 0.0)

    def _loop(self, source: BlockSource, coins: random.Random) -> Loop:
        tests = plan_tests(tuple(self.sides), self.options)
        return Loop(tests, Stream(self.control, control=True), self.options.budget_s, source, coins)

    def _kept(self, mode: Mode, injected: Mapping[str, float], outcome: Outcome, seed: int, harness: float) -> Suite:
        suite = _suite(len(read_suites(self.folder)) + 1, mode, injected, outcome, seed, harness)
        _append(self.folder / SUITES_FILE, suite)
        return suite

    def _blocks_file(self, number: int) -> Path:
        return self.folder / "blocks" / f"{number:05}.jsonl"

    @cached_property
    def _pool(self) -> Mapping[Stream, Sequence[Block]]:
        pool: dict[Stream, list[Block]] = {}
        for suite in read_suites(self.folder):
            if suite.mode == "live" and not suite.injected:
                for block in blocks.read(self._blocks_file(suite.number)):
                    if not block.void:
                        pool.setdefault(block.subject, []).append(block)
        return pool

    def _inject(self, coins: random.Random, slowdown: float) -> Mapping[str, float]:
        if not slowdown:
            return {}
        chosen = coins.sample(sorted(self.sides), max(1, len(self.sides) // 2))
        return dict.fromkeys(chosen, slowdown)

    def _arms(self, injected: Mapping[str, float]) -> Mapping[Stream, Mapping[Arm, Side]]:
        arms: dict[Stream, Mapping[Arm, Side]] = {}
        for case_id, side in self.sides.items():
            candidate = Side(side.case, side.setup, injected.get(case_id, 0.0))
            for timed in ("latency", "throughput"):
                arms[Stream(case_id, timed)] = {"A": side, "B": candidate}
        control = self.sides[self.control]
        arms[Stream(self.control, control=True)] = {"A": control, "B": control}
        return arms


def harness_share(taken: Sequence[Block]) -> float:
    """Return the share of the time inside blocks that the harness spent between calls."""
    block_ns = sum(block.block_ns for block in taken)
    return 1 - sum(block.calls_ns for block in taken) / block_ns if block_ns else 0.0


def read_suites(folder: Path) -> tuple[Suite, ...]:
    """Read the suites of a self-test's folder; none where there is no file yet. Raises RecordError."""
    path = folder / SUITES_FILE
    if not path.exists():
        return ()
    try:
        lines = path.read_text(encoding="utf-8").split("\n")[:-1]
        return tuple(from_builtins(json.loads(line), Suite) for line in lines)
    except Exception as error:  # cattrs raises groups of whatever its hooks met.
        raise RecordError(f"cannot read {path}: {error}") from None


def _append(path: Path, suite: Suite) -> None:
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(to_builtins(suite), separators=(",", ":")) + "\n")
    except OSError as error:
        raise RecordError(cannot_write(path, error)) from None


def _suite(
    number: int, mode: Mode, injected: Mapping[str, float], outcome: Outcome, seed: int, harness: float
) -> Suite:
    verdicts: dict[str, dict[str, str]] = {}
    counts: dict[str, int] = {}
    for status in outcome.statuses:
        by_metric = verdicts.setdefault(status.subject.case_id, {})
        for judgement in status.judgements:
            by_metric[judgement.metric] = "MISSING" if status.failed_arm else judgement.decision
        if status.subject.metric == "latency":
            counts[status.subject.case_id] = status.blocks
    return Suite(number, mode, injected, verdicts, counts, outcome.contaminated, outcome.elapsed_s, harness, seed)
