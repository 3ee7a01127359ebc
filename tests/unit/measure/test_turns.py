"""Who has a turn when, and what becomes of the others when one fails, is disturbed or does not fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import pytest

from benchsuite.artifacts.recipe import Artifact
from benchsuite.backends.interface import RunPolicy
from benchsuite.machine.memory import peak_rss_bytes
from benchsuite.machine.noise import Disturbance, disturbance
from benchsuite.measure import turns as turns_module
from benchsuite.measure.launch import Launch, WorkerSetup
from benchsuite.measure.measurement import Cold, Memory
from benchsuite.measure.readings import Side
from benchsuite.measure.timing import timings
from benchsuite.measure.turns import Taken, TakenTurn, Turns, take_turns
from benchsuite.terms.cases import Case
from benchsuite.testing import FakeBackend, fake_runtimes, make_case, make_recipe
from tests.support.rounds import RoundNoise, synthetic_turns

TURNS = Turns(2, 3)


class Watching:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.rounds: list[tuple[TakenTurn, ...]] = []
        self.progress: list[tuple[int, int]] = []
        self.first: list[str] = []

    def first_launch(self, case_id: str, launch: Launch, cold: Cold) -> None:
        assert launch.memory().peak_rss_bytes > 0
        self.first.append(case_id)

    def round_ended(self, turns: Sequence[TakenTurn], done: int, of: int) -> None:
        self.rounds.append(tuple(turns))
        self.progress.append((done, of))


@pytest.fixture
def take(tmp_path: Path) -> Callable[..., tuple[Taken, Watching]]:
    """Let fake workers of the named models take turns."""
    image = tmp_path / "image.png"
    assert cv2.imwrite(str(image), np.zeros((64, 64, 3), np.uint8))

    def run(runtime: FakeBackend, *models: str, turns: Turns = TURNS) -> tuple[Taken, Watching]:
        setup = WorkerSetup(Artifact(make_recipe(), str(tmp_path), "cd", 1), (image,), tmp_path, tmp_path / "log")
        sides = {model: Side(make_case(model=model, imgsz=64), setup) for model in models}
        watching = Watching()
        with fake_runtimes(runtime):
            return take_turns(sides, turns, 0, watching), watching

    return run


Take = Callable[..., tuple[Taken, Watching]]


def _slower(case: Case) -> float:
    return 30.0 if case.model == "slow" else 20.0


def test_everyone_has_a_turn_a_round_in_a_changing_order(take: Take) -> None:
    """All cases have as many turns, rounds are kept as they end, and each first worker is shown once."""
    taken, watching = take(FakeBackend("onnx", _slower), "fast", "slow", "third", turns=Turns(3, 4))
    assert {name: len(found) for name, found in taken.turns.items()} == {"fast": 12, "slow": 12, "third": 12}
    assert sorted(watching.first) == ["fast", "slow", "third"]
    orders = [tuple(turn.case_id for turn in round_) for round_ in watching.rounds]
    assert len(orders) == 12
    assert len(set(orders)) > 2
    assert taken.parts == (("fast", "slow", "third"),)
    told = timings("turns-1", taken, Turns(3, 4), (), 0)
    assert told["slow"].phases["total"].p50 / told["fast"].phases["total"].p50 == pytest.approx(1.5, rel=0.02)
    away = [b - a for a, b in zip(told["fast"].together.launches, told["slow"].together.launches, strict=True)]
    assert np.exp(np.mean(away)) == pytest.approx(1.5, rel=0.02)
    assert told["fast"].together.noise.turns == 36
    assert not told["fast"].together.noise.disturbed


@pytest.mark.parametrize(("asked", "number"), [("open", 2), ("turn", 3), ("turn", 6)])
def test_who_fails_leaves_and_the_others_go_on(take: Take, asked: str, number: int) -> None:
    """A worker that does not load, or fails in a later round or launch, costs its own case; others have every turn."""
    times = Counter[str]()

    def fails(case: Case, request: str) -> str | None:
        times[request] += case.model == "dying"
        return "killed" if (case.model, request) == ("dying", asked) and times[request] >= number else None

    taken, watching = take(FakeBackend("onnx", _slower, fails=fails), "dying", "fast", "slow")
    assert taken.failures == {"dying": "killed"}
    assert watching.progress[-1] == (18, 18)
    assert {name: len(found) for name, found in taken.turns.items()} == {"fast": 6, "slow": 6}
    told = timings("turns-1", taken, TURNS, (), 0)
    assert told["slow"].together.launches[1] == pytest.approx(np.log(1.5), abs=0.03)


def test_nothing_is_timed_where_all_fail(take: Take) -> None:
    """With nothing left to time, the launches end."""
    opened: list[str] = []

    def fails(case: Case, request: str) -> str:
        opened.append(request)
        return "it does not load"

    taken, watching = take(FakeBackend("onnx", fails=fails), "one", "other")
    assert (set(taken.failures), dict(taken.turns), watching.first) == ({"one", "other"}, {}, [])
    assert len(opened) == 2
    assert timings("turns-1", taken, TURNS, (), 0) == {}


def test_a_disturbed_turn_is_taken_again(take: Take) -> None:
    """While others take the cores, turns do not count; what is lacking is taken in rounds of its own."""
    turns = Counter[str]()

    def others(case: Case) -> float:
        turns[case.model] += 1
        # The worker asks twice a turn; the turn before the first round warms up.
        return 0.5 * (turns[case.model] / 2) if case.model == "one" and turns[case.model] in (5, 6) else 0.0

    taken, watching = take(FakeBackend("onnx", _slower, others=others), "one", "other", "third", turns=Turns(1, 3))
    left_out = [turn for found in taken.turns.values() for turn in found if turn.disturbed]
    assert [turn.case_id for turn in left_out] == ["one"]
    assert left_out[0].disturbed.cause == "programs"
    assert len(taken.turns["one"]) == 4
    assert watching.progress[-1] == (9, 9)
    noise = timings("turns-1", taken, Turns(1, 3), (), 0)["one"].together.noise
    assert (noise.disturbed, noise.contention) == ({"programs": 1}, False)


def test_under_constant_contention_nothing_is_repeated_and_nothing_proved(take: Take) -> None:
    """A neighbour that is there all the time is no reason to measure twice as long, and is said."""
    taken, _ = take(FakeBackend("onnx", _slower, others=lambda _: 0.4), "one", "other")
    assert {len(found) for found in taken.turns.values()} == {6}
    together = timings("turns-1", taken, TURNS, ("python",), 0)["one"].together
    assert together.noise.contention
    assert together.turns == 6
    assert together.noise.sentences[0] == (
        "under contention: other programs (python) took 40 % of the cores in 12 of 12 turns, so nothing is proved"
    )


def test_what_others_took_is_told_of_the_turns_that_they_disturbed() -> None:
    """Turns in which everything stood still were nobody's doing."""
    taken = synthetic_turns([1.0, 1.0], Turns(2, 4), RoundNoise(), 0)
    one, *rest = taken.turns["0"]
    beside = replace(one.turned, began_ns=0, ended_ns=10, others_ns=8)
    stopped = replace(rest[0], disturbed=Disturbance("stop", 20.0))
    disturbed = replace(one, turned=beside, disturbed=Disturbance("programs", 0.4))
    found = replace(taken, turns={**taken.turns, "0": (disturbed, stopped, *rest[1:])})
    noise = timings("turns-1", found, Turns(2, 4), (), 0)["0"].together.noise
    assert noise.others == 0.4
    assert noise.disturbed == {"programs": 1, "stop": 1}
    assert not noise.contention


def test_others_may_have_the_cores_that_a_case_does_not_need() -> None:
    """One thread on two cores is not disturbed by a program that takes the other core."""
    assert disturbance(0.45, 0.0, cpus=2, threads=1) is None
    assert disturbance(0.55, 0.0, cpus=2, threads=1).sentence == "other programs took 55% of the cores"
    assert disturbance(0.05, 0.0, cpus=2, threads=2) is None
    assert disturbance(None, None, cpus=2, threads=2) is None
    assert disturbance(0.0, 0.2, cpus=2, threads=2).sentence == "other virtual machines took 20% of the cores"


def test_what_does_not_fit_into_memory_is_timed_in_parts(take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not more is loaded than 60 % of what is free holds, the first case is in each part, and ratios go through it."""
    # Every fake worker is this process.
    monkeypatch.setattr(turns_module, "available_bytes", lambda: int(3.5 * peak_rss_bytes() / 0.6))
    taken, watching = take(FakeBackend("onnx", _slower), "anchor", "b", "c", "slow", "e")
    assert taken.parts == (("anchor", "b", "c"), ("anchor", "slow", "e"))
    assert {name: len(found) for name, found in taken.turns.items()} == {
        "anchor": 12, "b": 6, "c": 6, "slow": 6, "e": 6,
    }  # fmt: skip
    assert watching.progress == [(done, 36) for done in range(3, 37, 3)]
    told = timings("turns-1", taken, TURNS, (), 0)
    assert {it.together.timing for it in told.values()} == {"turns-1"}
    assert np.mean(told["slow"].together.launches) == pytest.approx(np.log(1.5), abs=0.03)


class Noting(Launch):
    """Notes which worker was started and opened when, and says that it takes so much memory."""

    noted: ClassVar[list[str]] = []
    takes: ClassVar[Callable[[str, int], int]]

    def __init__(self, case: Case, setup: WorkerSetup, policy: RunPolicy) -> None:
        self.model = case.model
        self.noted.append(f"start {case.model}")
        super().__init__(case, setup, policy)

    def open(self) -> Cold:
        self.noted.append(f"open {self.model}")
        return super().open()

    def memory(self) -> Memory:
        peak = type(self).takes(self.model, self.noted.count(f"open {self.model}"))
        return replace(super().memory(), peak_rss_bytes=peak)


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note what becomes of the workers, each of which takes 100 bytes of a machine that has 250 for them."""
    Noting.noted = []
    Noting.takes = staticmethod(lambda model, opened: 100)
    monkeypatch.setattr(turns_module, "Launch", Noting)
    monkeypatch.setattr(turns_module, "available_bytes", lambda: int(250 / 0.6) + 1)
    return Noting.noted


def test_what_is_not_expected_to_fit_is_not_loaded_first(take: Take, noted: list[str]) -> None:
    """The third would be one too many: it is not opened before the first two have had all their turns."""
    taken, _ = take(FakeBackend("onnx"), "a", "b", "c", turns=Turns(1, 1))
    assert taken.parts == (("a", "b"), ("a", "c"))
    assert [it for it in noted if it.startswith("open")] == ["open a", "open b", "open a", "open c"]


def test_a_worker_that_grew_has_every_launch(take: Take, noted: list[str]) -> None:
    """Who fitted in the first launch is loaded in the others, though there is no room for it any more."""
    Noting.takes = staticmethod(lambda model, opened: 80 if opened == 1 else 200)
    taken, _ = take(FakeBackend("onnx"), "a", "b", "c")
    assert taken.parts == (("a", "b", "c"),)
    assert {name: len(found) for name, found in taken.turns.items()} == {"a": 6, "b": 6, "c": 6}


def test_nothing_starts_beside_a_start_that_is_reported(take: Take, noted: list[str]) -> None:
    """What loading took is told of the first launch alone; in later ones the next interpreter starts meanwhile."""
    take(FakeBackend("onnx"), "a", "b", turns=Turns(2, 1))
    assert noted == ["start a", "open a", "start b", "open b", "start a", "start b", "open a", "open b"]


def test_two_are_timed_however_little_memory_there_is(take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    """A case alone could be compared with nothing."""
    monkeypatch.setattr(turns_module, "available_bytes", lambda: 1)
    taken, _ = take(FakeBackend("onnx"), "anchor", "b", "c")
    assert taken.parts == (("anchor", "b"), ("anchor", "c"))


def test_parts_without_their_first_case_are_not_held_against_each_other(
    take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the case that all parts share fails, the later part's rows belong to timings of their own."""
    monkeypatch.setattr(turns_module, "available_bytes", lambda: 1)
    turns = Counter[str]()

    def fails(case: Case, request: str) -> str | None:
        turns[case.model] += request == "turn"
        return "killed" if case.model == "anchor" and turns["anchor"] > 9 else None

    taken, _ = take(FakeBackend("onnx", fails=fails), "anchor", "b", "c")
    told = timings("turns-1", taken, TURNS, (), 0)
    assert told["b"].together.timing == "turns-1"
    assert told["c"].together.timing != told["b"].together.timing
