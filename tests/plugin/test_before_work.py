"""What the plugin looks at before anything is built, and what an interrupted start leaves; runtimes are fakes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchsuite.data.shapes import NAMES
from benchsuite.detect.accuracy import Accuracy
from benchsuite.runs.folder import Run, read_run
from benchsuite.runs.records import Record
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case
from benchsuite.testing import FakeBackend, draw_small_data
from tests.plugin.conftest import Bench

ONE = ("--backend", "onnx", "--precision", "fp32", "--imgsz", "64", "--effort", "quick", "--threads", "1")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draw a few small pictures."""
    return draw_small_data(tmp_path_factory.mktemp("data")).parent


@pytest.fixture
def data(drawn: Path, pytester: pytest.Pytester) -> Path:
    """Give a copy of the pictures that a test may spoil."""
    return Path(shutil.copytree(drawn, pytester.path / "data")) / "data.yaml"


def latest(pytester: pytest.Pytester) -> Run:
    """Return the run that `latest` names."""
    return read_run(pytester.path / "reports" / "latest")


def measured(pytester: pytest.Pytester) -> Record:
    """Return the one record of the newest run, which was measured."""
    (record,) = latest(pytester).records
    assert record.outcome == "measured"
    assert not isinstance(record.metrics.latency, Absent)
    assert not isinstance(record.metrics.parity, Absent)
    return record


def test_all_that_is_wrong_is_one_message(bench: Bench, pytester: pytest.Pytester) -> None:
    """A model, the data and a folder that cannot be are told together, and nothing is written."""
    (pytester.path / "taken").write_text("")
    (pytester.path / "other.yaml").write_text("val: nowhere\nnames: [a]\n")
    result = bench(*ONE, "--model", "nope.pt", "--data", "other.yaml", "--report", "taken")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    for part in (
        "--model nope.pt: there is no such file",
        "--data other.yaml: the val split",
        "--report taken: cannot",
    ):
        assert part in result.stderr.str()
    assert (pytester.path / "taken").read_text() == ""


def test_unusable_labels_cost_accuracy_alone(bench: Bench, pytester: pytest.Pytester, data: Path) -> None:
    """One bad line leaves latency and parity; the reason stands before the run, under the table and on the page."""
    label = next((data.parent / "labels" / "val").iterdir())
    label.write_text("0 0.5 0.5 0.2\n")
    result = bench(*ONE)
    assert result.ret == pytest.ExitCode.OK
    accuracy = measured(pytester).metrics.accuracy
    assert isinstance(accuracy, Absent)
    assert f"labels '{label}', line 1: found 4 numbers" in accuracy.reason
    result.stdout.fnmatch_lines(["no accuracy: labels *line 1: found 4 numbers*", "onnx fp32 *no mAP: labels*"])
    assert "found 4 numbers" in (latest(pytester).folder / "index.html").read_text()


def test_damaged_images_cost_their_part_of_accuracy_alone(bench: Bench, pytester: pytest.Pytester, data: Path) -> None:
    """Whether cut off or no image at all, they are left out with their count, and all else is measured as ever."""
    first, second, *_ = sorted((data.parent / "images" / "val").iterdir())
    first.write_bytes(first.read_bytes()[: first.stat().st_size // 2])
    second.write_bytes(b"\xff")
    result = bench(*ONE, "--batch", "3")
    assert result.ret == pytest.ExitCode.OK
    accuracy, loss = measured(pytester).metrics.accuracy, measured(pytester).metrics.loss
    assert isinstance(accuracy, Accuracy)
    assert accuracy.images == 2
    assert not isinstance(loss, Absent)
    left_out = "not scored, as Ultralytics' val leaves them out: 2 of 4 images (Pillow cannot read the file whole: "
    assert accuracy.notes == (f"{left_out}{first.name} and 1 more)",)
    result.stdout.fnmatch_lines(["*not scored, as Ultralytics' val leaves them out: 2 of 4 images*"])


def test_names_in_another_order_are_told(bench: Bench, pytester: pytest.Pytester, data: Path) -> None:
    """The first class that differs is named; the same data with the model's names is scored."""
    text = data.read_text()
    swapped = text.replace(f"0: {NAMES[0]}", "0: X").replace(f"1: {NAMES[1]}", f"1: {NAMES[0]}")
    data.write_text(swapped.replace("0: X", f"0: {NAMES[1]}"))
    result = bench(*ONE)
    assert isinstance(measured(pytester).metrics.accuracy, Absent)
    result.stdout.fnmatch_lines([f"no accuracy of *class 0 is {NAMES[0]} to the model and {NAMES[1]} in the data*"])
    data.write_text(text)
    bench(*ONE)
    assert not isinstance(measured(pytester).metrics.accuracy, Absent)


def test_start_that_was_interrupted_is_not_the_latest(bench: Bench, pytester: pytest.Pytester) -> None:
    """`latest` stays with the run before, and `--resume` finds nothing to go on with."""
    bench(*ONE)
    before = latest(pytester).folder

    def stop(case: Case, asked: str) -> str | None:
        raise KeyboardInterrupt

    result = bench(*ONE, runtimes=(FakeBackend("onnx", fails=stop),))
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["No case was recorded: start a new run, there is nothing to resume."])
    assert latest(pytester).folder == before
    result = bench("--resume")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "holds no unfinished run" in result.stderr.str()


def test_resumed_run_is_refused_what_has_changed(bench: Bench, pytester: pytest.Pytester, data: Path) -> None:
    """Another option, and edited labels, end in one sentence that names them; as it was started, the run goes on."""
    two = ("--backend", "onnx,ncnn", *ONE[2:])

    runtimes = FakeBackend("onnx"), FakeBackend("ncnn")
    stop = pytester.path / "bench" / "test_stop.py"
    stop.write_text("def test_stop(case, run):\n    if case.backend == 'ncnn':\n        raise KeyboardInterrupt\n")
    assert bench(*two, runtimes=runtimes).ret == pytest.ExitCode.INTERRUPTED
    stop.unlink()
    name = latest(pytester).name
    other = pytester.path / "other.yaml"
    shutil.copy(data, other)
    for change, flag in ((("--calib-size", "8"), "--calib-size 64"), (("--data", str(other)), f"--data {data}")):
        result = bench("--resume", *change, runtimes=runtimes)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert f"--resume: {name} was started with {flag}, this command says {change[1]}" in result.stderr.str()
    label = next((data.parent / "labels" / "val").iterdir())
    kept = label.read_text()
    label.write_text("")
    result = bench("--resume", runtimes=runtimes)
    assert f"names of {data} have changed since {name} was started" in result.stderr.str()
    label.write_text(kept)
    assert bench("--resume", runtimes=(FakeBackend("onnx"), FakeBackend("ncnn"))).ret == pytest.ExitCode.OK
    assert len(latest(pytester).records) == 2


def test_reference_that_fails_costs_parity_alone(bench: Bench, pytester: pytest.Pytester) -> None:
    """Whatever becomes of PyTorch FP32, the case's other figures stand, and the reason is said."""
    runtimes = FakeBackend("onnx"), FakeBackend("torch", fails=lambda _case, _asked: "torch is broken")
    result = bench(*ONE, runtimes=runtimes)
    (record,) = latest(pytester).records
    assert record.outcome == "measured"
    assert not isinstance(record.metrics.accuracy, Absent)
    assert record.metrics.parity == Absent("no reference detections: torch is broken")
    result.stdout.fnmatch_lines(["onnx fp32 *no parity: no reference detections: torch is*"])
