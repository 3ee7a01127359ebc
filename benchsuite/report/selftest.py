"""What the gate's self-test measured: rates with exact intervals, and what a verdict costs."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from benchsuite.gate.selftest import Suite
from benchsuite.options.chosen import GateOptions
from benchsuite.terms.said import said

PROMISED_DETECTION = 0.95


def exact_interval(hits: int, trials: int) -> tuple[float, float]:
    """Return the 95 % interval of a rate: Clopper and Pearson, Biometrika 26 (1934)."""
    from scipy.special import betaincinv

    low = float(betaincinv(hits, trials - hits + 1, 0.025)) if hits else 0.0
    high = float(betaincinv(hits + 1, trials - hits, 0.975)) if hits < trials else 1.0
    return low, high


def rate(hits: int, trials: int) -> str:
    """Return `3 of 150, 2.0 % (0.4 to 5.7 %)`."""
    low, high = exact_interval(hits, trials)
    return f"{hits} of {trials}, {hits / trials * 100:.1f} % ({low * 100:.1f} to {high * 100:.1f} %)"


def rate_lines(suites: Sequence[Suite], options: GateOptions) -> tuple[list[str], bool]:
    """Return the rates of live and of replayed suites, and whether the gate keeps its promise.

    The promise: no more suites with a false alarm than alpha, and at least 95 % of the slowdowns of the promised size
    and beyond called REGRESSED; INCONCLUSIVE counts as missed.
    """
    lines: list[str] = []
    holds = bool(suites)
    for mode in ("live", "replayed"):
        own = [suite for suite in suites if suite.mode == mode]
        if not own:
            continue
        lines.append(said("{1} suites, with exact 95 % intervals:", mode))
        equal = [suite for suite in own if not suite.injected]
        if equal:
            alarms = sum(bool(suite.false_alarms) for suite in equal)
            holds = holds and alarms / len(equal) <= options.alpha
            lines.append(said("  suites with a false alarm, nothing changed: {1}", rate(alarms, len(equal))))
            lines.append(said("  cases without a verdict, nothing changed:   {1}", rate(*_inconclusive(equal))))
        for slowdown in sorted({value for suite in own for value in suite.injected.values()}):
            caught = [hit for suite in own if slowdown in suite.injected.values() for hit in suite.caught.values()]
            found = rate(sum(caught), len(caught))
            lines.append(said("  +{1} % injected, called REGRESSED: {2}", f"{slowdown * 100:g}", found))
            if slowdown >= options.max_slowdown - 1e-9:
                holds = holds and sum(caught) / len(caught) >= PROMISED_DETECTION
            beside = [bool(suite.false_alarms) for suite in own if slowdown in suite.injected.values()]
            lines.append(said("    suites with a false alarm beside it: {1}", rate(sum(beside), len(beside))))
        lines += _costs(equal)
    lines.append(said("The promise holds.") if holds else said("The promise does not hold on this machine."))
    return lines, holds


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
