"""Real workers that take turns, at 64 px to be quick."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchsuite.backends import BACKENDS, backend
from benchsuite.backends.interface import RunPolicy
from benchsuite.backends.offers import recorded_packages
from benchsuite.machine.facts import read_machine
from benchsuite.measure.case_run import Subject
from benchsuite.measure.launch import Launch
from benchsuite.measure.live_run import LiveRun
from benchsuite.measure.timed_case import GroupTiming, TimedCase
from benchsuite.measure.turns import Turns
from benchsuite.networks.weights import BUNDLED, resolve
from benchsuite.options.settings import parse
from benchsuite.runs.preparation import Preparation
from benchsuite.runs.site import Site
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.input_size import InputSize

pytestmark = pytest.mark.slow
IMAGES = 6


@pytest.fixture
def preparation(cache: Path, tmp_path: Path) -> Preparation:
    """Make cases of the bundled model ready on this machine."""
    options, machine = parse({"effort": "quick", "imgsz": "64"}), read_machine(recorded_packages())
    return Preparation(Site(options, resolve([BUNDLED], cache), machine, cache, tmp_path, lambda _: None))


def _subject(preparation: Preparation, name: str, precision: str = "fp32", threads: int = 2) -> Subject:
    case = Case(BUNDLED, name, precision, "cpu", InputSize.square(64), 1, threads)  # type: ignore[arg-type]
    reason = preparation.why_not(case)
    if reason:
        pytest.skip(reason)
    return preparation.subject(case)


@pytest.mark.parametrize("precision", ["fp32", "int8"])
@pytest.mark.parametrize("name", [name for name in BACKENDS if not backend(name).gpu_only])
def test_threads_change_detections_where_the_runtime_says_so_alone(
    preparation: Preparation, tmp_path: Path, name: str, precision: str
) -> None:
    """Who is evaluated on one thread finds the same to the bit as on two, in any number of processes at once."""
    if backend(name).threads_change_results:
        pytest.skip("it is evaluated on the threads that it is timed on")
    subject = _subject(preparation, name, precision)
    found = []
    for threads in (1, 2):
        launch = Launch(subject.case, subject.setup, RunPolicy(threads))
        try:
            launch.open()
            files = [tmp_path / f"{threads}-{number}.npz" for number in range(2)]
            data = preparation.data
            launch.evaluate(data.images[:IMAGES], data.yaml, data.sha256, True, *files)
        finally:
            launch.close()
        found.append([dict(np.load(path)) for path in files])
    for one, other in zip(*found, strict=True):
        assert one.keys() == other.keys()
        assert all(np.array_equal(one[key], other[key]) for key in one)


def test_peak_memory_is_that_of_a_worker_that_only_ran(preparation: Preparation, tmp_path: Path) -> None:
    """Whether the evaluation is kept or made in the same run changes nothing of the peak."""
    subject = _subject(preparation, "onnx")
    peaks = []
    for evaluated_first in (False, True):
        # Nothing is kept there.
        setup = replace(subject.setup, cache_root=tmp_path / str(evaluated_first))
        fresh = replace(subject, setup=setup)
        run = LiveRun(fresh, lambda: pytest.fail("no reference is needed"), preparation._losses)
        if evaluated_first:
            run.evaluation()
        peaks.append(run.memory().peak_rss_bytes)
        run.close()
    assert peaks[1] == pytest.approx(peaks[0], rel=0.05)


def test_a_worker_that_is_killed_in_a_later_round_costs_its_case_only(
    preparation: Preparation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others have all their turns, the rounds are on the disk, and the failure says what happened."""
    subjects = [_subject(preparation, name) for name in ("onnx", "openvino", "ncnn")]
    doomed = subjects[1].case.id
    taken: list[int] = []
    turn = Launch.turn

    def killed(self: Launch, *arguments: float, **named: float) -> object:
        if self._case.id == doomed:
            taken.append(self.pid)
            if len(taken) == 4:
                self._child._process.kill()
        return turn(self, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Launch, "turn", killed)
    began = time.monotonic()
    found = GroupTiming(subjects, Turns(2, 3), "turns-1", tmp_path, lambda *_: None).run(0).cases
    assert time.monotonic() - began < 60
    failed = found[doomed]
    assert isinstance(failed, Absent)
    assert "died during 'turn' by signal 9" in failed.reason
    others = [it for name, it in found.items() if name != doomed]
    assert all(isinstance(it, TimedCase) for it in others)
    lines = (tmp_path / "timing" / "turns-1.jsonl").read_text().splitlines()
    # Two cases in six rounds, and the third in the two before it was killed: the turn that warms up is no round's.
    assert len(lines) >= 2 * 6 + 2
