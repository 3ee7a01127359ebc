"""Blocks of real workers."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from benchsuite.gate.blocks import Arm, Block, Stream
from benchsuite.gate.conditions import between, snapshot
from benchsuite.gate.loop import launch_order, reading_order
from benchsuite.gate.pair import Pair
from benchsuite.machine.nvml import Gpu
from benchsuite.measure.readings import LatencyWorker, Plan, SaturatedWorkers, Side


class LiveSource:
    """Launches both arms of a subject for every block, and ends them after it."""

    def __init__(self, sides: Mapping[Stream, Mapping[Arm, Side]], gpus: Sequence[Gpu] = ()) -> None:
        self._sides = sides
        self._gpus = {f"cuda:{number}": gpu.uuid for number, gpu in enumerate(gpus)}
        self._plans: dict[tuple[str, str], Plan] = {}

    @property
    def plans(self) -> Mapping[str, Plan]:
        """Return how each subject's blocks are measured."""
        return {f"{case_id} {metric}": plan for (case_id, metric), plan in self._plans.items()}

    def take(self, subject: Stream, sweep: int, coins: random.Random) -> Block:
        """Take one block; the first of a subject also chooses how its blocks are measured."""
        sides = self._sides[subject]
        gpu = self._gpus.get(sides["A"].case.device)
        workers = LatencyWorker if subject.metric == "latency" else SaturatedWorkers
        key = (subject.case_id, subject.metric)
        launched = launch_order(coins)
        if key not in self._plans:
            # In a launch of its own: timing one arm first would warm it up.
            with Pair({"A": sides["A"]}, "A", workers) as alone:
                self._plans[key] = alone.plan()
        plan = self._plans[key]
        with Pair(sides, launched, workers) as pair:
            order = reading_order(coins, plan.quads)
            before = snapshot(gpu, pair.pids)
            taken = pair.take(order, plan)
            conditions, void = between(before, snapshot(gpu, pair.pids), taken.involuntary_switches)
        return Block(
            subject=subject,
            sweep=sweep,
            order=order,
            launched=launched,
            readings=taken.readings,
            peak_bytes=taken.peak_bytes,
            conditions=conditions,
            void=void,
            launch_ns=taken.launch_ns,
            block_ns=taken.block_ns,
            calls_ns=taken.calls_ns,
        )
