"""From judgements to findings that a person can act on, and to the exit code of `benchsuite gate`."""

from __future__ import annotations

import datetime
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from benchsuite.compare.findings import Finding
from benchsuite.gate.blocks import Arm
from benchsuite.gate.judging import TAILS, Judgement, Thresholds
from benchsuite.gate.loop import Outcome, Status
from benchsuite.gate.waivers import Waiver
from benchsuite.options.chosen import GateMetric, GateOptions
from benchsuite.terms.quantities import megabytes, milliseconds, signed, significant
from benchsuite.terms.said import joined, said

_ARM_NAMES: Mapping[Arm, str] = {"A": "baseline", "B": "candidate"}
DECIDING = ("case", "latency", "throughput", "memory")


@dataclass(frozen=True)
class Levels:
    """What was typical of both arms over all blocks: ns a call (or an image), and bytes."""

    timed_ns: Mapping[Arm, float]
    peak_bytes: Mapping[Arm, float]


def findings_of(
    status: Status,
    tests: Mapping[GateMetric, Thresholds],
    levels: Levels,
    outcome: Outcome,
    options: GateOptions,
    waivers: Sequence[Waiver],
) -> tuple[Finding, ...]:
    """Return a finding for every metric of a subject that has something to say."""
    case_id = status.subject.case_id
    if status.failed_arm:
        arm = _ARM_NAMES["A" if status.failed_arm == "A" else "B"]
        failed = "The {1} failed after {2} blocks: {3}"
        sentence = said(failed, arm, status.blocks, status.stopped)
        return (Finding(case_id, "case", "MISSING", "", said("{1} failed", arm), "it must run", sentence, fails=True),)
    found = []
    for judgement in status.judgements:
        waiver = next((it for it in waivers if (it.case_id, it.metric) == (case_id, judgement.metric)), None)
        finding = _finding(status, judgement, tests[judgement.metric], levels, options, waiver)
        if finding is not None:
            found.append(_vetoed(finding, outcome) if outcome.contaminated else finding)
    return tuple(found)


def _finding(
    status: Status,
    judgement: Judgement,
    thresholds: Thresholds,
    levels: Levels,
    options: GateOptions,
    waiver: Waiver | None,
) -> Finding | None:
    metric, decision = judgement.metric, judgement.decision
    if metric in TAILS:
        return _tail(status, judgement, thresholds)
    sentences = [_sentence(status, judgement, thresholds)]
    if waiver is not None:
        ceiling = f"{waiver.ceiling * 100:g}"
        sentences.append(said("Waived up to +{1} % until {2}: {3}", ceiling, waiver.expires, waiver.reason))
        if judgement.excluded is not None and judgement.excluded <= 1 + options.max_slowdown:
            sentences.append(said("It is not needed any more."))
    before, now = _shown(judgement, levels)
    allowed = said("less than {1} % more", f"{thresholds.promise * 100:g}")
    sentence = joined(" ", sentences)
    return Finding(
        status.subject.case_id, metric, decision, before, now, allowed, sentence, fails=decision == "REGRESSED"
    )


def _sentence(status: Status, judgement: Judgement, thresholds: Thresholds) -> str:
    promise, margin = f"{thresholds.promise * 100:g}", f"{thresholds.null_margin * 100:g}"
    if judgement.interval is None or judgement.ratio is None:
        why = status.stopped or said("the budget was spent: give more --gate-budget or fewer cases")
        return said("Only {1} blocks were measured, {2}.", judgement.n, why)
    low, high = judgement.interval
    spread = said("{1} to {2} % in {3} blocks", percent(low), percent(high), judgement.n)
    if judgement.decision == "PASS":
        assert judgement.excluded is not None
        proved = "Proved not {1} % worse: {2}; more than {3} % is excluded."
        return said(proved, promise, spread, percent(judgement.excluded))
    if judgement.decision == "REGRESSED":
        return said("Proved more than {1} % worse: {2}.", margin, spread)
    if judgement.decision == "IMPROVED":
        return said("Proved more than {1} % better: {2}.", margin, spread)
    excluded = (
        said("the smallest slowdown excluded is {1} %", percent(judgement.excluded))
        if judgement.excluded is not None
        else said("no slowdown is excluded")
    )
    more = (
        said("about {1} more blocks would decide: give more --gate-budget", judgement.more_blocks)
        if judgement.more_blocks is not None
        else said("more blocks would not decide at this noise: measure on a quieter machine")
    )
    return said("Not decided: {1}; {2}; {3}.", spread, excluded, status.stopped or more)


def _tail(status: Status, judgement: Judgement, thresholds: Thresholds) -> Finding | None:
    if judgement.decision == "INCONCLUSIVE" and not judgement.suspicious:
        return None
    rates = (f"{judgement.facts[f'exceeded_{arm}'] * 100:.1f}" for arm in ("a", "b"))
    base, rate = (said("{1} % of calls over it", share) for share in rates)
    sentence = {
        "PASS": said("Not {1} % longer by the signs of {2} blocks.", f"{thresholds.promise * 100:g}", judgement.n),
        "REGRESSED": said(
            "The candidate exceeds the baseline's {1} by more than {2} % more often than the baseline does, in {3} "
            "blocks.",
            judgement.metric, f"{thresholds.null_margin * 100:g}", judgement.n,
        ),
        "INCONCLUSIVE": said(
            "The candidate's tail looks longer, which its blocks do not prove: give more --gate-budget."
        ),
    }[judgement.decision]  # fmt: skip
    allowed = said("not more often over {1}", judgement.metric)
    fails = judgement.decision == "REGRESSED"
    return Finding(
        status.subject.case_id, judgement.metric, judgement.decision, base, rate, allowed, sentence, fails=fails
    )


def _vetoed(finding: Finding, outcome: Outcome) -> Finding:
    """The control, one artifact in both arms, differed from itself: nothing that was timed beside it counts."""
    if finding.metric == "memory":
        return finding
    ratio = math.exp(statistics.median(outcome.control_ds))
    sentence = said(
        "Contaminated: the control, the same artifact in both arms, differed from itself by {1} %; it would have been "
        "{2}. Find what disturbs the machine and run the gate again.",
        percent(ratio), finding.verdict,
    )  # fmt: skip
    return replace(finding, verdict="INCONCLUSIVE", sentence=sentence, fails=False)


def strictly(finding: Finding) -> Finding:
    """Let doubt fail: a case or a deciding test of it that is undecided or cannot be compared."""
    doubtful = finding.metric in DECIDING and finding.verdict in ("INCONCLUSIVE", "NOT_COMPARABLE")
    return replace(finding, fails=finding.fails or doubtful)


def expired(waivers: Iterable[Waiver], case_ids: Iterable[str], today: datetime.date) -> tuple[Finding, ...]:
    """Return a failing finding for each waiver of a selected case that holds no more."""
    selected = set(case_ids)
    return tuple(
        Finding(
            waiver.case_id,
            "waiver",
            "OVER_LIMIT",
            "",
            said("expired on {1}", waiver.expires),
            "",
            said(
                "The waiver of its {1} has expired ({2}): remove it, or review it and renew it.",
                waiver.metric, waiver.reason,
            ),
            fails=True,
        )
        for waiver in waivers
        if waiver.case_id in selected and waiver.expired(today)
    )  # fmt: skip


def exit_code(findings: Sequence[Finding], strict: bool) -> int:
    """Return 3 for missing, 1 for regressed, 5 for not comparable, 4 for doubt if strict, or 0."""
    # Kernels of another release, or mAP on other data, are remarks beside a case that was decided.
    whole = [finding for finding in findings if finding.metric in DECIDING]
    if any(finding.verdict == "MISSING" and finding.fails for finding in findings):
        return 3
    if any(finding.verdict in ("REGRESSED", "OVER_LIMIT") and finding.fails for finding in findings):
        return 1
    if any(finding.verdict == "NOT_COMPARABLE" for finding in whole):
        return 5
    if strict and any(finding.verdict == "INCONCLUSIVE" for finding in whole):
        return 4
    return 0


def percent(ratio: float) -> str:
    """Return a ratio as a signed change in percent, without its sign of percent."""
    return signed((ratio - 1) * 100)


def _shown(judgement: Judgement, levels: Levels) -> tuple[str, str]:
    if judgement.ratio is None:
        return "", "too few blocks"
    change = f"({percent(judgement.ratio)} %)"
    if judgement.metric == "memory":
        return f"{megabytes(levels.peak_bytes['A'])} MB", f"{megabytes(levels.peak_bytes['B'])} MB {change}"
    a, b = levels.timed_ns["A"], levels.timed_ns["B"]
    if judgement.metric == "throughput":
        return (
            f"{significant(1e9 / a)} img/s",
            said("{1} img/s ({2} % time an image)", significant(1e9 / b), percent(judgement.ratio)),
        )
    return f"{milliseconds(a)} ms", f"{milliseconds(b)} ms {change}"
