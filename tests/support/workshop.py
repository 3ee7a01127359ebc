"""Artifacts and sessions of real runtimes, for tests that open them without a run around them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchsuite.artifacts.digests import calibration_of
from benchsuite.artifacts.recipe import Artifact, Recipe
from benchsuite.artifacts.store import Store
from benchsuite.backends import backend
from benchsuite.backends.interface import ArtifactChoices, Ran
from benchsuite.data.images import read_image
from benchsuite.data.letterbox import preprocess
from benchsuite.machine.facts import Machine
from benchsuite.machine.processes import Child, offline_environment
from benchsuite.networks.weights import file_sha256
from benchsuite.terms.cases import Case
from benchsuite.terms.codec import from_builtins, to_builtins
from benchsuite.terms.input_size import InputSize

ROOT = Path(__file__).resolve().parents[2]
IMGSZ = 320
SIZE = InputSize.square(IMGSZ)
FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Workshop:
    """The model, images to run and to calibrate on, and a store that keeps what was built for one test session."""

    weights: Path
    classes: int
    images: tuple[Path, ...]
    calibration: tuple[Path, ...]
    root: Path
    machine: Machine

    @cached_property
    def store(self) -> Store:
        return Store(self.root / "store")

    def recipe(self, case: Case, choices: ArtifactChoices | None = None) -> Recipe:
        """Put a recipe together as a run does."""
        need = backend(case.backend).need(case, self.machine, choices or ArtifactChoices())
        versions = self.machine.packages
        return Recipe(
            need.format,
            need.precision,
            file_sha256(self.weights),
            case.head,
            case.imgsz,
            case.batch,
            need.scheme,
            calibration_of(self.calibration, "default") if need.calibrated else None,
            {name: versions[name] for name in need.tools if name in versions},
            need.build,
        )

    def artifact(self, case: Case, choices: ArtifactChoices | None = None) -> Artifact:
        """Build the case's artifact unless it is there."""
        recipe = self.recipe(case, choices)
        return self.store.get(recipe, self.weights, self.calibration if recipe.calibration else ())[0]

    @contextmanager
    def session(self, case: Case, artifact: Artifact | None = None) -> Iterator[Child]:
        """Open the case in a process of its own."""
        paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
        environment = offline_environment(self.root) | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
        child = Child.start("tests.support.session_child", self.root / f"{case.id}.log", environment, name=case.id)
        try:
            folder = (artifact or self.artifact(case)).folder
            answer = child.request("open", 600, case=to_builtins(case), artifact=folder)
            assert case.backend == "torch" or not {"torch", "ultralytics"} & set(answer["loaded"]), (
                "a session loaded PyTorch, whose memory would be measured as its own"
            )
            assert "openvino_telemetry" not in answer["loaded"]
            yield child
        finally:
            child.close()

    def outputs(self, child: Child, inputs: FloatArray) -> FloatArray:
        """Run inputs (runs, N, 3, imgsz, imgsz); return one output more, the first input's second."""
        given, taken = self.root / "inputs.npy", self.root / "outputs.npy"
        np.save(given, inputs)
        assert child.request("run", 600, inputs=str(given), outputs=str(taken))["type"] == "float32"
        outputs: FloatArray = np.load(taken)
        return outputs

    def proof(self, child: Child) -> Ran:
        """Return what the session says that it ran."""
        return from_builtins(child.request("ran", 120)["ran"], Ran)

    def inputs(self, batch: int = 1) -> FloatArray:
        """Return the eight letterboxed images as batches (runs, batch, 3, imgsz, imgsz)."""
        pixels = [read_image(path) for path in self.images]
        return preprocess(pixels, SIZE)[0].reshape(-1, batch, 3, IMGSZ, IMGSZ)
