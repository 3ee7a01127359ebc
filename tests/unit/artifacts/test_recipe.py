"""A recipe's digest changes with everything that decides the artifact's bytes, and with nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchsuite.artifacts.recipe import Recipe
from benchsuite.backends.tools import ENGINE_BUILDER, EXPORTER, NAMED_LATER, QUANTISER, STEPS, steps_of
from benchsuite.gate.against import Against
from benchsuite.gate.arms import baseline_arm
from benchsuite.networks.weights import BUNDLED, resolve
from benchsuite.runs.preparation import Preparation
from benchsuite.runs.runner import Runner
from benchsuite.testing import make_case, make_machine, make_recipe, make_site


def named(**tools: str) -> Recipe:
    return make_recipe(tools={"onnx": "1.20", **{name.replace("_", "-"): version for name, version in tools.items()}})


def test_steps_that_are_as_they_were_leave_the_digest_alone() -> None:
    """Artifacts and baselines of before recipes named them stay what they are; a raised version makes another."""
    old = named()
    assert {EXPORTER, ENGINE_BUILDER} == set(NAMED_LATER)
    assert named(benchsuite_exporter="1", benchsuite_engine_builder="1").digest == old.digest
    assert named(benchsuite_exporter="2").digest != old.digest
    assert named(benchsuite_quantiser="1").digest != old.digest
    assert old.known_tools[EXPORTER] == "1"


@pytest.mark.parametrize(
    ("packages", "steps"),
    [
        ({"benchsuite": "0.3", QUANTISER: "5", EXPORTER: "2", "onnx": "1"}, {QUANTISER: "5", EXPORTER: "2"}),
        ({"benchsuite": "0.0.9", "onnx": "1"}, {QUANTISER: "of benchsuite 0.0.9"}),
        ({}, {QUANTISER: "of benchsuite unknown"}),
    ],
)
def test_another_environment_builds_by_its_own_steps(
    tmp_path: Path, packages: dict[str, str], steps: dict[str, str]
) -> None:
    """The baseline's recipes name what its release does, so that no artifact of the other arm is taken for its own."""
    assert steps_of(packages) == steps
    machine = make_machine(packages={**make_machine().packages, "onnx": "1"})
    site = make_site(tmp_path, models=resolve([BUNDLED], tmp_path), machine=machine)
    candidate = Runner(Preparation(site))
    arm = baseline_arm(Against("env", sys.executable, {"python": "3.11.7", **packages}), candidate)
    assert not set(arm.runner.site.machine.packages) & set(STEPS)
    case = make_case(model=BUNDLED, precision="fp16")
    recipe = arm.runner.preparation.recipe(case)
    assert recipe.tools.get(EXPORTER) == steps.get(EXPORTER)
    assert candidate.preparation.recipe(case).tools[EXPORTER] == STEPS[EXPORTER]
