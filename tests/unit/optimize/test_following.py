"""Recipes followed for real: small data, few epochs, one network."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from benchsuite.data.dataset import load_dataset
from benchsuite.data.shapes import AUGMENTATION, ShapesSpec, shapes_data
from benchsuite.machine.json_files import read_json
from benchsuite.networks.weights import BUNDLED, file_sha256, resolve
from benchsuite.optimize.cutting import GUARD, CutPlan
from benchsuite.optimize.following import follow, recipe_folder
from benchsuite.optimize.recipe import NO_CUT, RECIPE_FILE, LightRecipe, Progress
from benchsuite.optimize.training import Training
from benchsuite.optimize.training_data import check_training_data
from benchsuite.optimize.zeros import ZeroPlan
from benchsuite.terms.absence import Absent
from benchsuite.terms.errors import ProcessError, UsageError

pytestmark = pytest.mark.slow
EPOCHS, PX = 2, 64
# Neither of the two packages that made the file may be needed to load it.
LOAD = """
import sys
sys.modules["benchsuite"] = sys.modules["torch_pruning"] = None
from ultralytics import YOLO
network = YOLO(sys.argv[1]).model
print(sum(it.numel() for it in network.parameters()), network.yaml["backbone"][0][2])
"""


class Kitchen:
    """Follows recipes for the bundled weights in a folder."""

    def __init__(self, folder: Path) -> None:
        self._cache = folder / "cache"
        self.folder = folder
        data = shapes_data(self._cache, ShapesSpec(side_px=96, largest_px=48, train=12, val=4, calib=0))
        dataset = load_dataset(data)
        self.images = dataset.splits["train"][:4]
        (ref,) = resolve([BUNDLED], self._cache)
        assert ref.path is not None
        self.weights = ref.path
        self.training = Training(
            str(data), check_training_data(dataset), PX, EPOCHS, 4, 0.001, 0, settings=dict(AUGMENTATION)
        )
        self.recipe = LightRecipe(
            self.weights.name, file_sha256(self.weights), PX, "im" * 32, {}, CutPlan(0.2, 8, "l1", "free"),
            training=self.training,
        )  # fmt: skip

    def follow(
        self, recipe: LightRecipe, name: str, show: Callable[[str, int, int], None] = lambda *_: None
    ) -> Progress:
        """Follow a recipe to a file of that name."""
        return follow(recipe, self.weights, self.images, self.folder / name, self._cache, show)


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory: pytest.TempPathFactory) -> Kitchen:
    return Kitchen(tmp_path_factory.mktemp("kitchen"))


def test_a_recipe_leaves_weights_and_all_that_made_them(kitchen: Kitchen) -> None:
    """The file loads with Ultralytics alone, and the record has the curve, the batches and the clock."""
    progress = kitchen.follow(kitchen.recipe, "whole.pt")
    assert progress == read_json(recipe_folder(kitchen.folder / "whole.pt") / RECIPE_FILE, Progress, "")
    assert progress.state == "finished"
    assert not isinstance(progress.apart, Absent)
    assert progress.apart <= 1e-4
    assert len(progress.epochs) == EPOCHS
    assert all(not isinstance(it.loss, Absent) and it.loss > 0 for it in progress.epochs)
    assert len(progress.batches) == EPOCHS
    assert progress.train_s > 0
    assert progress.output_sha256 == file_sha256(kitchen.folder / "whole.pt")
    loaded = subprocess.run(
        [sys.executable, "-c", LOAD, str(kitchen.folder / "whole.pt")],
        env={"ULTRALYTICS_SAFE_LOAD": "1", "YOLO_OFFLINE": "true", "PATH": ""}, capture_output=True, text=True,
    )  # fmt: skip
    assert loaded.returncode == 0, loaded.stderr
    params, first_block = loaded.stdout.split()[-2:]
    assert int(params) < 0.75 * 2_500_000
    assert first_block == GUARD


def test_a_recipe_that_is_finished_is_not_followed_again(kitchen: Kitchen) -> None:
    """Nothing is told, nothing is made; and a file that is no longer what it made is made again."""
    recipe = replace(kitchen.recipe, training=Absent("none"))
    kitchen.follow(recipe, "twice.pt")
    shown: list[str] = []
    kitchen.follow(recipe, "twice.pt", lambda what, *_: shown.append(what))
    assert shown == []
    (kitchen.folder / "twice.pt").write_bytes(b"something else")
    before = kitchen.follow(recipe, "twice.pt").output_sha256
    assert file_sha256(kitchen.folder / "twice.pt") == before


def test_another_recipe_never_writes_over_one(kitchen: Kitchen) -> None:
    """The sentence names what differs; neither does a recipe write over a file that it did not make."""
    recipe = replace(kitchen.recipe, training=Absent("none"))
    kitchen.follow(recipe, "mine.pt")
    with pytest.raises(UsageError, match=r"holds a recipe with other cut; name another file"):
        kitchen.follow(replace(recipe, cut=CutPlan(0.3, 8, "l1", "free")), "mine.pt")
    (kitchen.folder / "yours.pt").write_bytes(b"yours")
    with pytest.raises(UsageError, match=r"it is there already, and no recipe beside it"):
        kitchen.follow(recipe, "yours.pt")
    assert (kitchen.folder / "yours.pt").read_bytes() == b"yours"


def test_a_stopped_training_goes_on_after_the_last_whole_epoch(kitchen: Kitchen) -> None:
    """No epoch is trained twice, and the batches are those of a training that was not stopped."""

    def stop(what: str, done: int, _: int) -> None:
        if what.startswith("training") and done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kitchen.follow(kitchen.recipe, "stopped.pt", stop)
    assert not (kitchen.folder / "stopped.pt").exists()
    began: list[int] = []
    progress = kitchen.follow(
        kitchen.recipe, "stopped.pt", lambda what, done, _: began.append(done) if what.startswith("training") else None
    )
    assert began[0] >= 1
    assert len(progress.epochs) == EPOCHS
    assert progress.batches[0] == kitchen.follow(kitchen.recipe, "whole.pt").batches[0]


def test_a_teacher_looks_over_the_same_batches_and_leaves_with_the_training(kitchen: Kitchen) -> None:
    """The student is written alone: no projector, no teacher; and its recipe is a distillation."""
    taught = replace(kitchen.training, teacher=str(kitchen.weights), teacher_sha256=kitchen.recipe.weights_sha256)
    recipe = replace(kitchen.recipe, cut=NO_CUT, training=taught)
    assert recipe.kind == "distill"
    progress = kitchen.follow(recipe, "taught.pt")
    assert progress.batches == kitchen.follow(kitchen.recipe, "whole.pt").batches
    assert (kitchen.folder / "taught.pt").stat().st_size < 1.1 * kitchen.weights.stat().st_size


def test_zeros_change_neither_shape_nor_size(kitchen: Kitchen) -> None:
    """Half of the weights are zero for good, and the file is as large as that of the whole network."""
    import torch

    recipe = replace(kitchen.recipe, cut=NO_CUT, zeros=ZeroPlan(0.5), training=Absent("none"))
    kitchen.follow(recipe, "zeros.pt")
    network = torch.load(kitchen.folder / "zeros.pt", weights_only=False)["model"]
    weights = [it.weight for it in network.modules() if isinstance(it, torch.nn.Conv2d)]
    zeros = sum(int((it == 0).sum()) for it in weights) / sum(it.numel() for it in weights)
    assert zeros == pytest.approx(0.5, abs=0.01)
    assert (kitchen.folder / "zeros.pt").stat().st_size == pytest.approx(kitchen.weights.stat().st_size, rel=0.02)


def test_a_training_that_diverges_says_so_and_writes_nothing(kitchen: Kitchen) -> None:
    """The sentence names the learning rate, which is what to change."""
    training = replace(kitchen.training, settings={**kitchen.training.settings, "cls": 1e38})
    with pytest.raises(ProcessError, match=r"training diverged: its loss became no number with --lr0 0\.001"):
        kitchen.follow(replace(kitchen.recipe, training=training), "diverged.pt")
    assert not (kitchen.folder / "diverged.pt").exists()


def test_data_of_other_classes_are_refused(kitchen: Kitchen) -> None:
    """Ultralytics would train on with another number of outputs than names."""
    data = Path(kitchen.training.data)
    other = data.with_name("other.yaml")
    other.write_text(data.read_text().replace("circle", "disc"))
    with pytest.raises(ProcessError, match=r"does not fit the data: its class 0 is 'circle', where 'disc' is asked"):
        kitchen.follow(replace(kitchen.recipe, training=replace(kitchen.training, data=str(other))), "other.pt")
