"""What a gate leaves beside its blocks: what was compared with what, under which terms, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchsuite.gate.judging import Thresholds
from benchsuite.gate.loop import Outcome
from benchsuite.machine.facts import Machine
from benchsuite.machine.json_files import read_json, write_json
from benchsuite.measure.readings import Plan
from benchsuite.options.chosen import GateOptions
from benchsuite.terms.absence import Absent
from benchsuite.terms.said import Sentence

GATE_FILE = "gate.json"
SCHEMA = 1
NOTHING_TIMED = Absent("nothing was timed")


@dataclass(frozen=True, kw_only=True)
class GateCard:
    """One gate; `outcome` is None where no case could be timed.

    `changed` says how the candidate's environment differs from the baseline's. `plans` says by case id and metric how
    its blocks were measured, `thresholds` what its test asked, waivers counted in; `harness_share` is the share of
    the blocks' time that went between calls.
    """

    schema: int = SCHEMA
    against: str
    changed: tuple[str, ...]
    baseline_machine: Machine
    settings: GateOptions
    waivers: tuple[str, ...]
    seed: int
    thresholds: Mapping[str, Thresholds] = field(default_factory=dict)
    plans: Mapping[str, Plan] = field(default_factory=dict)
    harness_share: float | Absent = NOTHING_TIMED
    blocks: int = 0
    exit_code: int
    notes: tuple[Sentence, ...]
    outcome: Outcome | None


def write_card(folder: Path, card: GateCard) -> None:
    """Keep a gate's card in its run's folder."""
    write_json(folder / GATE_FILE, card)


def read_card(folder: Path) -> GateCard | None:
    """Return the card of a run's gate, or None where the run was not gated; raises RecordError."""
    path = folder / GATE_FILE
    if not path.exists():
        return None
    return read_json(path, GateCard, "remove that file to show the run without its gate", SCHEMA)
