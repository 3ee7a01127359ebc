"""A median latency against those of earlier sessions, by the spread between sessions: a warning, never a failure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from benchsuite.compare.entries import Entry, Timing
from benchsuite.compare.findings import Finding, Verdict
from benchsuite.compare.inputs import same_artifact
from benchsuite.machine.facts import Machine, differences
from benchsuite.measure.measurement import Latency
from benchsuite.runs.records import Record
from benchsuite.terms.absence import NOT_SELECTED, Absent
from benchsuite.terms.quantities import signed, significant
from benchsuite.terms.said import joined, said

SESSIONS_NEEDED = 5
# One-sided: in a suite of a dozen cases that did not change, about one run in eight warns once.
CONFIDENCE = 0.99


def prediction_interval(values: Sequence[float], confidence: float) -> tuple[float, float]:
    """Return the two bounds beyond each of which one more value of the population falls with 1 − confidence.

    Mean ± t(confidence, n − 1) · s · √(1 + 1/n), for a normal population: Hahn and Meeker, Statistical Intervals
    (1991), chapter 4. Needs two values at least.
    """
    from scipy.stats import t

    n = len(values)
    mean = math.fsum(values) / n
    s = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    half = float(t.ppf(confidence, n - 1)) * s * math.sqrt(1 + 1 / n)
    return mean - half, mean + half


def judge_timing(entry: Entry, record: Record, accepted_on: Machine, machine: Machine) -> tuple[Finding, ...]:
    """Compare a record's median total latency with the promoted sessions of the same fingerprint and set-up."""
    latency = record.metrics.latency
    if not entry.timing or latency == NOT_SELECTED:
        return ()
    newest = entry.timing[-1]
    if isinstance(latency, Absent):
        was, must = _ms(newest.total_p50_ms), "it must be there"
        missing = Finding(record.case.id, "latency", "MISSING", was, "absent", must, latency.reason, fails=True)
        return (missing,)
    alike = [timing for timing in entry.timing if timing.fingerprint == machine.fingerprint]
    if not alike:
        changed = joined("; ", differences(accepted_on, machine)) or "what the fingerprint covers"
        return (_not_comparable(record, latency, newest, said("Timed on another machine: {1}.", changed)),)
    if dict(entry.policy) != record.validity.policy:
        policies = policy_text(entry.policy), policy_text(record.validity.policy)
        why = said("Timed under another policy: {1} then, {2} now.", *policies)
        return (_not_comparable(record, latency, newest, why),)
    series = [timing for timing in alike if timing.setup == alike[-1].setup]
    found = _against(record, latency, series)
    if not same_artifact(entry.artifact, record.artifact):
        return (replace(found, sentence=joined(" ", (said("The sessions ran another artifact."), found.sentence))),)
    return (found,)


def _against(record: Record, latency: Latency, series: Sequence[Timing]) -> Finding:
    case_id, p50_ms = record.case.id, latency.total_ns.p50 / 1e6
    medians = [timing.total_p50_ms for timing in series]
    centre = math.exp(math.fsum(map(math.log, medians)) / len(medians))
    now = f"{_ms(p50_ms)} ({signed((p50_ms / centre - 1) * 100)} %)"
    if len(series) < SESSIONS_NEEDED:
        more = SESSIONS_NEEDED - len(series)
        sentence = said(
            "{1} of the {2} sessions that a judgement of stored timing needs: promote {3} more of the same artifact "
            "and runtime.",
            len(series), SESSIONS_NEEDED, more,
        )  # fmt: skip
        return Finding(case_id, "latency", "INCONCLUSIVE", _ms(centre), now, "", sentence)
    low, high = map(math.exp, prediction_interval([math.log(median) for median in medians], CONFIDENCE))
    verdict: Verdict = "REGRESSED" if p50_ms > high else "IMPROVED" if p50_ms < low else "PASS"
    sentences = [said("From the spread of {1} sessions; stored timing only warns.", len(series))]
    efforts = sorted({timing.effort for timing in series} - {record.effort})
    if efforts:
        others = joined(", ", efforts)
        sentences.append(said("This run sampled with effort {1}, the sessions with {2}.", record.effort, others))
    allowed = said("{1} to {2}", significant(low), _ms(high))
    return Finding(case_id, "latency", verdict, _ms(centre), now, allowed, joined(" ", sentences))


def _not_comparable(record: Record, latency: Latency, newest: Timing, why: str) -> Finding:
    now = _ms(latency.total_ns.p50 / 1e6)
    return Finding(record.case.id, "latency", "NOT_COMPARABLE", _ms(newest.total_p50_ms), now, "", why)


def _ms(milliseconds: float) -> str:
    return f"{significant(milliseconds)} ms"


def policy_text(policy: Mapping[str, str]) -> str:
    """Return a thread policy on one line."""
    return ", ".join(f"{name} {value}" for name, value in sorted(policy.items()))
