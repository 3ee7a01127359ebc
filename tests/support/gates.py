"""Blocks of gates, and what a gate leaves in a run's folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchsuite.gate import blocks
from benchsuite.gate.blocks import Block, Stream
from benchsuite.gate.card import GateCard, write_card
from benchsuite.gate.judging import Thresholds, judge_shift
from benchsuite.gate.loop import Outcome, Status
from benchsuite.gate.session import BLOCKS_FILE
from benchsuite.options.settings import parse
from benchsuite.report.gate_evidence import GateEvidence
from benchsuite.report.gate_view import gate_view
from benchsuite.testing import make_case, make_machine

CASE_ID = make_case().id
THRESHOLDS = Thresholds(0.01, 0.05, 0.001)
# Of a waiver of 8 %.
WAIVED = Thresholds(1.08 / 1.05 * 1.01 - 1, 0.08, 0.001)
_OF_TWELVE = Thresholds(0.01, 0.05, 0.01 / 24)


def make_block(order: str = "ABBA", readings: tuple[tuple[int, ...], ...] = (), **fields: object) -> Block:
    """Build a block of one call a reading whose candidate takes 10 % longer."""
    calls = readings or tuple((1_100_000,) if arm == "B" else (1_000_000,) for arm in order)
    block = Block(Stream(CASE_ID), 1, order, "AB", calls, {"A": 200_000_000, "B": 220_000_000})
    return replace(block, **fields)


def block(ratio: float, void: str = "", control: bool = False, launched: str = "AB") -> Block:
    """Make a block whose candidate takes `ratio` times as long."""
    reading = {"A": (1_000_000,) * 3, "B": (round(1_000_000 * ratio),) * 3}
    order = "ABBA"
    readings = tuple(reading["A" if letter == "A" else "B"] for letter in order)
    return Block(Stream(CASE_ID, control=control), 1, order, launched, readings, void=void)


def judged(taken: list[Block]) -> object:
    return judge_shift("latency", [it.d for it in taken if not it.void], THRESHOLDS)


def write_gate(folder: Path) -> None:
    """Write what a gate leaves of twenty blocks that are slower and as many of its control."""
    taken = [block(1.10) for _ in range(20)]
    for it in (*taken, *(block(1.0, control=True) for _ in range(5))):
        blocks.append(folder / BLOCKS_FILE, it)
    status = Status(Stream(CASE_ID), 20, (judged(taken),), True)  # type: ignore[arg-type]
    write_card(folder, make_card(Outcome((status,), (0.0,) * 5, False, None, 20, 60.0)))


def write_waived_gate(folder: Path) -> None:
    """Write what a gate leaves of two cases, both 3 % slower, of which the second one is waived."""
    asked = {CASE_ID: THRESHOLDS, make_case(backend="openvino").id: WAIVED}
    taken = [block(1.03) for _ in range(20)]
    statuses = []
    for case_id, thresholds in asked.items():
        for it in taken:
            blocks.append(folder / BLOCKS_FILE, replace(it, subject=Stream(case_id)))
        judgement = judge_shift("latency", [it.d for it in taken], thresholds)
        statuses.append(Status(Stream(case_id), 20, (judgement,), True))
    card = make_card(Outcome(tuple(statuses), (), False, None, 20, 60.0))
    write_card(folder, replace(card, thresholds={f"{case_id} latency": it for case_id, it in asked.items()}))


def make_card(outcome: Outcome | None, notes: tuple[str, ...] = ()) -> GateCard:
    """Build the card of a gate of latency against a baseline."""
    gate = parse({"against": "baseline:x", "gate_metrics": "latency"}).gate
    return GateCard(
        against="baseline:x", changed=(), baseline_machine=make_machine(), settings=gate, waivers=(), seed=1,
        exit_code=0, notes=notes, outcome=outcome,
    )  # fmt: skip


def read_evidence(folder: Path) -> GateEvidence | None:
    """Return the evidence that the page of a gated run shows."""
    view = gate_view(folder, ())
    assert view is not None
    return view.evidence


def make_status(case_id: str, latency: list[float], memory: list[float]) -> Status:
    """Build a decided status from blocks of latency and memory."""
    judgements = (judge_shift("latency", latency, _OF_TWELVE), judge_shift("memory", memory, _OF_TWELVE))
    return Status(Stream(case_id), len(latency), judgements, True)
