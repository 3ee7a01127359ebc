"""What a gate decided on: each case's blocks in their order, and how the evidence grew with them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchsuite.gate import blocks
from benchsuite.gate.blocks import Block
from benchsuite.gate.card import GateCard
from benchsuite.gate.evidence import log_evidence
from benchsuite.gate.judging import MISS, Judgement, Thresholds
from benchsuite.gate.loop import Outcome
from benchsuite.gate.session import BLOCKS_FILE
from benchsuite.gate.suite import plan_tests
from benchsuite.report.detail import DetailTable
from benchsuite.terms.absence import DASH
from benchsuite.terms.quantities import signed, significant
from benchsuite.terms.said import said

_TEN = math.log(10)
# Larger evidence is written as a power of ten.
_WRITTEN_OUT = 6
_SHIFTS = ("latency", "throughput")


@dataclass(frozen=True)
class Evidence:
    """One test of a shift: a ratio a block that counts, and the evidence after each of them as powers of ten.

    `launched` says which arm was launched first in each block; the proofs are reached at `fire_at` and `pass_at`.
    """

    case_id: str
    metric: str
    ratios: tuple[float, ...]
    launched: tuple[str, ...]
    void: int
    worse: tuple[float, ...]
    within: tuple[float, ...]
    fire_at: float
    pass_at: float
    thresholds: Thresholds
    judgement: Judgement

    @property
    def name(self) -> str:
        return self.case_id if self.metric == "latency" else f"{self.case_id} {self.metric}"


@dataclass(frozen=True)
class GateEvidence:
    """Every test's evidence, the control's ratios, the table of what it came to, and what was odd about the blocks."""

    tests: tuple[Evidence, ...]
    control: tuple[float, ...]
    table: DetailTable
    notes: tuple[str, ...] = ()


def evidence_of(judgement: Judgement, case_id: str, taken: Sequence[Block], thresholds: Thresholds) -> Evidence:
    """Follow a test through its blocks, in the order in which they were taken."""
    counted = [block for block in taken if not block.void]
    ds = [block.d for block in counted]
    margin, promise = math.log1p(thresholds.null_margin), math.log1p(thresholds.promise)
    return Evidence(
        case_id=case_id,
        metric=judgement.metric,
        ratios=tuple(math.exp(d) for d in ds),
        launched=tuple(block.launched for block in counted),
        void=len(taken) - len(counted),
        worse=_path([d > margin for d in ds]),
        within=_path([d < promise for d in ds]),
        fire_at=thresholds.fire_at / _TEN,
        pass_at=math.log(1 / MISS) / _TEN,
        thresholds=thresholds,
        judgement=judgement,
    )


def read_evidence(folder: Path, card: GateCard) -> GateEvidence | None:
    """Return the evidence of a run's gate, or None where nothing was timed; raises RecordError."""
    outcome = card.outcome
    if outcome is None:
        return None
    taken, notes = blocks.read(folder / BLOCKS_FILE) if (folder / BLOCKS_FILE).exists() else ((), ())
    asked = card.thresholds or _planned(card, outcome)
    tests = tuple(
        evidence_of(
            judgement,
            status.subject.case_id,
            [block for block in taken if block.subject == status.subject],
            asked[f"{status.subject.case_id} {judgement.metric}"],
        )
        for status in outcome.statuses
        for judgement in status.judgements
        if judgement.metric in _SHIFTS and f"{status.subject.case_id} {judgement.metric}" in asked
    )
    control = tuple(math.exp(block.d) for block in taken if block.subject.control and not block.void)
    return GateEvidence(tests, control, _table(tests), notes)


def _planned(card: GateCard, outcome: Outcome) -> Mapping[str, Thresholds]:
    """Return what the tests of a gate asked whose card does not say it; ceilings of its waivers are not known."""
    case_ids = list(dict.fromkeys(status.subject.case_id for status in outcome.statuses))
    planned = plan_tests(case_ids, card.settings)
    return {f"{subject.case_id} {metric}": test for subject, tests in planned.items() for metric, test in tests.items()}


def _path(signs: Sequence[bool]) -> tuple[float, ...]:
    heads, path = 0, []
    for n, sign in enumerate(signs, 1):
        heads += sign
        path.append(log_evidence(n, heads) / _TEN)
    return tuple(path)


def _table(tests: Sequence[Evidence]) -> DetailTable:
    rows = []
    for test in tests:
        judgement = test.judgement
        change = DASH if judgement.ratio is None else f"{signed((judgement.ratio - 1) * 100)} %"
        bounds = judgement.interval
        spread = DASH if bounds is None else said("{1} to {2}", *(signed((bound - 1) * 100) for bound in bounds))
        excluded = DASH if judgement.excluded is None else f"{signed((judgement.excluded - 1) * 100)} %"
        worse, within = _evidence(test.worse), _evidence(test.within)
        rows.append(
            (test.name, str(len(test.ratios)), str(test.void), change, spread, excluded, worse, within,
             judgement.decision, _missing(judgement))
        )  # fmt: skip
    return DetailTable(
        "evidence",
        "Evidence",
        (
            "test",
            "blocks",
            "void",
            "change",
            "95 % interval, %",
            "slowdown excluded",
            "E worse",
            "E within",
            "by blocks",
            "blocks missing",
        ),
        tuple(rows),
        "E is how much likelier the blocks' signs are where the candidate is worse than the margin, or better than the "
        "promised slowdown, than at that very threshold; it may be looked at after every block. Excluded is the "
        "smallest slowdown that is proved not to be. The verdict above also holds what was counted, tails, waivers and "
        "the control.",
    )


def _missing(judgement: Judgement) -> str:
    if judgement.decision != "INCONCLUSIVE":
        return DASH
    return said("no number decides") if judgement.more_blocks is None else str(judgement.more_blocks)


def _evidence(path: Sequence[float]) -> str:
    if not path:
        return DASH
    return significant(10 ** path[-1]) if path[-1] < _WRITTEN_OUT else f"10^{path[-1]:.0f}"
