"""`benchsuite selftest`: suites of the gate on equal arms, counted together as long as nothing has changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from benchsuite.gate.against import refuse_windows
from benchsuite.gate.selftest import SelfTest, SelfTestSetup, Suite, read_suites, write_setup
from benchsuite.gate.terms import name_one_scheme
from benchsuite.measure.readings import Side
from benchsuite.options.chosen import GateOptions
from benchsuite.options.settings import parse
from benchsuite.report.gating import GateProgress
from benchsuite.report.selftest import rate_lines
from benchsuite.runs.preparation import Preparation
from benchsuite.runs.runner import Runner
from benchsuite.runs.site import Say, open_site
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import UsageError


@dataclass(frozen=True)
class SelfTestPlan:
    """How many suites of each kind a self-test asks for; slowdowns are ratios minus one."""

    aa: int
    slowdowns: tuple[float, ...]
    suites: int
    replays: int


def run_selftest(given: Mapping[str, str], plan: SelfTestPlan, say: Say, terminal: bool) -> int:
    """Run the suites that are still missing, print the rates, and return 0 where the gate keeps its promise."""
    refuse_windows("selftest")
    options = parse(given)
    if "latency" not in options.gate.metrics:
        raise UsageError("selftest: it counts verdicts on latency; name latency among --gate-metrics.")
    name_one_scheme(options, "a self-test")
    site, selected = open_site(options, say)
    machine = site.machine
    # Where the results lie is not what they are of.
    settings = {name: text for name, text in given.items() if name != "report"}
    folder = options.report / "selftest" / _digest(machine.fingerprint, machine.packages, selected, settings)
    if plan.replays and not plan.aa and not _count(folder, 0.0, replayed=False):
        raise UsageError(
            f"--replay {plan.replays}: it draws from the blocks of suites in which nothing is changed, and there are "
            "none of these cases and options yet; give --aa 10 too."
        )
    write_setup(folder, SelfTestSetup(machine.fingerprint, tuple(case.id for case in selected), settings))
    runner = Runner(Preparation(replace(site, folder=folder)))
    try:
        test = _self_test(folder, selected, runner, options.gate, say)
        for slowdown, wanted, replayed in _wanted(plan):
            done = _count(folder, slowdown, replayed)
            for number in range(done + 1, wanted + 1):
                suite = test.replay(slowdown) if replayed else _live(test, slowdown, terminal)
                if suite is None:
                    say(f"interrupted: {folder} keeps the suites so far, and the same command goes on.")
                    return 130
                if not replayed:
                    say(suite_line(slowdown, number, wanted, suite.seconds, suite.false_alarms, suite.caught))
    finally:
        runner.close()
    suites, notes = read_suites(folder)
    lines, holds = rate_lines(suites, options.gate)
    for line in (*lines, *notes):
        say(line)
    say(f"Kept in {folder}")
    return 0 if holds else 1


def suite_line(
    slowdown: float, number: int, wanted: int, seconds: float, alarms: tuple[str, ...], caught: Mapping[str, bool]
) -> str:
    """Say in one line how a suite ended."""
    kind = f"+{slowdown * 100:g} %" if slowdown else "A/A"
    parts = [f"{kind} suite {number} of {wanted}: {seconds:.0f} s"]
    if caught:
        parts.append(f"{sum(caught.values())} of {len(caught)} caught")
    parts.append(f"false alarms: {'; '.join(alarms)}" if alarms else "no false alarm")
    return ", ".join(parts)


def _live(test: SelfTest, slowdown: float, terminal: bool) -> Suite | None:
    progress = GateProgress(lambda _: None, terminal)
    try:
        return test.live(slowdown, progress.show)
    finally:
        progress.close()


def _self_test(folder: Path, selected: tuple[Case, ...], runner: Runner, options: GateOptions, say: Say) -> SelfTest:
    sides: dict[str, Side] = {}
    cost: dict[str, int] = {}
    for case in selected:
        reason = runner.why_not_timed(case)
        if reason:
            say(f"{case.id} is left out: {reason}")
            continue
        run = runner.case_run(case)
        run.ran()
        sides[case.id] = Side(case, run.subject.setup)
        cost[case.id] = run.cold().first_inference_ns
    runner.finish_open()
    if not sides:
        raise UsageError("selftest: none of the selected cases can run here; `benchsuite cases` says why.")
    return SelfTest(folder, sides, min(cost, key=cost.__getitem__), options, say)


def _wanted(plan: SelfTestPlan) -> list[tuple[float, int, bool]]:
    live = [(0.0, plan.aa, False), *((slowdown, plan.suites, False) for slowdown in plan.slowdowns)]
    replayed = [(slowdown, plan.replays, True) for slowdown in (0.0, *plan.slowdowns)] if plan.replays else []
    return live + replayed


def _count(folder: Path, slowdown: float, replayed: bool) -> int:
    mode = "replayed" if replayed else "live"
    return sum(
        suite.mode == mode and set(suite.injected.values()) == ({slowdown} if slowdown else set())
        for suite in read_suites(folder)[0]
    )


def _digest(
    fingerprint: str, packages: Mapping[str, str], selected: tuple[Case, ...], settings: Mapping[str, str]
) -> str:
    """Name the folder of suites that may be counted together: same machine, versions, cases and settings."""
    facts = [fingerprint, dict(packages), [(case.id, case.threads, case.head) for case in selected], settings]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]
