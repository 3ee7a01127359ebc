"""What is looked at before anything is built; the builder that knows checkpoints is a double."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchsuite.data.shapes import NAMES
from benchsuite.machine import processes
from benchsuite.machine.facts import Machine
from benchsuite.machine.nvml import Gpu
from benchsuite.networks.checkpoint import check_size
from benchsuite.networks.weights import BUNDLED, resolve
from benchsuite.options.needs import data_problems
from benchsuite.options.selection import cases_of
from benchsuite.options.settings import parse
from benchsuite.runs import checks
from benchsuite.runs.checks import check_before_work
from benchsuite.terms.errors import UsageError
from benchsuite.terms.input_size import InputSize
from benchsuite.testing import FakeChild, draw_small_data, fake_runtimes, make_machine
from benchsuite.testing.fake_backend import FakeBackend

TOLD: dict[str, Any] = {"names": list(NAMES), "params": 5, "gflops": 1.5, "heads": ["one2many"], "trained_px": 640}
ONE = {"backend": "onnx", "precision": "fp32", "threads": "2"}


def notes(
    tmp_path: Path, machine: Machine | None = None, told: dict[str, Any] | None = None, **given: str
) -> tuple[str, ...]:
    """Check one case on a machine, its checkpoint being what is told."""
    options = parse({**ONE, "report": str(tmp_path / "reports"), **given})
    with fake_runtimes(FakeBackend("onnx", schemes=("qdq-u8s8", "dynamic"), methods=("minmax",))):
        processes.STAND_INS["benchsuite.artifacts.builder"] = lambda: FakeChild({"describe": lambda _: told or TOLD})
        cases = cases_of(options, [BUNDLED], machine or make_machine())
        models = resolve([BUNDLED], tmp_path)
        return check_before_work(options, models, cases, machine or make_machine(), tmp_path / "cache")


def test_nothing_is_said_of_what_fits(tmp_path: Path) -> None:
    """A model at the size of its training, on data with its classes, needs no remark."""
    assert notes(tmp_path, data=str(draw_small_data(tmp_path))) == ()


def test_labels_with_poses_are_usable(tmp_path: Path) -> None:
    """What data.yaml says of keypoints is known before the run as it is when images are scored."""
    data = draw_small_data(tmp_path)
    for labels in (data.parent / "labels" / "val").glob("*.txt"):
        labels.write_text("0 0.5 0.5 0.2 0.2 0.4 0.4 1.9\n")
    (refused,) = notes(tmp_path, data=str(data))
    assert refused.startswith("no accuracy: ")
    data.write_text(data.read_text() + "kpt_shape: [1, 3]\n")
    assert notes(tmp_path, data=str(data)) == ()


@pytest.mark.parametrize(
    ("given", "asked"), [({"head": "end2end"}, "--head end2end"), ({"head": "both"}, "--head both")]
)
def test_head_that_a_model_lacks_is_told_once(tmp_path: Path, given: dict[str, str], asked: str) -> None:
    """However many cases ask for it, it is known before anything is built."""
    with pytest.raises(UsageError) as refused:
        notes(tmp_path, precision="fp32,int8", **given)
    assert str(refused.value) == f"{asked}: {BUNDLED} has no NMS-free head: use --head auto."
    both = {**TOLD, "heads": ["one2many", "end2end"]}
    assert notes(tmp_path / "of another cache", told=both, **given) == ()


def test_size_of_the_training_is_told(tmp_path: Path) -> None:
    """Each size that the model was not trained at is named; a checkpoint that does not say is left alone."""
    (note,) = notes(tmp_path, imgsz="320,640,960")
    assert note == f"{BUNDLED} was trained at 640 px: at 320, 960 px its accuracy differs"
    assert notes(tmp_path / "other", imgsz="320", told={**TOLD, "trained_px": None}) == ()


def test_cpu_quota_is_told(tmp_path: Path) -> None:
    """Threads beyond it are warned of, and a quota of all cores is none."""
    within = notes(tmp_path, make_machine(cpu_quota_cores=1.5), threads="1")
    beyond = notes(tmp_path, make_machine(cpu_quota_cores=1.5))
    assert within == ("--threads is 1: the CPU quota here is 1.5 of 2 cores",)
    assert beyond[0].startswith(
        "--threads is 2: the CPU quota here is 1.5 of 2 cores; more threads than that are stopped"
    )
    assert notes(tmp_path, make_machine(cpu_quota_cores=2.0)) == ()


def test_gpu_that_a_number_means_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CUDA may count otherwise than nvidia-smi; where it counts by PCI bus too, nothing is to be said."""
    machine = make_machine(gpus=(Gpu("NVIDIA T4", "GPU-7", 16 << 30),))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    (note,) = notes(tmp_path, machine, device="cuda:0")
    assert note.startswith("cuda:0 is NVIDIA T4 (GPU-7)")
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    assert notes(tmp_path, machine, device="cuda:0") == ()


def test_full_disk_and_memory_are_told_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Room on the disk and in memory is held against what the least run takes, before anything is asked of a model."""
    monkeypatch.setattr(checks, "free_bytes", lambda _: 3_000_000)
    with pytest.raises(UsageError) as caught:
        notes(tmp_path, make_machine(memory_limit_bytes=1 << 30), batch="1000")
    problems = str(caught.value).splitlines()
    assert problems[0] == (
        "--batch 1000: the images of one call at 640 px take 5 GB, "
        "a runtime needs several times that, and there are 1 GB; ask for fewer."
    )
    assert problems[1].startswith(f"$BENCHSUITE_CACHE {tmp_path / 'cache'}: 3 MB are free, and a run needs about")
    assert problems[2] == (
        f"--report {tmp_path / 'reports'}: 3 MB are free, and a run needs about 20 MB; name another folder."
    )
    assert len(problems) == 3


def test_folder_under_a_file_is_told(tmp_path: Path) -> None:
    """What is in the way is named and left as it is."""
    (tmp_path / "taken").write_text("")
    with pytest.raises(UsageError, match=r"--report .*: cannot write there \(.*taken is no folder\)"):
        notes(tmp_path, report=str(tmp_path / "taken" / "a" / "b"))
    assert (tmp_path / "taken").read_text() == ""


def test_cache_that_cannot_be_written_may_hold_all_that_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a remark where artifacts lie there, and refused where nothing does."""
    monkeypatch.setattr(checks, "unwritable", lambda folder: "Read-only file system" if folder.name == "cache" else "")
    with pytest.raises(UsageError, match=r"\$BENCHSUITE_CACHE .*: cannot write there \(Read-only.*name another folder"):
        notes(tmp_path)
    (tmp_path / "cache" / "artifacts" / ("0" * 16)).mkdir(parents=True)
    (note,) = notes(tmp_path)
    assert note.endswith("what lies there is used, and a case that needs more will fail.")


def test_images_of_which_none_is_whole_are_told(tmp_path: Path) -> None:
    """Damaged images cost their part of accuracy; where all are, whether by their header or only cut off, none runs."""
    yaml = draw_small_data(tmp_path)
    first, *others = sorted((yaml.parent / "images" / "val").iterdir())
    for number, image in enumerate(others):
        image.write_bytes(b"\xff" if number else image.read_bytes()[: image.stat().st_size // 2])
    assert notes(tmp_path, data=str(yaml)) == ()
    first.write_bytes(b"no image")
    with pytest.raises(UsageError, match=rf"--data .*image '{first}' is not an image .*\(3 more like it\)"):
        notes(tmp_path, data=str(yaml))
    first.unlink()
    others[0].unlink()
    (tmp_path / "list.txt").write_text(f"{first}\n{others[1]}\n")
    (tmp_path / "list.yaml").write_text(yaml.read_text().replace("val: images/val", f"val: {tmp_path / 'list.txt'}"))
    with pytest.raises(UsageError, match=rf"'{first}', which the data set names, cannot be read: No such file"):
        notes(tmp_path, data=str(tmp_path / "list.yaml"))


@pytest.mark.parametrize("length", [0, 1, 2000])
def test_damaged_calibration_image_is_told(tmp_path: Path, length: int) -> None:
    """It would fail every INT8 case, so nothing starts, however much of the file is left; other precisions can run."""
    yaml = draw_small_data(tmp_path)
    image = max((yaml.parent / "images" / "calib").iterdir())
    image.write_bytes(image.read_bytes()[:length])
    problem = f"image '{image}' is not an image that OpenCV can decode ({length} bytes); replace or remove it"
    assert data_problems(parse({"data": str(yaml)}), calibrated=True) == [f"--data {yaml}: {problem}."]
    assert data_problems(parse({"data": str(yaml)}), calibrated=False) == []


def test_search_by_accuracy_needs_some(tmp_path: Path) -> None:
    """Where accuracy will be absent, `--quant-scheme auto` is refused with the reason."""
    told = {**TOLD, "names": ["a", "b"]}
    with pytest.raises(UsageError, match=r"there is no accuracy of .*: the model knows 2 classes and the data has 6"):
        notes(tmp_path, told=told, precision="int8", quant_scheme="auto")


@pytest.mark.parametrize(("side", "advice"), [(352, "give 320 or 384"), (32, "give 64")])
def test_stride_of_a_network_is_held_against_the_size(side: int, advice: str) -> None:
    """A network with a stride of 64 is refused other multiples of 32, with the nearest that it takes."""
    model = SimpleNamespace(stride=SimpleNamespace(max=lambda: 64.0))
    check_size(model, InputSize.square(320))
    with pytest.raises(
        UsageError, match=f"its largest stride is 64, and --imgsz {side} is no multiple of it: {advice}"
    ):
        check_size(model, InputSize.square(side))
