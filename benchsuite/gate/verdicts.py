"""From judgements to findings that a person can act on, and to the exit code of `benchsuite gate`."""

from __future__ import annotations

import datetime
import math
import statistics
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from benchsuite.compare.findings import Finding, Verdict
from benchsuite.gate.blocks import Arm
from benchsuite.gate.judging import MIN_BLOCKS, TAILS, Judgement, Thresholds
from benchsuite.gate.loop import Outcome, Status
from benchsuite.gate.waivers import Waiver
from benchsuite.options.chosen import GateMetric, GateOptions
from benchsuite.terms.quantities import megabytes, milliseconds, signed, significant
from benchsuite.terms.said import counted, joined, said

_ARM_NAMES: Mapping[Arm, str] = {"A": "baseline", "B": "candidate"}
DECIDING = ("case", "latency", "throughput", "memory")


@dataclass(frozen=True)
class BaselineLevel:
    """What was typical of the baseline over all blocks: ns a call (or an image), and bytes."""

    timed_ns: float
    peak_bytes: float


def findings_of(
    status: Status,
    tests: Mapping[GateMetric, Thresholds],
    level: BaselineLevel | None,
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
        finding = _finding(status, judgement, tests[judgement.metric], level, options, waiver)
        if finding is not None:
            found.append(_vetoed(finding, outcome) if outcome.contaminated else finding)
    return tuple(found)


def _finding(
    status: Status,
    judgement: Judgement,
    thresholds: Thresholds,
    level: BaselineLevel | None,
    options: GateOptions,
    waiver: Waiver | None,
) -> Finding | None:
    finding = (
        _tail(status, judgement, thresholds)
        if judgement.metric in TAILS
        else _shift(status, judgement, thresholds, level)
    )
    if finding is None or waiver is None:
        return finding
    ceiling = f"{waiver.ceiling * 100:g}"
    sentences = [
        finding.sentence,
        said("Waived up to +{1} % until {2}: {3}", ceiling, waiver.expires, waiver.reason),
    ]
    if judgement.excluded is not None and judgement.excluded <= 1 + options.max_slowdown:
        sentences.append(said("It is not needed any more."))
    return replace(finding, sentence=joined(" ", sentences))


def _shift(status: Status, judgement: Judgement, thresholds: Thresholds, level: BaselineLevel | None) -> Finding:
    before = "" if level is None else _baseline(judgement, level)
    allowed = said("less than {1} % more", f"{thresholds.promise * 100:g}")
    sentence = _sentence(status, judgement, thresholds)
    fails = judgement.decision == "REGRESSED"
    return Finding(
        status.subject.case_id, judgement.metric, judgement.decision, before, _change(judgement), allowed, sentence,
        fails=fails,
    )  # fmt: skip


def _sentence(status: Status, judgement: Judgement, thresholds: Thresholds) -> str:
    promise, margin = f"{thresholds.promise * 100:g}", f"{thresholds.null_margin * 100:.3g}"
    estimate = _estimate(judgement)
    if judgement.decision == "PASS":
        assert judgement.excluded is not None
        proved = "Proved not {1} % worse: {2}; more than {3} % is excluded."
        return said(proved, promise, estimate, percent(judgement.excluded))
    if judgement.decision == "REGRESSED":
        return said("Proved more than {1} % worse: {2}.", margin, estimate)
    if judgement.decision == "IMPROVED":
        return said("Proved more than {1} % better: {2}.", margin, estimate)
    excluded = (
        said("the smallest slowdown excluded is {1} %", percent(judgement.excluded))
        if judgement.excluded is not None
        else said("no slowdown is excluded")
    )
    return said("Not decided: {1}; {2}; {3}.", estimate, excluded, _missing(judgement, status.stopped))


def _estimate(judgement: Judgement) -> str:
    """Say the one estimate that the verdict is about, and what it is."""
    blocks = counted(judgement.n, "1 block", "{1} blocks")
    if judgement.ratio is None:
        return said("no block was measured")
    if judgement.interval is None:
        return said("{1} % by the median of {2}, too few for an interval", percent(judgement.ratio), blocks)
    low, high = judgement.interval
    estimate = "{1} % by the median of {2}, 95 % interval {3} to {4} %"
    return said(estimate, percent(judgement.ratio), blocks, percent(low), percent(high))


def _missing(judgement: Judgement, stopped: str) -> str:
    """Say how many blocks would decide, and what stands in their way."""
    if judgement.more_blocks is None:
        why = stopped or said("measure on a quieter machine")
        return said("{1}: {2}", said("more blocks would not decide at this noise"), why)
    more = counted(judgement.more_blocks, "about 1 more block would decide", "about {1} more blocks would decide")
    if judgement.metric not in TAILS and judgement.n < MIN_BLOCKS:
        more = counted(judgement.more_blocks, "at least 1 more block is needed", "at least {1} more blocks are needed")
    return said("{1}: {2}", more, stopped or said("give more --gate-budget or fewer cases"))


def _tail(status: Status, judgement: Judgement, thresholds: Thresholds) -> Finding | None:
    if judgement.decision == "INCONCLUSIVE" and not judgement.suspicious:
        return None
    rates = tuple(f"{judgement.facts[f'exceeded_{arm}'] * 100:.1f}" for arm in ("a", "b"))
    base, rate = (said("{1} % of calls over it", share) for share in rates)
    sentence = {
        "PASS": said("Not {1} % longer by the signs of {2} blocks.", f"{thresholds.promise * 100:g}", judgement.n),
        "REGRESSED": said(
            "The candidate exceeds the baseline's {1} by more than {2} % more often than the baseline does, in {3} "
            "blocks.",
            judgement.metric, f"{thresholds.null_margin * 100:g}", judgement.n,
        ),
        "INCONCLUSIVE": said(
            "The candidate's tail looks longer, {1} % of its calls over the baseline's {2} and {3} % of the "
            "baseline's, which {4} blocks do not prove; {5}.",
            rates[1], judgement.metric, rates[0], judgement.n, _missing(judgement, status.stopped),
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
        "{2}. Find what disturbs the machine and run the gate again. By its own blocks: {3}",
        percent(ratio), finding.verdict, finding.sentence,
    )  # fmt: skip
    return replace(finding, verdict="INCONCLUSIVE", sentence=sentence, fails=False)


def failing_too(finding: Finding, doubts: Collection[Verdict]) -> Finding:
    """Let these verdicts fail where they are a case's or a deciding test's.

    What fails here fails everywhere: in the exit code, in the headline and in pytest.
    """
    # Kernels of another release, or mAP on other data, are remarks beside a case that was decided.
    doubtful = finding.metric in DECIDING and finding.verdict in doubts
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


def exit_code(findings: Sequence[Finding]) -> int:
    """Return 3 where a missing case fails, else 1 for regressed, 5 for not comparable, 4 for doubt, or 0."""
    failing = {finding.verdict for finding in findings if finding.fails}
    codes: Mapping[Verdict, int] = {
        "MISSING": 3, "REGRESSED": 1, "OVER_LIMIT": 1, "NOT_COMPARABLE": 5, "INCONCLUSIVE": 4,
    }  # fmt: skip
    return next((code for verdict, code in codes.items() if verdict in failing), 0)


def percent(ratio: float) -> str:
    """Return a ratio as a signed change in percent, without its sign of percent."""
    return signed((ratio - 1) * 100)


def _baseline(judgement: Judgement, level: BaselineLevel) -> str:
    if judgement.metric == "memory":
        return f"{megabytes(level.peak_bytes)} MB"
    if judgement.metric == "throughput":
        return f"{significant(1e9 / level.timed_ns)} img/s"
    return f"{milliseconds(level.timed_ns)} ms"


def _change(judgement: Judgement) -> str:
    """Return the candidate's change and not its own level: one of all its calls would be a second estimate."""
    if judgement.ratio is None:
        return said("no block was measured")
    change = f"{percent(judgement.ratio)} %"
    if judgement.interval is not None:
        change = said("{1} % ({2} to {3} %)", *map(percent, (judgement.ratio, *judgement.interval)))
    return said("{1} time an image", change) if judgement.metric == "throughput" else change
