"""What the gate's self-test measured: rates with exact intervals, and what a verdict costs."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from benchsuite.gate.selftest import Suite
from benchsuite.options.chosen import GateOptions
from benchsuite.terms.said import joined, said

PROMISED_DETECTION = 0.95
_DECIDED = ("PASS", "REGRESSED", "IMPROVED")


def exact_interval(hits: int, trials: int) -> tuple[float, float]:
    """Return the 95 % interval of a rate: Clopper and Pearson, Biometrika 26 (1934)."""
    from scipy.special import betaincinv

    low = float(betaincinv(hits, trials - hits + 1, 0.025)) if hits else 0.0
    high = float(betaincinv(hits + 1, trials - hits, 0.975)) if hits < trials else 1.0
    return low, high


def rate(hits: int, trials: int) -> str:
    """Return `3 of 150, 2.0 % (0.4 to 5.7 %)`; without a trial there is no rate."""
    if not trials:
        return said("none tried")
    low, high = exact_interval(hits, trials)
    return f"{hits} of {trials}, {hits / trials * 100:.1f} % ({low * 100:.1f} to {high * 100:.1f} %)"


def rate_lines(suites: Sequence[Suite], options: GateOptions) -> tuple[list[str], bool]:
    """Return the rates of live and of replayed suites, and whether they tried the gate's promise and it held.

    The promise: no more suites with a false alarm than alpha, and at least 95 % of the slowdowns of the promised size
    and beyond called REGRESSED; INCONCLUSIVE counts as missed. Suites that decided nothing try no alarm.
    """
    lines: list[str] = []
    alarms_of: list[tuple[int, int]] = []
    caught_of: list[tuple[float, int, int]] = []
    for mode in ("live", "replayed"):
        own = [suite for suite in suites if suite.mode == mode]
        if not own:
            continue
        lines.append(said("{1} suites, with exact 95 % intervals:", mode))
        equal = [suite for suite in own if not suite.injected]
        if equal:
            alarms_of.append(_alarms(equal))
            lines.append(said("  suites with a false alarm, nothing changed: {1}", _alarm_rate(equal)))
            lines.append(said("  cases without a verdict, nothing changed:   {1}", rate(*_inconclusive(equal))))
        for slowdown in sorted({value for suite in own for value in suite.injected.values()}):
            caught = [hit for suite in own if slowdown in suite.injected.values() for hit in suite.caught.values()]
            found = rate(sum(caught), len(caught))
            lines.append(said("  +{1} % injected, called REGRESSED: {2}", f"{slowdown * 100:g}", found))
            if slowdown >= options.max_slowdown - 1e-9:
                caught_of.append((slowdown, sum(caught), len(caught)))
            beside = [suite for suite in own if slowdown in suite.injected.values()]
            alarms_of.append(_alarms(beside))
            lines.append(said("    suites with a false alarm beside it: {1}", _alarm_rate(beside)))
        lines += _costs(equal)
    decided = any(
        by_metric.get("latency") in _DECIDED
        for suite in suites
        for by_metric in suite.verdicts.values()
        if not suite.contaminated
    )
    verdict, holds = _promise(alarms_of, caught_of, decided, options)
    return [*lines, verdict], holds


def _promise(
    alarms_of: Sequence[tuple[int, int]],
    caught_of: Sequence[tuple[float, int, int]],
    decided: bool,
    options: GateOptions,
) -> tuple[str, bool]:
    """Say what became of the promise, by hits and trials of both of its halves, and whether nothing broke it.

    `caught_of` has slowdowns of the promised size and beyond, each before its hits and trials.
    """
    alarms = [(hits, trials) for hits, trials in alarms_of if trials]
    too_many = any(hits / trials > options.alpha for hits, trials in alarms)
    if too_many or any(hits / trials < PROMISED_DETECTION for _, hits, trials in caught_of):
        return said("The promise does not hold on this machine."), False
    promised = f"{options.max_slowdown * 100:g}"
    smallest = f"{min((slowdown for slowdown, *_ in caught_of), default=0.0) * 100:g}"
    if not alarms and not caught_of and decided:
        untried = "Neither half of the promise was tried in these suites: give --aa 20 and --inject {1}% too."
        return said(untried, promised), False
    if not alarms and not caught_of:
        hints = said("give more --gate-budget or fewer cases"), said("measure on a quieter machine")
        return said(
            "Nothing was decided in these suites, which says nothing of the promise: {1} or {2}.", *hints
        ), False
    if not alarms:
        untried = (
            "Slowdowns from {1} % on were caught in these suites. Half of the promise was not tried: give --aa 20 too."
        )
        return said(untried, smallest), True
    if not caught_of:
        untried = (
            "No more false alarms than promised in these suites. Half of the promise was not tried: "
            "give --inject {1}% too."
        )
        return said(untried, promised), True
    if smallest != promised:
        untried = (
            "No more false alarms than promised in these suites, and slowdowns from {1} % on were caught: "
            "give --inject {2}% too."
        )
        return said(untried, smallest, promised), True
    return said("The promise held in these suites: no more alarms and misses than it allows."), True


def _alarms(suites: Sequence[Suite]) -> tuple[int, int]:
    """Return how many suites had a false alarm, and of how many that could have."""
    return sum(bool(suite.false_alarms) for suite in suites), sum(map(_tries_an_alarm, suites))


def _alarm_rate(suites: Sequence[Suite]) -> str:
    alarms, tried = _alarms(suites)
    if tried == len(suites):
        return rate(alarms, tried)
    return joined("; ", (rate(alarms, tried), said("{1} more could not alarm", len(suites) - tried)))


def _tries_an_alarm(suite: Suite) -> bool:
    """Say whether a case that nothing was done to got a verdict."""
    left = [by_metric for case_id, by_metric in suite.verdicts.items() if case_id not in suite.injected]
    decided = any(by_metric.get("latency") in _DECIDED for by_metric in left)
    return bool(suite.false_alarms) or (decided and not suite.contaminated)


def _inconclusive(suites: Sequence[Suite]) -> tuple[int, int]:
    verdicts = [by_metric.get("latency") for suite in suites for by_metric in suite.verdicts.values()]
    contaminated = sum(len(suite.verdicts) for suite in suites if suite.contaminated)
    open_ = sum(
        by_metric.get("latency") == "INCONCLUSIVE"
        for suite in suites
        if not suite.contaminated
        for by_metric in suite.verdicts.values()
    )
    return open_ + contaminated, len(verdicts)


def _costs(suites: Sequence[Suite]) -> list[str]:
    counts = [number for suite in suites for number in suite.blocks.values()]
    if not counts:
        return []
    seconds = [suite.seconds / max(1, len(suite.blocks)) for suite in suites]
    costs = "  nothing changed: median {1} blocks a case (at most {2}), {3} s a case"
    lines: list[str] = [said(costs, f"{statistics.median(counts):g}", max(counts), f"{statistics.median(seconds):.0f}")]
    shares = [suite.harness_share for suite in suites if suite.mode == "live"]
    if shares:
        share = f"{statistics.median(shares) * 100:.1f}"
        lines.append(said("  the harness's own share of the time inside blocks: {1} %", share))
    return lines
