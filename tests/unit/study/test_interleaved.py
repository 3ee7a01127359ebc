"""Ratios of times that were taken turn by turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from cattrs import BaseValidationError

from benchsuite.measure.launch import WorkerSetup
from benchsuite.measure.readings import Plan, Side
from benchsuite.measure.requests import Reading
from benchsuite.study import interleaved
from benchsuite.study.interleaved import Timed, Turns, against, take_turns
from benchsuite.terms.codec import faults, from_builtins
from benchsuite.terms.errors import ProcessError
from benchsuite.testing import make_artifact, make_case

KILLED: list[str] = []


@dataclass
class FakeWorker:
    """Stands for a worker process that can be told when to die; it answers at once with the times of its model."""

    side: Side
    readings: int = 0

    def __post_init__(self) -> None:
        if self.side.case.model == "unstartable":
            raise ProcessError("no process could be started")

    def open(self) -> None:
        if self.side.case.model == "unloadable":
            raise ProcessError("the worker did not load")

    def plan(self) -> Plan:
        return Plan(2, 1, 0.01)

    def read(self, calls: int, expected_s: float) -> Reading:
        self.readings += 1
        if self.side.case.model == "dying" and self.readings == 3:
            raise ProcessError("the worker died")
        ns = 1_000_000 if self.side.case.model == "fast" else 2_000_000
        return Reading((ns,) * calls, ns * calls, 0)

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def kill(self) -> None:
        KILLED.append(self.side.case.model)


def sides(*models: str) -> Mapping[str, Side]:
    """Return a side for each model, by its name."""
    bench = WorkerSetup(make_artifact(), (), Path(), Path())
    return {model: Side(make_case(model=model), bench) for model in models}


def test_who_fails_leaves_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that does not load or dies in a later round costs its own row; all others have every reading."""
    monkeypatch.setattr(interleaved, "LatencyWorker", FakeWorker)
    said: list[str] = []
    KILLED.clear()
    taken = take_turns(sides("dying", "unloadable", "fast", "slow", "unstartable"), Turns(3, 4), 0, said.append)
    assert {name: rows.shape for name, rows in taken.readings.items()} == {"fast": (3, 4), "slow": (3, 4)}
    assert taken.failures == {
        "dying": "the worker died",
        "unloadable": "the worker did not load",
        "unstartable": "no process could be started",
    }
    # At once: the end of a launch ends its workers from the last to the first.
    assert KILLED[:2] == ["unloadable", "dying"]
    assert against(taken.readings["slow"], taken.readings["fast"]).ratio == 0.5
    assert said == [
        "timing 5 ways turn by turn: launch 1 of 3",
        "timing 2 ways turn by turn: launch 2 of 3",
        "timing 2 ways turn by turn: launch 3 of 3",
    ]


def test_nothing_is_timed_where_all_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """With nothing left to time the launches end."""
    monkeypatch.setattr(interleaved, "LatencyWorker", FakeWorker)
    said: list[str] = []
    taken = take_turns(sides("unloadable"), Turns(3, 4), 0, said.append)
    assert (taken.readings, len(said)) == ({}, 1)


def test_ratio_is_of_the_same_round() -> None:
    """A machine that doubles its times in some rounds moves both and leaves the ratio alone."""
    rng = np.random.default_rng(1)
    speed = rng.choice([1.0, 2.0], size=(6, 12))
    reference = 20e6 * speed
    timed = against(reference, reference * 0.7)
    assert abs(timed.ratio - 0.7) < 1e-9
    # The ratio is the same in every round, so nothing is uncertain.
    assert timed.ratio_ci95 == (timed.ratio, timed.ratio)


def test_interval_covers_launches_that_differ() -> None:
    """Where launches differ more than rounds, the interval is as wide as they say."""
    rng = np.random.default_rng(2)
    launches = np.exp(rng.normal(0, 0.05, (6, 1)))
    reference = np.full((6, 12), 20e6)
    low, high = against(reference, reference * launches).ratio_ci95
    assert high - low > 0.04


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"ratio": 0.0}, "a number of at least"),
        ({"ratio_ci95": [0.0, 1.0]}, "a number of at least"),
        ({"p50_ns": -1.0}, "a number of at least"),
        ({"ratio_ci95": [0.9, 1.0, 1.1]}, "a list of 2 was expected"),
    ],
)
def test_times_that_cannot_be_are_no_times(changes: dict[str, object], told: str) -> None:
    """A speed-up is the ratio's inverse, so a file with none is refused and not divided by."""
    kept = {"p50_ns": 1.0, "ratio": 1.0, "ratio_ci95": [0.9, 1.1]}
    assert from_builtins(kept, Timed) == Timed(1.0, 1.0, (0.9, 1.1))
    with pytest.raises(BaseValidationError) as caught:
        from_builtins({**kept, **changes}, Timed)
    assert told in faults(caught.value)[0]
