"""One case is open at a time, and none loses its record; runtimes are fakes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchsuite.machine import watch
from benchsuite.machine.strangers import Processes
from benchsuite.networks.weights import BUNDLED, resolve
from benchsuite.options.settings import parse
from benchsuite.runs import records
from benchsuite.runs.preparation import Preparation
from benchsuite.runs.runner import Runner
from benchsuite.terms.absence import Absent
from benchsuite.testing import FakeBackend, draw_small_data, fake_runtimes, make_case, make_site

ONNX = make_case(model=BUNDLED, imgsz=64)
NCNN = replace(ONNX, backend="ncnn")


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """Give a runner that needs not wait for whoever measures on this machine."""
    options = parse({"data": str(draw_small_data(tmp_path / "data")), "effort": "quick", "threads": "2"})
    site = make_site(tmp_path, options=options, models=resolve([BUNDLED], tmp_path))
    return Runner(Preparation(site), locked=True)


def test_another_case_ends_the_one_before(runner: Runner, tmp_path: Path) -> None:
    """A case stays open for all that is asked of it; the next one writes its record, and has figures of its own."""
    with fake_runtimes(FakeBackend("onnx", lambda _: 20.0), FakeBackend("ncnn", lambda _: 40.0)):
        first = runner.case_run(ONNX)
        assert runner.case_run(ONNX) is first
        first.latency()
        second = runner.case_run(NCNN)
        assert second.latency().inference_ns.p50 == pytest.approx(40e6, rel=0.01)
        (record,) = records.read(tmp_path / "records.jsonl")[0]
        assert record.case == ONNX
        runner.abandon_open()
    assert runner.finish_open() is None
    assert runner.recorded(NCNN) is None


def test_what_cannot_run_here_is_built_ahead_too(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Engines for a GPU that is not here take minutes each: they are built beside the others, and not timed."""
    monkeypatch.setattr(Preparation, "only_builds", lambda self, case: "no GPU" if case == NCNN else None)
    told: list[tuple[str, int, int]] = []
    with fake_runtimes(FakeBackend("onnx", lambda _: 20.0), FakeBackend("ncnn", lambda _: 40.0)):
        runner.build_side_by_side([ONNX, NCNN], lambda *it: told.append(it))
        assert told == [("artifacts", 1, 2), ("artifacts", 2, 2)]
        told.clear()
        runner.time_by_turns([ONNX, NCNN], lambda *it: told.append(it))
    assert {what for what, _, _ in told} == {"timing 1 case turn by turn, turns"}


def test_a_program_that_came_and_went_while_turns_were_taken_is_named(
    runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is looked for after every round, and not at the end alone."""
    looks: list[int] = []

    def look() -> Processes:
        looks.append(len(looks))
        return {7: ("backup", 100.0 * len(looks))} if 1 < len(looks) < 5 else {}

    monkeypatch.setattr(watch, "cpu_seconds", look)
    with fake_runtimes(FakeBackend("onnx", lambda _: 20.0), FakeBackend("ncnn", lambda _: 40.0)):
        runner.time_by_turns([ONNX, NCNN], lambda *_: None)
        together = runner.case_run(ONNX).latency().together
        runner.abandon_open()
    assert not isinstance(together, Absent)
    assert together.noise.strangers == ("backup",)
    # One before, one after each of nine rounds, and one at the end.
    assert len(looks) == 11
