"""Figures that do not scatter, compared one by one by explicit tolerances: size, complexity, kernels, accuracy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from benchsuite.compare.entries import AcceptedAccuracy, AcceptedParity, Entry
from benchsuite.compare.findings import Finding, Verdict
from benchsuite.compare.inputs import another_build, another_network, artifact_differences, same_artifact
from benchsuite.detect.accuracy import Accuracy
from benchsuite.runs import figures
from benchsuite.runs.figures import Figure, Tolerance
from benchsuite.terms.absence import NOT_SELECTED, Absent
from benchsuite.terms.quantities import signed
from benchsuite.terms.said import Sentence, joined, said

# Percentages of nearly equal floats carry rounding of this order.
_EPSILON = 1e-9


def judge(
    old: Entry, new: Entry, tolerances: Mapping[str, Tolerance], same_processors: bool = True
) -> tuple[Finding, ...]:
    """Compare every figure that the old entry has and the new one was asked for.

    Kernel counts are compared only between the same networks, processors and releases of the runtime.
    """
    found = []
    for figure in figures.FIGURES:
        if figure.tolerance is None:
            continue
        tolerance = tolerances[figure.key]
        if figure.key == "kernels":
            found.append(_kernels(old, new, tolerance, same_processors))
        else:
            found.append(_number(figure, old, new, tolerance))
    return tuple(finding for finding in found if finding is not None)


def _number(figure: Figure, old: Entry, new: Entry, tolerance: Tolerance) -> Finding | None:
    """Judge a figure by its change in percent, a fraction by its change in points."""
    case_id, say = new.case.id, figure.unit.say
    before, now = old.accepted(figure), new.accepted(figure)
    if isinstance(before, Absent):
        return None
    if isinstance(now, Absent):
        return _absent(case_id, figure.key, say(before), now)
    why_not = _why_not(figure, old, new)
    if why_not:
        return Finding(case_id, figure.key, "NOT_COMPARABLE", say(before), say(now), "", why_not)
    there, here = figure.unit.say_both(before, now)
    if tolerance.unit == "percent":
        change = _percent(before, now)
        current = said("{1} ({2} %)", here, signed(change, 2)) if math.isfinite(change) else here
        most = said("{1} %", f"{tolerance.allowed:g}")
    else:
        change = (now - before) * 100
        current = said("{1} ({2} points)", here, signed(change, 2))
        most = said("1 point") if tolerance.allowed == 1 else said("{1} points", f"{tolerance.allowed:g}")
    worse_by = change if figure.better == "less" else -change
    allowed = said("at most {1} more" if figure.better == "less" else "at most {1} less", most)
    return _judged(case_id, figure.key, tolerance, there, current, worse_by, allowed)


def _percent(before: float, now: float) -> float:
    if before:
        return (now - before) / before * 100
    return math.copysign(math.inf, now) if now else 0.0


def _kernels(old: Entry, new: Entry, tolerance: Tolerance, same_processors: bool) -> Finding | None:
    """Judge the kernels of each kind by their numbers."""
    case_id, before, now = new.case.id, old.kernels, new.kernels
    if isinstance(before, Absent):
        return None
    if isinstance(now, Absent):
        return _absent(case_id, "kernels", _counts(before, before), now)
    why_not = _why_other_kernels(old, new, same_processors)
    if why_not:
        shown = _counts(before, before), _counts(now, now)
        return Finding(case_id, "kernels", "NOT_COMPARABLE", *shown, "", why_not)
    if not same_artifact(old.artifact, new.artifact):
        # What its reason says holds for one artifact.
        made = artifact_differences(old, new)
        reason = said("The artifact is not the same: {1}.", joined("; ", made))
        tolerance = replace(tolerance, reason=reason if made else said("Which artifact ran is not recorded."))
    changes = {kind: abs(now.get(kind, 0) - before.get(kind, 0)) for kind in {**before, **now}}
    kinds = {kind: None for kind, change in changes.items() if change} or before
    # There is no better or worse: a changed kernel is a change to look at, so none is an improvement.
    return _judged(
        case_id, "kernels", tolerance, _counts(before, kinds), _counts(now, kinds), max(changes.values(), default=0),
        said("{1} more or fewer of a kind", f"{tolerance.allowed:g}"),
    )  # fmt: skip


def _judged(
    case_id: str, metric: str, tolerance: Tolerance, before: str, now: str, worse_by: float, allowed: str
) -> Finding:
    verdict: Verdict = "PASS"
    if worse_by > tolerance.allowed + _EPSILON:
        verdict = "REGRESSED"
    elif worse_by < -tolerance.allowed - _EPSILON:
        verdict = "IMPROVED"
    return Finding(case_id, metric, verdict, before, now, allowed, tolerance.reason, fails=verdict == "REGRESSED")


def _absent(case_id: str, metric: str, before: str, now: Absent) -> Finding | None:
    """A figure that nobody asked for is no finding; one that was asked for and is not there fails."""
    if now == NOT_SELECTED:
        return None
    return Finding(case_id, metric, "MISSING", before, "absent", "it must be there", now.reason, fails=True)


def _counts(kernels: Mapping[str, int], kinds: Mapping[str, object]) -> str:
    return ", ".join(f"{kind} {kernels.get(kind, 0)}" for kind in sorted(kinds)) or "none"


def _why_other_kernels(old: Entry, new: Entry, same_processors: bool) -> str:
    """Say why two entries may have other kernels though nothing was lost, or nothing."""
    networks = another_network(old, new)
    if networks:
        return said("Another network has other kernels: {1}.", joined("; ", networks))
    builds = another_build(old, new)
    if builds:
        return said("Built in another way, which may pick other kernels: {1}.", joined("; ", builds))
    if not same_processors:
        return said("Another processor may pick other kernels for the same network.")
    if old.runtime != new.runtime:
        return said("Run by {1} then and by {2} now, which may pick other kernels.", old.runtime, new.runtime)
    return ""


def _why_not(figure: Figure, old: Entry, new: Entry) -> str:
    """Say why a figure of two entries must not be compared, or nothing."""
    if figure.metric == "accuracy":
        return other_evaluation(old.accuracy, new.accuracy)
    return _other_reference(old.parity, new.parity) if figure.metric == "parity" else ""


def other_evaluation(old: Accuracy | AcceptedAccuracy | Absent, new: Accuracy | AcceptedAccuracy | Absent) -> Sentence:
    """Say why two accuracies must not be compared, or nothing."""
    if isinstance(old, Absent) or isinstance(new, Absent):
        return ""
    if old.data_sha256 != new.data_sha256:
        return said("Evaluated on other data: {1} then, {2} now.", old.data_sha256[:12], new.data_sha256[:12])
    if old.images != new.images:
        return said("Evaluated on {1} images then, on {2} now.", old.images, new.images)
    if old.settings != new.settings:
        return said(
            "Evaluated with other settings: {1} then, {2} now.", _settings(old.settings), _settings(new.settings)
        )
    return ""


def _other_reference(old: AcceptedParity | Absent, new: AcceptedParity | Absent) -> str:
    if isinstance(old, Absent) or isinstance(new, Absent):
        return ""
    if old.images != new.images or old.reference != new.reference:
        compared = "Compared with {1} on {2} images then, with {3} on {4} now."
        return said(compared, old.reference, old.images, new.reference, new.images)
    return ""


def _settings(settings: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in sorted(settings.items()))
