"""The gate gates itself: how often it cries wolf, and how often it finds a slowdown of known size, on this machine."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from benchsuite.gate import blocks
from benchsuite.gate.blocks import Arm, Block, Stream
from benchsuite.gate.judging import Thresholds
from benchsuite.gate.live import LiveSource
from benchsuite.gate.loop import BlockSource, Loop, Outcome, Status
from benchsuite.gate.replay import ReplaySource
from benchsuite.gate.suite import plan_tests
from benchsuite.machine.json_files import Lines, read_json, write_json
from benchsuite.measure.readings import Side
from benchsuite.options.chosen import GateMetric, GateOptions
from benchsuite.terms.codec import from_builtins
from benchsuite.terms.errors import RecordError, UsageError
from benchsuite.terms.numbers import Count, Measure
from benchsuite.terms.printable import excerpt
from benchsuite.terms.said import said

SUITES_FILE = "suites.jsonl"
SETUP_FILE = "setup.json"
Mode = Literal["live", "replayed"]
_ALARMS = ("REGRESSED", "IMPROVED")


@dataclass(frozen=True)
class Suite:
    """One gate of equal arms; `injected` maps slowed cases to their slowdown, `verdicts` each case to its metrics'."""

    number: Count
    mode: Mode
    injected: Mapping[str, Measure]
    verdicts: Mapping[str, Mapping[str, str]]
    blocks: Mapping[str, Count]
    contaminated: bool
    seconds: Measure
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
class SelfTestSetup:
    """What the suites of a folder are of: a machine's fingerprint, case ids, and options as texts."""

    fingerprint: str
    cases: tuple[str, ...]
    options: Mapping[str, str]


@dataclass(frozen=True)
class SelfTest:
    """Runs suites of the same artifacts in both arms and keeps each in `folder` as soon as it ends."""

    folder: Path
    sides: Mapping[str, Side]
    control: str
    options: GateOptions
    say: Callable[[str], None]

    def live(self, slowdown: float, show: Callable[[Sequence[Status]], None]) -> Suite | None:
        """Run one suite on real workers, half of its cases slowed where there is a slowdown; None if interrupted."""
        seed = secrets.randbits(48)
        coins = random.Random(seed)
        injected = self._inject(coins, slowdown)
        path = self._blocks_file(self._next_number())
        # A suite that was cut off left its blocks; they must not count in this one.
        path.unlink(missing_ok=True)
        taken: list[Block] = []

        def keep(block: Block) -> None:
            taken.append(block)
            self._say_all(blocks.append(path, block))

        outcome = replace(self._loop(LiveSource(self._arms(injected)), coins), keep=keep, show=show).run()
        if outcome.interrupted:
            return None
        return self._kept("live", injected, outcome, seed, harness_share(taken))

    def replay(self, slowdown: float) -> Suite | None:
        """Run one suite on blocks that live suites without a slowdown have left; None if interrupted.

        Raises UsageError where they left none of a case.
        """
        seed = secrets.randbits(48)
        coins = random.Random(seed)
        injected = self._inject(coins, slowdown)
        source = ReplaySource(self._pool, injected)
        outcome = replace(self._loop(source, coins), clock=source.clock).run()
        return None if outcome.interrupted else self._kept("replayed", injected, outcome, seed, 0.0)

    def _loop(self, source: BlockSource, coins: random.Random) -> Loop:
        return Loop(self._tests, self._control, self.options.budget_s, source, coins)

    @property
    def _tests(self) -> Mapping[Stream, Mapping[GateMetric, Thresholds]]:
        return plan_tests(tuple(self.sides), self.options)

    @property
    def _control(self) -> Stream:
        return Stream(self.control, control=True)

    def _kept(self, mode: Mode, injected: Mapping[str, float], outcome: Outcome, seed: int, harness: float) -> Suite:
        suite = _suite(self._next_number(), mode, injected, outcome, seed, harness)
        self._say_all(_suites(self.folder).append(suite))
        return suite

    def _next_number(self) -> int:
        # Not their count: a line that was taken out must not give its successor's blocks to another suite.
        return max((suite.number for suite in read_suites(self.folder)[0]), default=0) + 1

    def _say_all(self, notes: Sequence[str]) -> None:
        for note in notes:
            self.say(note)

    def _blocks_file(self, number: int) -> Path:
        return self.folder / "blocks" / f"{number:05}.jsonl"

    @cached_property
    def _pool(self) -> Mapping[Stream, Sequence[Block]]:
        pool: dict[Stream, list[Block]] = {}
        for suite in read_suites(self.folder)[0]:
            path = self._blocks_file(suite.number)
            if suite.mode == "live" and not suite.injected and path.exists():
                taken, notes = blocks.read(path)
                self._say_all(notes)
                for block in taken:
                    # A replay's clock goes on by what its blocks lasted.
                    if not block.void and block.launch_ns + block.block_ns:
                        pool.setdefault(block.subject, []).append(block)
        # Where nothing is changed every case is a control; which one is chosen hangs on one first call.
        pool.setdefault(self._control, pool.get(Stream(self.control), []))
        lacking = sorted({it.case_id for it in (*self._tests, self._control) if not pool.get(it)})
        if lacking:
            raise UsageError(
                f"--replay: the suites in {self.folder} in which nothing was changed left no block of "
                f"{', '.join(lacking)} that counts; give more of them by --aa."
            )
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


def read_suites(folder: Path) -> tuple[tuple[Suite, ...], tuple[str, ...]]:
    """Return the suites of a self-test's folder, none where there is no file yet, and a sentence for a last line that
    was cut off; raises RecordError.
    """
    return _suites(folder).read() if (folder / SUITES_FILE).exists() else ((), ())


def _suites(folder: Path) -> Lines[Suite]:
    return Lines(folder / SUITES_FILE, Suite, "no suite of a self-test", decode=_decoded)


def _decoded(data: dict[str, Any]) -> Suite:
    suite = from_builtins(data, Suite)
    strange = [case_id for case_id in suite.injected if "latency" not in suite.verdicts.get(case_id, {})]
    if strange:
        raise RecordError(said("it slowed {1} down and has no verdict on it", excerpt(strange[0])))
    return suite


def write_setup(folder: Path, setup: SelfTestSetup) -> None:
    """Keep beside the suites what they are of."""
    write_json(folder / SETUP_FILE, setup)


def read_setup(folder: Path) -> SelfTestSetup:
    """Return what the suites of a folder are of; raises RecordError."""
    return read_json(folder / SETUP_FILE, SelfTestSetup, "run the same self-test again, which writes it")


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
