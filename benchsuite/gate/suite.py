"""Which tests a gate makes of which subjects, and how they share the suite's chance of a false alarm."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from benchsuite.gate.blocks import Stream
from benchsuite.gate.judging import TAILS, Thresholds
from benchsuite.options.chosen import GateMetric, GateOptions

# Tails are far noisier than medians: they fail beyond the slowdown that medians promise to catch, and 20 points more
# are what their blocks can exclude.
_TAIL_ROOM = 0.20


def plan_tests(
    case_ids: Sequence[str], options: GateOptions, ceilings: Mapping[tuple[str, str], float] | None = None
) -> Mapping[Stream, Mapping[GateMetric, Thresholds]]:
    """Return every test; each gets an equal share of alpha.

    `ceilings` maps (case id, metric) to a slowdown that a waiver accepts: it takes the place of the promised one, and
    the margin that never fails moves up with it.
    """
    metrics_of = {
        Stream(case_id, timed): _metrics(timed, options.metrics)
        for case_id in case_ids
        for timed in ("latency", "throughput")
    }
    # A shift is tested in both directions, so that REGRESSED and IMPROVED together stay within alpha.
    tests = sum(1 if metric in TAILS else 2 for metrics in metrics_of.values() for metric in metrics)
    return {
        subject: {
            metric: _thresholds(metric, options, (ceilings or {}).get((subject.case_id, metric)), options.alpha / tests)
            for metric in metrics
        }
        for subject, metrics in metrics_of.items()
        if metrics
    }


def _metrics(timed: str, chosen: Iterable[GateMetric]) -> tuple[GateMetric, ...]:
    if timed == "throughput":
        return ("throughput",) if "throughput" in chosen else ()
    return tuple(metric for metric in chosen if metric != "throughput")


def _thresholds(metric: GateMetric, options: GateOptions, ceiling: float | None, alpha: float) -> Thresholds:
    if metric in TAILS:
        allowed = options.max_slowdown if ceiling is None else ceiling
        return Thresholds(allowed, allowed + _TAIL_ROOM, alpha)
    if ceiling is None:
        return Thresholds(options.null_margin, options.max_slowdown, alpha)
    margin = (1 + ceiling) / (1 + options.max_slowdown) * (1 + options.null_margin) - 1
    return Thresholds(margin, ceiling, alpha)
