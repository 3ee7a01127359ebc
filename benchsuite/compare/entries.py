"""What is accepted of one case when a run is promoted, rounded as it stands in a baseline's file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from benchsuite.measure.measurement import Complexity
from benchsuite.runs.records import ArtifactFacts, Outcome, Record
from benchsuite.terms.absence import NOT_SELECTED, Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.quantities import NS_PER_MS

SESSIONS_KEPT = 20


@dataclass(frozen=True)
class Timing:
    """Median latency of one promoted session; `setup` is equal where artifact, runtime and thread policy were."""

    run: str
    fingerprint: str
    setup: str
    effort: str
    total_p50_ms: float


@dataclass(frozen=True)
class AcceptedAccuracy:
    """Mean average precision, and what it was evaluated on."""

    map50: float
    map50_95: float
    images: int
    data_sha256: str
    settings: Mapping[str, float]


@dataclass(frozen=True)
class AcceptedParity:
    """Agreement of the detections with the reference, and what it was evaluated on."""

    agreement: float
    images: int
    reference: str


@dataclass(frozen=True)
class Entry:
    """What was accepted of one case."""

    case: Case
    outcome: Outcome
    run: str
    runtime: str
    policy: Mapping[str, str]
    artifact: ArtifactFacts | Absent
    complexity: Complexity | Absent
    kernels: Mapping[str, int] | Absent
    accuracy: AcceptedAccuracy | Absent
    parity: AcceptedParity | Absent
    timing: tuple[Timing, ...]

    @property
    def key(self) -> str:
        """Return what an entry is filed under: the case's id with head and threads."""
        return f"{self.case.id} {self.case.head} t{self.case.threads}"


def entry_of(record: Record, run: str) -> Entry:
    """Return what promoting a record would accept, rounded as it stands in the file."""
    metrics, ran = record.metrics, record.validity.ran
    runtime = "none" if isinstance(ran, Absent) else ran.runtime
    timing: tuple[Timing, ...] = ()
    if not isinstance(metrics.latency, Absent):
        p50_ms = round(metrics.latency.total_ns.p50 / NS_PER_MS, 4)
        timing = (Timing(run, record.environment, _setup(record, runtime), record.effort, p50_ms),)
    return Entry(
        case=record.case,
        outcome=record.outcome,
        run=run,
        runtime=runtime,
        policy=dict(record.validity.policy),
        artifact=record.artifact,
        complexity=_complexity(metrics.complexity),
        kernels=ran if isinstance(ran, Absent) else dict(ran.kernels),
        accuracy=metrics.accuracy
        if isinstance(metrics.accuracy, Absent)
        else AcceptedAccuracy(
            map50=round(metrics.accuracy.map50, 5),
            map50_95=round(metrics.accuracy.map50_95, 5),
            images=metrics.accuracy.images,
            data_sha256=metrics.accuracy.data_sha256,
            settings=dict(metrics.accuracy.settings),
        ),
        parity=metrics.parity
        if isinstance(metrics.parity, Absent)
        else AcceptedParity(round(metrics.parity.agreement, 5), metrics.parity.images, metrics.parity.reference),
        timing=timing,
    )


def merge(before: Entry | None, entry: Entry) -> Entry:
    """Add a session to what was accepted: its deterministic figures replace, its timing is appended."""
    if before is None:
        return entry
    others = tuple(timing for timing in before.timing if timing.run != entry.run)
    return replace(
        entry,
        complexity=_unless_not_selected(entry.complexity, before.complexity),
        kernels=_unless_not_selected(entry.kernels, before.kernels),
        accuracy=_unless_not_selected(entry.accuracy, before.accuracy),
        parity=_unless_not_selected(entry.parity, before.parity),
        timing=(*others, *entry.timing)[-SESSIONS_KEPT:],
    )


def _unless_not_selected(new: Any, old: Any) -> Any:
    return old if new == NOT_SELECTED else new


def _setup(record: Record, runtime: str) -> str:
    """Return 8 hex digits that change with artifact, runtime and thread policy.

    A change that was accepted starts a new series of timings: otherwise its step would pass for noise.
    """
    recipe = "" if isinstance(record.artifact, Absent) else record.artifact.recipe_digest
    text = json.dumps([recipe, runtime, record.validity.policy], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _complexity(complexity: Complexity | Absent) -> Complexity | Absent:
    return complexity if isinstance(complexity, Absent) else replace(complexity, gflops=round(complexity.gflops, 4))
