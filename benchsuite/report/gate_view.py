"""What a report says of a gate, and of the self-tests that were made on the same machine."""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchsuite.compare.findings import Finding
from benchsuite.gate.card import read_card
from benchsuite.gate.evidence import interval
from benchsuite.gate.loop import Outcome
from benchsuite.gate.selftest import SETUP_FILE, read_setup, read_suites
from benchsuite.options.chosen import GATE_METRICS
from benchsuite.options.settings import SETTINGS, parse
from benchsuite.report.gate_evidence import GateEvidence, read_evidence
from benchsuite.report.selftest import rate_lines
from benchsuite.terms.errors import BenchsuiteError
from benchsuite.terms.quantities import signed
from benchsuite.terms.said import joined, said

_DECIDED_BY_BLOCKS = (*GATE_METRICS, "case")
_SELFTEST_FOLDER = "selftest"
_GATE_OPTIONS = {setting.name for setting in SETTINGS if setting.into.startswith("gate.")}


@dataclass(frozen=True)
class SelfTestView:
    """One self-test: the cases it ran and its rates, as lines."""

    cases: tuple[str, ...]
    lines: tuple[str, ...]


@dataclass(frozen=True)
class GateView:
    """What was compared with what, how it went, and a finding for each test."""

    against: str
    facts: tuple[str, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    evidence: GateEvidence | None = None


def gate_view(folder: Path, findings: Sequence[Finding]) -> GateView | None:
    """Return the gate of a run's folder, or None where the run was not gated; raises RecordError."""
    card = read_card(folder)
    if card is None:
        return None
    changed = joined("; ", card.changed) or said("nothing that is recorded of machine and versions")
    evidence = read_evidence(folder, card)
    return GateView(
        against=card.against,
        facts=(said("Changed from the baseline to the candidate: {1}.", changed), *_facts(card.outcome)),
        findings=tuple(finding for finding in findings if finding.metric in _DECIDED_BY_BLOCKS),
        notes=(*card.notes, *(evidence.notes if evidence else ())),
        evidence=evidence,
    )


def selftests(
    root: Path, fingerprint: str, case_ids: Collection[str]
) -> tuple[tuple[SelfTestView, ...], tuple[str, ...]]:
    """Return the rates of every self-test of one of these cases on this hardware, and a sentence for each damaged one.

    What a self-test found of other cases says little of these: it is their noise that was met.
    """
    views: list[SelfTestView] = []
    damage: list[str] = []
    for path in sorted((root / _SELFTEST_FOLDER).glob(f"*/{SETUP_FILE}")):
        try:
            setup = read_setup(path.parent)
            # What was set for another machine, or for data that has moved since, may be refused here.
            gate = parse({name: text for name, text in setup.options.items() if name in _GATE_OPTIONS}).gate
            suites, notes = read_suites(path.parent)
        except BenchsuiteError as error:
            damage.append(said("the self-test in {1} is passed over: {2}", path.parent, error))
            continue
        if setup.fingerprint == fingerprint and suites and set(setup.cases) & set(case_ids):
            views.append(SelfTestView(setup.cases, (*rate_lines(suites, gate)[0], *notes)))
    return tuple(views), tuple(damage)


def _facts(outcome: Outcome | None) -> tuple[str, ...]:
    if outcome is None:
        return ()
    rounds = "{1} rounds in {2} s; every block was measured by workers launched for it."
    facts = [said(rounds, outcome.sweeps, f"{outcome.elapsed_s:.0f}")]
    if outcome.control_ds:
        low, high = (math.exp(bound) for bound in interval(outcome.control_ds, 0.05))
        middle = math.exp(statistics.median(outcome.control_ds))
        differed = "The control, the same artifact in both arms, differed from itself by {1} %."
        if math.isfinite(high):
            differed = "The control, the same artifact in both arms, differed from itself by {1} % ({2} to {3} %)."
        facts.append(said(differed, *map(_change, (middle, low, high))))
    return tuple(facts)


def _change(ratio: float) -> str:
    return signed((ratio - 1) * 100)
