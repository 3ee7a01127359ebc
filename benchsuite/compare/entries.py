"""What is accepted of one case when a run is promoted, rounded as it stands in a baseline's file."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, TypeVar

from benchsuite.backends import BACKENDS
from benchsuite.machine.facts import Machine
from benchsuite.measure.measurement import Complexity
from benchsuite.options.needs import scheme_in_id
from benchsuite.runs import figures
from benchsuite.runs.figures import Figure
from benchsuite.runs.records import ArtifactFacts, Outcome, Record
from benchsuite.terms.absence import Absent, part_of
from benchsuite.terms.cases import Case
from benchsuite.terms.numbers import Count, Fraction, Within
from benchsuite.terms.quantities import NS_PER_MS

SESSIONS_KEPT = 20
# Sessions are judged by the logarithms of their medians, which are kept to four decimals.
_LEAST_MS = 1e-4
_NAMED_BY_ITS_START = re.compile(r"[0-9]{8}-[0-9]{6}(-[0-9]+)?")
T = TypeVar("T")


@dataclass(frozen=True)
class Timing:
    """Median latency of one promoted session; `setup` is equal where artifact, runtime and thread policy were."""

    run: str
    fingerprint: str
    setup: str
    effort: str
    total_p50_ms: Annotated[float, Within(_LEAST_MS, 1e9)]

    def is_that_of(self, other: Timing) -> bool:
        """Say whether both are of one run: the same folder's, or the same figures where folders may share a name."""
        if _NAMED_BY_ITS_START.fullmatch(self.run):
            return (self.run, self.fingerprint) == (other.run, other.fingerprint)
        return self == other


@dataclass(frozen=True)
class AcceptedAccuracy:
    """Mean average precision, and what it was evaluated on."""

    map50: Fraction
    map50_95: Fraction
    images: Count
    data_sha256: str
    settings: Mapping[str, float]


@dataclass(frozen=True)
class AcceptedParity:
    """Agreement of the detections with the reference, and what it was evaluated on."""

    agreement: Fraction
    images: Count
    reference: str


@dataclass(frozen=True)
class Entry:
    """What was accepted of one case; `figures` are those that have no place of their own, by key.

    `machine` is what its kernels were counted on, where that is not the machine of its file.
    """

    case: Case
    outcome: Outcome
    run: str
    runtime: str
    policy: Mapping[str, str]
    artifact: ArtifactFacts | Absent
    complexity: Complexity | Absent
    kernels: Mapping[str, Count] | Absent
    accuracy: AcceptedAccuracy | Absent
    parity: AcceptedParity | Absent
    timing: tuple[Timing, ...]
    figures: Mapping[str, float | Absent] = field(default_factory=dict)
    machine: Machine | None = None

    @property
    def key(self) -> str:
        """Return what an entry is filed under: the case's id with head and threads."""
        return entry_key(self.case)

    def accepted(self, figure: Figure) -> float | Absent:
        """Return a figure that does not scatter."""
        if figure.key in _PLACES:
            return _PLACES[figure.key](self)
        return self.figures.get(figure.key, Absent("the entry is older than the figure"))


def entry_key(case: Case) -> str:
    """Return what the entry of a case is filed under: another head or number of threads is another entry."""
    return f"{case.id} {case.head} t{case.threads}"


# Where an entry has had these from the start; those that came later stand in `figures`.
_PLACES: Mapping[str, Callable[[Entry], float | Absent]] = {
    "artifact_bytes": lambda entry: part_of(entry.artifact, lambda it: it.bytes),
    "params": lambda entry: part_of(entry.complexity, lambda it: it.params),
    "gflops": lambda entry: part_of(entry.complexity, lambda it: it.gflops),
    "kernels": lambda entry: part_of(entry.kernels, lambda it: sum(it.values())),
    "map50_95": lambda entry: part_of(entry.accuracy, lambda it: it.map50_95),
    "map50": lambda entry: part_of(entry.accuracy, lambda it: it.map50),
    "parity": lambda entry: part_of(entry.parity, lambda it: it.agreement),
}


def entry_of(record: Record, run: str) -> Entry:
    """Return what promoting a record would accept, rounded as it stands in the file."""
    metrics, ran = record.metrics, record.validity.ran
    runtime = "none" if isinstance(ran, Absent) else ran.runtime
    timing: tuple[Timing, ...] = ()
    if not isinstance(metrics.latency, Absent):
        p50_ms = max(round(metrics.latency.total_ns.p50 / NS_PER_MS, 4), _LEAST_MS)
        timing = (Timing(run, record.environment, _setup(record, runtime), record.effort, p50_ms),)
    return Entry(
        case=record.case,
        outcome=record.outcome,
        run=run,
        runtime=runtime,
        policy=dict(record.validity.policy),
        artifact=record.artifact,
        complexity=part_of(metrics.complexity, lambda it: replace(it, gflops=round(it.gflops, 4))),
        kernels=part_of(ran, lambda it: dict(it.kernels)),
        accuracy=part_of(
            metrics.accuracy,
            lambda it: AcceptedAccuracy(
                map50=round(it.map50, 5),
                map50_95=round(it.map50_95, 5),
                images=it.images,
                data_sha256=it.data_sha256,
                settings=dict(it.settings),
            ),
        ),
        parity=part_of(metrics.parity, lambda it: AcceptedParity(round(it.agreement, 5), it.images, it.reference)),
        timing=timing,
        figures={
            it.key: it.read(record) for it in figures.FIGURES if it.tolerance is not None and it.key not in _PLACES
        },
    )


def with_scheme(entry: Entry, machine: Machine) -> Entry:
    """Return an entry as that of the case which names its INT8 scheme, where a machine would take another by itself.

    Ids left it out before.
    """
    if entry.case.scheme or isinstance(entry.artifact, Absent) or entry.case.backend not in BACKENDS:
        return entry
    scheme = scheme_in_id(entry.case, machine, entry.artifact.recipe.scheme)
    return replace(entry, case=replace(entry.case, scheme=scheme))


def merge(before: Entry | None, entry: Entry) -> Entry:
    """Add a session to what was accepted: what it measured replaces, its timing is appended, and the rest stays.

    A case that was measured is not replaced by one that was only built. Kernels stay with the runtime and the machine
    that they were counted on, sessions with their policy.
    """
    if before is None:
        return entry
    if before.outcome == "measured" and entry.outcome == "built":
        return before
    others = tuple(timing for timing in before.timing if not any(map(timing.is_that_of, entry.timing)))
    counted_before = isinstance(entry.kernels, Absent) and not isinstance(before.kernels, Absent)
    return replace(
        entry,
        runtime=before.runtime if counted_before else entry.runtime,
        machine=before.machine if counted_before else entry.machine,
        policy=before.policy if before.timing and not entry.timing else entry.policy,
        artifact=_unless_absent(entry.artifact, before.artifact),
        complexity=_unless_absent(entry.complexity, before.complexity),
        kernels=_unless_absent(entry.kernels, before.kernels),
        accuracy=_unless_absent(entry.accuracy, before.accuracy),
        parity=_unless_absent(entry.parity, before.parity),
        figures={key: _unless_absent(value, before.figures.get(key, value)) for key, value in entry.figures.items()},
        timing=(*others, *entry.timing)[-SESSIONS_KEPT:],
    )


def _unless_absent(new: T | Absent, old: T | Absent) -> T | Absent:
    return old if isinstance(new, Absent) else new


def _setup(record: Record, runtime: str) -> str:
    """Return 8 hex digits that change with artifact, runtime and thread policy.

    A change that was accepted starts a new series of timings: otherwise its step would pass for noise.
    """
    recipe = "" if isinstance(record.artifact, Absent) else record.artifact.recipe_digest
    text = json.dumps([recipe, runtime, record.validity.policy], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]
