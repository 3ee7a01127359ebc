"""Figures that do not scatter, compared one by one by explicit tolerances: size, complexity, kernels, accuracy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from benchsuite.compare.entries import AcceptedAccuracy, AcceptedParity, Entry
from benchsuite.compare.findings import Finding, Verdict
from benchsuite.compare.tolerances import Tolerance
from benchsuite.terms.absence import NOT_SELECTED, Absent
from benchsuite.terms.quantities import megabytes, signed

# Percentages of nearly equal floats carry rounding of this order.
_EPSILON = 1e-9
T = TypeVar("T")


def judge(
    old: Entry, new: Entry, tolerances: Mapping[str, Tolerance], same_processors: bool = True
) -> tuple[Finding, ...]:
    """Compare every metric that the old entry has and the new one was asked for.

    Kernel counts are compared only between the same processors and releases of the runtime, which pick the kernels.
    """
    return tuple(_Judge(old, new, tolerances).all(same_processors))


class _Judge:
    """The two entries and the tolerances that every comparison of a metric needs."""

    def __init__(self, old: Entry, new: Entry, tolerances: Mapping[str, Tolerance]) -> None:
        self._old = old
        self._new = new
        self._tolerances = tolerances

    def all(self, same_processors: bool) -> Iterator[Finding]:
        old, new = self._old, self._new
        yield from self._growth("artifact_bytes", old.artifact, new.artifact, lambda facts: facts.bytes, _size)
        yield from self._growth("params", old.complexity, new.complexity, lambda size: size.params, "{:,}".format)
        yield from self._growth("gflops", old.complexity, new.complexity, lambda size: size.gflops, "{:.4g}".format)
        yield from self._kernels(same_processors)
        why_not = _other_evaluation(old.accuracy, new.accuracy)
        yield from self._fall("map50_95", old.accuracy, new.accuracy, lambda accuracy: accuracy.map50_95, why_not)
        yield from self._fall("map50", old.accuracy, new.accuracy, lambda accuracy: accuracy.map50, why_not)
        why_not = _other_reference(old.parity, new.parity)
        yield from self._fall("parity", old.parity, new.parity, lambda parity: parity.agreement, why_not)

    def _growth(
        self, metric: str, old: T | Absent, new: T | Absent, read: Callable[[T], float], show: Callable[[float], str]
    ) -> Iterator[Finding]:
        """Judge a figure of which more is worse, by its change in percent."""
        if isinstance(old, Absent):
            return
        if isinstance(new, Absent):
            yield from self._absent(metric, show(read(old)), new)
            return
        before, now = read(old), read(new)
        change = (now - before) / before * 100 if before else 0.0
        shown = f"{show(now)} ({signed(change, 2)} %)"
        yield self._verdict(metric, show(before), shown, change, "at most {} % more")

    def _fall(
        self, metric: str, old: T | Absent, new: T | Absent, read: Callable[[T], float], why_not: str
    ) -> Iterator[Finding]:
        """Judge a fraction of which less is worse, by its change in points."""
        if isinstance(old, Absent):
            return
        if isinstance(new, Absent):
            yield from self._absent(metric, _fraction(read(old)), new)
            return
        before, now = _fraction(read(old)), _fraction(read(new))
        if why_not:
            yield self._finding(metric, "NOT_COMPARABLE", before, now, "", why_not)
            return
        change = (read(new) - read(old)) * 100
        yield self._verdict(metric, before, f"{now} ({signed(change, 2)} points)", -change, "at most {} point{s} less")

    def _kernels(self, same_processors: bool) -> Iterator[Finding]:
        old, new = self._old.kernels, self._new.kernels
        if isinstance(old, Absent):
            return
        if isinstance(new, Absent):
            yield from self._absent("kernels", _counts(old, old), new)
            return
        kinds = {kind: None for kind in sorted({**old, **new}) if old.get(kind, 0) != new.get(kind, 0)} or old
        runtimes = self._old.runtime, self._new.runtime
        if not same_processors or runtimes[0] != runtimes[1]:
            why_not = "Another processor may pick other kernels for the same network."
            if same_processors:
                why_not = f"Run by {runtimes[0]} then and by {runtimes[1]} now, which may pick other kernels."
            yield self._finding("kernels", "NOT_COMPARABLE", _counts(old, old), _counts(new, new), "", why_not)
            return
        change = max((abs(new.get(kind, 0) - old.get(kind, 0)) for kind in kinds), default=0)
        # There is no better or worse: a changed kernel is a change to look at, so none is an improvement.
        yield self._verdict("kernels", _counts(old, kinds), _counts(new, kinds), change, "{} more or fewer of a kind")

    def _verdict(self, metric: str, before: str, now: str, worse_by: float, allowed: str) -> Finding:
        tolerance = self._tolerances[metric]
        verdict: Verdict = "PASS"
        if worse_by > tolerance.allowed + _EPSILON:
            verdict = "REGRESSED"
        elif worse_by < -tolerance.allowed - _EPSILON:
            verdict = "IMPROVED"
        text = allowed.format(f"{tolerance.allowed:g}", s="" if tolerance.allowed == 1 else "s")
        return self._finding(metric, verdict, before, now, text, tolerance.reason, fails=verdict == "REGRESSED")

    def _absent(self, metric: str, before: str, new: Absent) -> Iterator[Finding]:
        """A metric that nobody asked for is no finding; one that was asked for and is not there fails."""
        if new != NOT_SELECTED:
            yield self._finding(metric, "MISSING", before, "absent", "it must be there", new.reason, fails=True)

    def _finding(
        self, metric: str, verdict: Verdict, before: str, now: str, allowed: str, sentence: str, fails: bool = False
    ) -> Finding:
        return Finding(self._new.case.id, metric, verdict, before, now, allowed, sentence, fails)


def _size(size_bytes: float) -> str:
    return f"{megabytes(size_bytes)} MB"


def _fraction(fraction: float) -> str:
    return f"{fraction:.4f}"


def _counts(kernels: Mapping[str, int], kinds: Mapping[str, object]) -> str:
    return ", ".join(f"{kind} {kernels.get(kind, 0)}" for kind in sorted(kinds)) or "none"


def _other_evaluation(old: AcceptedAccuracy | Absent, new: AcceptedAccuracy | Absent) -> str:
    """Say why two accuracies must not be compared, or nothing."""
    if isinstance(old, Absent) or isinstance(new, Absent):
        return ""
    if old.data_sha256 != new.data_sha256:
        return f"Evaluated on other data: {old.data_sha256[:12]} then, {new.data_sha256[:12]} now."
    if old.images != new.images:
        return f"Evaluated on {old.images} images then, on {new.images} now."
    if old.settings != new.settings:
        return f"Evaluated with other settings: {_settings(old.settings)} then, {_settings(new.settings)} now."
    return ""


def _other_reference(old: AcceptedParity | Absent, new: AcceptedParity | Absent) -> str:
    if isinstance(old, Absent) or isinstance(new, Absent):
        return ""
    if old.images != new.images or old.reference != new.reference:
        return f"Compared with {old.reference} on {old.images} images then, with {new.reference} on {new.images} now."
    return ""


def _settings(settings: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in sorted(settings.items()))
