"""The search for the lightest artifact, on runtimes that take no time and find the one object of every image."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from benchsuite.commands.lightening import LIGHTEN_FILE, LightenAsked, run_lighten
from benchsuite.commands.recipes import TrainingAsked
from benchsuite.data.shapes import NAMES
from benchsuite.machine import processes
from benchsuite.machine.json_files import read_json
from benchsuite.optimize.candidate_bench import rounds_for
from benchsuite.optimize.candidates import Goal, Lightest
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import UsageError
from benchsuite.testing import FakeBackend, FakeChild, fake_runtimes

# So few images show no smaller loss.
IMAGES, POINTS = 40, 30.0
ASKED = LightenAsked("yolo26n_shapes", "", POINTS, "60min", "0", "64", "0.2,0.4", "quick", "en")


@pytest.fixture
def training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TrainingAsked:
    """Make data whose one object is what the fake runtimes find."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BENCHSUITE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for split in ("train", "val"):
        (tmp_path / "images" / split).mkdir(parents=True)
        (tmp_path / "labels" / split).mkdir(parents=True)
        for number in range(IMAGES):
            cv2.imwrite(str(tmp_path / "images" / split / f"{number}.png"), np.full((96, 96, 3), number, np.uint8))
            # Every class can be learned; only the first is found, and val has no other.
            name = 0 if split == "val" else number % len(NAMES)
            (tmp_path / "labels" / split / f"{number}.txt").write_text(f"{name} 0.5 0.5 0.2 0.2\n")
    data = tmp_path / "data.yaml"
    data.write_text(f"train: images/train\nval: images/val\nnames: {list(NAMES)}\n")
    return TrainingAsked(data, 2, 96, 4, 0.001, 0, ())


def taken(**ms: float) -> Callable[[Case], float]:
    """Let a case take what its precision says, half at the smaller size, and less by what is pruned."""

    def call_ms(case: Case) -> float:
        pruned = {"_p20": 0.7, "_p40": 0.5}
        share = next((share for ending, share in pruned.items() if ending in case.model), 1.0)
        return ms[case.precision] * (0.5 if case.imgsz.height == 64 else 1.0) * share

    return call_ms


def runtimes(**finds: Callable[[Case], bool]) -> list[FakeBackend]:
    """Return runtimes of which OpenVINO's INT8 is the fastest."""
    fast = {"fp32": 20.0, "fp16": 20.0, "bf16": 20.0, "int8": 10.0}
    faster = {"fp32": 18.0, "fp16": 18.0, "bf16": 18.0, "int8": 5.0}
    slow = dict.fromkeys(fast, 40.0)
    every = {"torch": slow, "onnx": fast, "openvino": faster, "ncnn": slow, "trt": slow}

    def refuses(case: Case) -> str | None:
        return "not here" if case.backend == "trt" or (case.backend == "ncnn" and case.precision != "fp32") else None

    return [
        FakeBackend(name, taken(**ms), refuses=refuses, finds=finds.get(name, lambda _: True))
        for name, ms in every.items()
    ]


def found_in(folder: Path) -> Lightest:
    return read_json(folder / LIGHTEN_FILE, Lightest, "search again")


def test_the_fastest_that_keeps_the_accuracy_is_the_answer(training: TrainingAsked, tmp_path: Path) -> None:
    """What is faster and finds nothing is no answer, and neither is a size at which FP32 finds nothing."""

    def large_fp32(case: Case) -> bool:
        return case.precision != "int8" and case.imgsz.height == 96

    def large(case: Case) -> bool:
        return case.imgsz.height == 96

    said: list[str] = []
    with fake_runtimes(*runtimes(openvino=large_fp32, onnx=large)):
        code = run_lighten(ASKED, training, tmp_path / "found", said.append)
    assert code == 0
    found = found_in(tmp_path / "found")
    assert found.answer == "yolo26n_shapes-onnx-int8-cpu-96-b1"
    told = found.time_of(found.answer)
    assert told.ratio == pytest.approx(10 / 40, rel=0.1)
    assert any("64 px and less: FP32 is shown to lose too much" in sentence for sentence in found.left_out)
    assert any(
        "Made again by: pytest bench/ --model yolo26n_shapes --backend onnx --precision int8" in it
        for it in [" ".join(said)]
    )
    assert (tmp_path / "found" / "index.html").is_file()


def test_a_smaller_size_that_keeps_the_accuracy_wins(training: TrainingAsked, tmp_path: Path) -> None:
    """Sizes are tried after runtimes and precisions."""
    with fake_runtimes(*runtimes()):
        run_lighten(ASKED, training, tmp_path / "found", lambda _: None)
    assert found_in(tmp_path / "found").answer == "yolo26n_shapes-openvino-int8-cpu-64-b1"


def test_a_goal_that_nothing_meets_names_the_nearest(training: TrainingAsked, tmp_path: Path) -> None:
    """It is an answer all the same, and the exit code says that the goal is not met."""
    said: list[str] = []
    with fake_runtimes(*runtimes()):
        assert run_lighten(replace(ASKED, goal="p95<=1ms"), training, tmp_path / "found", said.append) == 1
    assert "The goal p95 ≤ 1 ms cannot be met here: the nearest, with 2" in " ".join(said)


def test_a_search_that_is_asked_again_measures_nothing_again(training: TrainingAsked, tmp_path: Path) -> None:
    """Whatever a stopped search had found out stands in its journal."""
    asked, folder = replace(ASKED, goal="p95<=30ms"), tmp_path / "found"
    first = runtimes()
    with fake_runtimes(*first):
        run_lighten(asked, training, folder, lambda _: None)
    before = found_in(folder)
    again = runtimes()
    with fake_runtimes(*again):
        assert run_lighten(asked, training, folder, lambda _: None) == 0
    assert sum(it.opened for it in again) == 0
    assert replace(found_in(folder), finished="", command="") == replace(before, finished="", command="")
    with fake_runtimes(*again), pytest.raises(UsageError, match=r"it holds the search for .* goal p95<=30ms"):
        run_lighten(replace(asked, goal="p95<=20ms"), training, folder, lambda _: None)


def test_a_budget_that_is_used_up_leaves_candidates_out(training: TrainingAsked, tmp_path: Path) -> None:
    """They are named, and what was found until then stands."""
    said: list[str] = []
    with fake_runtimes(*runtimes()):
        assert run_lighten(replace(ASKED, budget="0.001s"), training, tmp_path / "found", said.append) == 1
        found = found_in(tmp_path / "found")
        assert found.answer == ""
        assert any(it.endswith("-onnx-int8-cpu-96-b1: --budget was used up") for it in found.left_out)
        assert "Nothing that was tried keeps the accuracy, so there is no answer." in " ".join(said)
        # With more time the same search goes on.
        assert run_lighten(ASKED, training, tmp_path / "found", lambda _: None) == 0


@pytest.mark.parametrize(("text", "rounds"), [("p50", 1), ("p95", 4), ("p99", 18)])
def test_candidates_are_called_often_enough_for_the_percentile_of_the_goal(text: str, rounds: int) -> None:
    """At 30 ms a call a turn has seven that count, and 72 calls bound p95, 368 p99."""
    assert rounds_for(Goal(text, 30e6), 3) == rounds
    assert rounds_for(Goal(), 3) == 0


def fake_optimizer() -> FakeChild:
    """Return what writes the weights as they are in place of lighter ones."""

    def cut(request: dict[str, Any]) -> dict[str, Any]:
        shutil.copyfile(request["weights"], request["output"])
        with Path(request["output"]).open("ab") as file:
            # A file of its own: runtimes tell artifacts apart by digests.
            file.write(request["recipe"]["cut"].__repr__().encode())
        return {"apart": 1e-6}

    def train(request: dict[str, Any]) -> dict[str, Any]:
        shutil.copyfile(request["weights"], request["output"])
        with Path(request["output"]).open("ab") as file:
            file.write(b"trained")
        return {}

    return FakeChild({"cut": cut, "train": train})


def test_a_goal_that_needs_pruning_is_met_by_the_smallest_share_that_does(
    training: TrainingAsked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The untrained cut tells the time, so that no share is trained that would not do."""
    monkeypatch.setitem(processes.STAND_INS, "benchsuite.optimize.worker", fake_optimizer)
    asked = replace(ASKED, goal="p95<=1.5ms", train_budget="2h")
    with fake_runtimes(*runtimes()):
        assert run_lighten(asked, training, tmp_path / "found", lambda _: None) == 0
    found = found_in(tmp_path / "found")
    assert found.answer == "yolo26n_shapes_p40-openvino-int8-cpu-64-b1"
    assert [it.ratio for it in found.trained] == [0.4]
    assert any("pruning by 20 %: it does not meet the goal" in sentence for sentence in found.left_out)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"goal": "fast"}, "--goal fast: give one of p50, p90, p95, p99 and a time, as p95<=30ms"),
        ({"budget": "soon"}, "--budget soon: give a time, as in 180s or 3min, or 2h"),
        ({"sizes": "50"}, "--smaller 50: give multiples of 32 below --imgsz 96, as 480,320"),
        ({"lang": "xx"}, "--lang xx: give one of en, zh"),
        ({"effort": "some"}, "--effort some: give one of quick, standard, full"),
        ({"max_map_drop": -1.0}, "--max-map-drop -1: give the points of mAP50-95 that may be lost, 0 or more"),
        ({"train_budget": "2h", "ratios": "1"}, "--ratios 1: give a share between 0 and 1, as 0.2"),
        ({"weights": "nothing.pt"}, "WEIGHTS nothing.pt: there is no such file"),
    ],
)
def test_options_that_mean_nothing_are_refused(
    changed: dict[str, Any], sentence: str, training: TrainingAsked, tmp_path: Path
) -> None:
    """Each is one sentence before any work."""
    with pytest.raises(UsageError) as refused:
        run_lighten(replace(ASKED, **changed), training, tmp_path / "found", lambda _: None)
    assert sentence in str(refused.value)
    assert not (tmp_path / "found" / LIGHTEN_FILE).exists()
