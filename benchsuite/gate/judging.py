"""From blocks to verdicts: pure functions of what was measured, the same for a live gate, a replay and a simulation."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from benchsuite.gate import evidence
from benchsuite.gate.blocks import Block
from benchsuite.options.chosen import GateMetric

Decision = Literal["PASS", "REGRESSED", "IMPROVED", "INCONCLUSIVE"]

TAILS = ("p95", "p99")
MIN_BLOCKS = 12
INTERVAL_ALPHA = 0.05
# PASS is a proof as well: it misses a slowdown of the promised size in one case of a hundred at most.
MISS = 0.01
# Improvements are worth a few more blocks only where the first ones point to one.
_HINT = math.log(20)
_HINTED_BLOCKS = 60
_CONTROL_MARGIN = math.log(1.01)
# A percentile has a bounded 97.5 % interval from this many samples on.
_TAIL_SAMPLES = {"p95": 72, "p99": 368}
_TAIL_SHARE = {"p95": 0.05, "p99": 0.01}


@dataclass(frozen=True)
class Thresholds:
    """What one test asks: more than `null_margin` worse at level `alpha`, or proved better than `promise`.

    Both are ratios minus one; `alpha` is the test's own share of the suite's.
    """

    null_margin: float
    promise: float
    alpha: float

    @property
    def fire_at(self) -> float:
        """Return the evidence, as a logarithm, that fires."""
        return math.log(1 / self.alpha)


@dataclass(frozen=True)
class Judgement:
    """What the blocks of one test say so far; `done` where more of them would not change the verdict.

    Ratios are candidate over baseline. `log_e_*` are the evidence for worse than the margin, for better than the
    promise, and for improved. `excluded` is the smallest slowdown that is proved not to be, None for no proof.
    `more_blocks` would about decide, or are the least that a verdict takes; None where no number of them would.
    """

    metric: GateMetric
    decision: Decision
    done: bool
    n: int
    ratio: float | None = None
    interval: tuple[float, float] | None = None
    excluded: float | None = None
    log_e_worse: float = 0.0
    log_e_within: float = 0.0
    log_e_better: float = 0.0
    more_blocks: int | None = None
    facts: dict[str, float] = field(default_factory=dict)

    @property
    def suspicious(self) -> bool:
        """Say whether the blocks point to a regression that they do not prove."""
        return self.decision == "INCONCLUSIVE" and self.log_e_worse >= _HINT


def judge_shift(metric: GateMetric, ds: Sequence[float], thresholds: Thresholds) -> Judgement:
    """Judge whether d (the log of candidate over baseline) is shifted, in the order in which blocks came."""
    margin, promise = math.log1p(thresholds.null_margin), math.log1p(thresholds.promise)
    decision, done = _path(ds, margin, promise, thresholds.fire_at)
    if not ds:
        return Judgement(metric, decision, done, 0, more_blocks=MIN_BLOCKS)
    middle = statistics.median(ds)
    low, high = evidence.interval(ds, INTERVAL_ALPHA)
    bound = evidence.excluded_above(ds, MISS)
    n, pass_at = len(ds), math.log(1 / MISS)
    worse, within = sum(d > margin for d in ds), sum(d < promise for d in ds)
    needs = [
        more
        for heads, at_least in ((worse, thresholds.fire_at), (within, pass_at))
        if (more := evidence.blocks_needed(heads, n, at_least)) is not None
    ]
    # A few blocks tell nothing of how many it will take.
    missing = min(needs, default=None) if n >= MIN_BLOCKS else MIN_BLOCKS - n
    return Judgement(
        metric=metric,
        decision=decision,
        done=done,
        n=n,
        ratio=math.exp(middle),
        interval=(math.exp(low), math.exp(high)) if math.isfinite(low) else None,
        excluded=math.exp(bound) if math.isfinite(bound) else None,
        log_e_worse=evidence.log_evidence(n, worse),
        log_e_within=evidence.log_evidence(n, within),
        log_e_better=evidence.log_evidence(n, sum(d < -margin for d in ds)),
        more_blocks=missing if decision == "INCONCLUSIVE" else 0,
    )


def _path(ds: Sequence[float], margin: float, promise: float, fire_at: float) -> tuple[Decision, bool]:
    """Walk through the blocks and stop at the first proof; one that came first is not overruled by a later one."""
    passed = False
    worse = within = better = 0
    pass_at = math.log(1 / MISS)
    for n, d in enumerate(ds, 1):
        worse, within, better = worse + (d > margin), within + (d < promise), better + (d < -margin)
        if n < MIN_BLOCKS:
            continue
        passed = passed or evidence.log_evidence(n, within) >= pass_at
        if not passed and evidence.log_evidence(n, worse) >= fire_at:
            return "REGRESSED", True
        if evidence.log_evidence(n, better) >= fire_at:
            return "IMPROVED", True
        if passed and (evidence.log_evidence(n, better) < _HINT or n >= _HINTED_BLOCKS):
            return "PASS", True
    return ("PASS" if passed else "INCONCLUSIVE"), False


def judge_tail(metric: GateMetric, blocks: Sequence[Block], thresholds: Thresholds) -> Judgement:
    """Judge whether the candidate exceeds the baseline's quantile more often than the baseline itself.

    Calls are taken relative to their block's level, so that a slow minute is no tail. The threshold is the quantile of
    the baseline's calls in earlier blocks; each later block gives one sign, which arm exceeded it more often, and
    blocks with equal counts give none. The candidate's calls are divided by the margin first, so a uniform slowdown
    within it is no tail either. The first proof stands.
    """
    share = _TAIL_SHARE[metric]
    pool: list[float] = []
    worse: list[bool] = []
    within: list[bool] = []
    exceeded = {"A": 0, "B": 0}
    calls = looked_at = 0
    decision: Decision = "INCONCLUSIVE"
    for block in blocks:
        level = _level(block, thresholds.null_margin)
        a = [ns / level for ns in block.calls("A")]
        b = [ns / level for ns in block.calls("B")]
        if len(pool) >= _TAIL_SAMPLES[metric]:
            limit = _quantile(pool, 1 - share)
            in_a = sum(x > limit for x in a)
            in_b = sum(x > limit * (1 + thresholds.null_margin) for x in b)
            in_b_far = sum(x > limit * (1 + thresholds.promise) for x in b)
            worse += [in_b > in_a] if in_b != in_a else []
            within += [in_b_far < in_a] if in_b_far != in_a else []
            exceeded["A"] += in_a
            exceeded["B"] += sum(x > limit for x in b)
            calls += len(a)
            looked_at += 1
            if decision == "INCONCLUSIVE":
                decision = _tail_decision(worse, within, thresholds.fire_at)
        pool += a
    missing = evidence.blocks_needed(sum(worse), len(worse), thresholds.fire_at) if decision == "INCONCLUSIVE" else 0
    facts = {f"exceeded_{arm.lower()}": count / calls for arm, count in exceeded.items()} if calls else {}
    return Judgement(
        metric=metric,
        decision=decision,
        done=decision != "INCONCLUSIVE",
        n=len(worse),
        log_e_worse=evidence.log_evidence(len(worse), sum(worse)),
        log_e_within=evidence.log_evidence(len(within), sum(within)),
        # Not every block gives a sign.
        more_blocks=math.ceil(missing * looked_at / len(worse)) if missing and worse else missing,
        facts=facts,
    )


def _tail_decision(worse: Sequence[bool], within: Sequence[bool], fire_at: float) -> Decision:
    """Decide by the signs up to one block; called after each, it misses no crossing."""
    if evidence.log_evidence(len(worse), sum(worse)) >= fire_at:
        return "REGRESSED"
    proved = evidence.log_evidence(len(within), sum(within)) >= math.log(1 / MISS)
    return "PASS" if proved else "INCONCLUSIVE"


def contaminated(ds: Sequence[float]) -> bool:
    """Say whether a control, the same artifact in both arms, seems to differ from itself by more than 1 %."""
    low, high = evidence.interval(ds, INTERVAL_ALPHA)
    return low > _CONTROL_MARGIN or high < -_CONTROL_MARGIN


def _level(block: Block, margin: float) -> float:
    """Return the block's typical call, both arms alike: the geometric mean of their medians, B's without the margin."""
    medians = (statistics.median(block.calls(arm)) for arm in ("A", "B"))
    return math.sqrt(math.prod(medians) / (1 + margin))


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
