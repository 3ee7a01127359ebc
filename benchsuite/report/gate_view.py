"""What a report says of a gate, and of the self-tests that were made on the same machine."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchsuite.compare.findings import Finding
from benchsuite.gate.evidence import interval
from benchsuite.gate.selftest import read_suites
from benchsuite.gate.session import GATE_FILE
from benchsuite.options.chosen import GATE_METRICS
from benchsuite.options.settings import parse
from benchsuite.report.gate_evidence import GateEvidence, read_evidence
from benchsuite.report.selftest import rate_lines
from benchsuite.terms.errors import RecordError
from benchsuite.terms.quantities import signed

_DECIDED_BY_BLOCKS = (*GATE_METRICS, "case")
_SELFTEST_FOLDER = "selftest"


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
    path = folder / GATE_FILE
    if not path.exists():
        return None
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        outcome = data["outcome"]
        facts = _facts(outcome["sweeps"], outcome["elapsed_s"], outcome["control_ds"]) if outcome else ()
        changed = "; ".join(data["changed"]) or "nothing that is recorded of machine and versions"
        facts = (f"Changed from the baseline to the candidate: {changed}.", *facts)
        against, notes = str(data["against"]), tuple(data["notes"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecordError(f"cannot read {path}: {error}") from None
    return GateView(
        against=against,
        facts=facts,
        findings=tuple(finding for finding in findings if finding.metric in _DECIDED_BY_BLOCKS),
        notes=notes,
        evidence=read_evidence(folder),
    )


def selftests(root: Path, fingerprint: str) -> tuple[SelfTestView, ...]:
    """Return the rates of every self-test that was made on this hardware."""
    views = []
    for path in sorted((root / _SELFTEST_FOLDER).glob("*/setup.json")):
        try:
            setup = json.loads(path.read_text(encoding="utf-8"))
            same, cases, options = setup["fingerprint"] == fingerprint, tuple(setup["cases"]), parse(setup["options"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RecordError(f"cannot read {path}: {error}") from None
        suites = read_suites(path.parent)
        if same and suites:
            views.append(SelfTestView(cases, tuple(rate_lines(suites, options.gate)[0])))
    return tuple(views)


def _facts(sweeps: int, elapsed_s: float, control_ds: Sequence[float]) -> tuple[str, ...]:
    facts = [f"{sweeps} sweeps in {elapsed_s:.0f} s; every block was measured by workers launched for it."]
    if control_ds:
        low, high = (math.exp(bound) for bound in interval(control_ds, 0.05))
        middle = math.exp(statistics.median(control_ds))
        spread = f" ({_change(low)} to {_change(high)} %)" if math.isfinite(high) else ""
        facts.append(
            f"The control, the same artifact in both arms, differed from itself by {_change(middle)} %{spread}."
        )
    return tuple(facts)


def _change(ratio: float) -> str:
    return signed((ratio - 1) * 100)
