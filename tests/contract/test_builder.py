"""The child process that reads checkpoints and builds: what it tells of real ones, and of those it cannot take."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchsuite.machine.processes import Child, offline_environment
from benchsuite.terms.errors import ProcessError

pytestmark = pytest.mark.slow

_COUNT_FLOPS = """
import sys
import torch
from pathlib import Path
from torch.utils.flop_counter import FlopCounterMode
from benchsuite.networks.checkpoint import load_detector
model = load_detector(Path(sys.argv[1]), sys.argv[2])
with FlopCounterMode(display=False) as counter, torch.no_grad():
    model(torch.zeros(1, 3, 640, 640))
print(counter.get_total_flops() / 1e9)
"""
_SAVE_SEGMENTER = "import sys; from ultralytics import YOLO; YOLO('yolo26n-seg.yaml').save(sys.argv[1])"
_HEADS_OF_YOLOV10 = """
import sys
import torch
from pathlib import Path
from ultralytics import YOLO
from ultralytics.nn.tasks import load_checkpoint
from benchsuite.networks.checkpoint import load_detector
weights, pixels = Path(sys.argv[1]), torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
YOLO("yolov10n.yaml").save(weights)
told = []
with torch.no_grad():
    for head in ("one2many", "end2end"):
        model = load_checkpoint(str(weights))[0].float().eval()
        model.model[-1].end2end = head == "end2end"
        expected, found = model(pixels)[0], load_detector(weights, head)(pixels)
        found = found[0] if isinstance(found, tuple) else found
        told.append(f"{tuple(found.shape)} {found.shape == expected.shape and torch.allclose(found, expected)}")
print("; ".join(told))
"""

Starter = Callable[..., Child]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Starter]:
    """Give a way to start builders, with modules of one's own in front of the installed ones."""
    children = []

    def start_one(modules: Path | None = None) -> Child:
        environment = offline_environment(tmp_path) | ({"PYTHONPATH": str(modules)} if modules else {})
        children.append(Child.start("benchsuite.artifacts.builder", tmp_path / "log", environment, name="builder"))
        return children[-1]

    yield start_one
    for child in children:
        child.close()


def _python(tmp_path: Path, code: str, *arguments: object) -> str:
    environment = {**os.environ, **offline_environment(tmp_path)}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    found = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return found.stdout.strip().splitlines()[-1] if found.stdout.strip() else ""


@pytest.mark.parametrize(
    ("model", "heads", "params"),
    [
        ("yolo26n", ["one2many", "end2end"], 2_408_932),
        ("yolo11n", ["one2many"], 2_616_248),
        ("yolov8n", ["one2many"], 3_151_904),
    ],
)
def test_describes_what_runs(
    model: str, heads: list[str], params: int, shared: Path, start: Starter, tmp_path: Path
) -> None:
    """Size and work are those of the fused network with one head; PyTorch's own counter agrees on the work."""
    weights = shared / "models" / f"{model}-coco-approx.pt"
    child = start()
    for head in heads:
        answer = child.request("describe", 120, weights=str(weights), head=head)
        assert answer["names"][0] == "person"
        assert len(answer["names"]) == 80
        assert answer["params"] == params
        assert answer["heads"] == heads
        counted = float(_python(tmp_path, _COUNT_FLOPS, weights, head))
        assert answer["gflops"] == pytest.approx(counted, rel=0.005)
    # Half the side is a quarter of the work, but for attention, which is quadratic in the area.
    half = child.request("describe", 120, weights=str(weights), head=heads[-1], imgsz=320)
    assert half["gflops"] == pytest.approx(answer["gflops"] / 4, rel=0.02)


def test_head_that_is_not_there(shared: Path, start: Starter) -> None:
    """Asking YOLOv8 for a head without NMS is refused with what it has."""
    weights = shared / "models" / "yolov8n-coco-approx.pt"
    with pytest.raises(ProcessError, match="has no end2end head: it has one2many"):
        start().request("describe", 120, weights=str(weights), head="end2end")


def test_damaged_checkpoint_is_one_sentence(shared: Path, start: Starter, tmp_path: Path) -> None:
    """Half a checkpoint is refused by name, in one line, and the builder lives on."""
    whole = shared / "models" / "yolov8n-coco-approx.pt"
    half = tmp_path / "half.pt"
    half.write_bytes(whole.read_bytes()[:1_000_000])
    child = start()
    with pytest.raises(ProcessError, match=r"half\.pt is not a checkpoint that Ultralytics can load") as refusal:
        child.request("describe", 120, weights=str(half))
    assert "\n" not in str(refusal.value)
    assert child.request("describe", 120, weights=str(whole))["params"] == 3_151_904


def test_other_tasks_are_refused(start: Starter, tmp_path: Path) -> None:
    """Weights of a segmentation model are told as such."""
    weights = tmp_path / "seg.pt"
    _python(tmp_path, _SAVE_SEGMENTER, weights)
    with pytest.raises(ProcessError, match=r"seg\.pt is a segment model: benchsuite measures detection models only"):
        start().request("describe", 120, weights=str(weights))


def test_zero_gflops_is_an_error(shared: Path, start: Starter, tmp_path: Path) -> None:
    """A thop that fails makes Ultralytics answer 0 without a word; that is no measurement."""
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "thop.py").write_text("def profile(model, inputs, verbose=False): ...\n")
    with pytest.raises(ProcessError, match="came out as 0, as they do where the old package thop lies over"):
        start(modules).request("describe", 120, weights=str(shared / "models" / "yolo26n-coco-approx.pt"))


def test_both_heads_of_yolov10_are_those_that_ultralytics_runs(tmp_path: Path) -> None:
    """Each is taken and fused as YOLO26's: the same numbers as the whole network gives, of another head's class."""
    told = _python(tmp_path, _HEADS_OF_YOLOV10, tmp_path / "yolov10n.pt")
    assert told == "(1, 84, 84) True; (1, 84, 6) True"
