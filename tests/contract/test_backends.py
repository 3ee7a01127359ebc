"""Every backend, at every precision that this machine can run, keeps one contract, on exports of a trained model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchsuite.artifacts.store import Store
from benchsuite.backends import BACKENDS, backend, only_builds
from benchsuite.backends.offers import recorded_packages
from benchsuite.backends.proof import contradiction
from benchsuite.backends.reasons import has_bf16
from benchsuite.data.dataset import load_dataset
from benchsuite.data.shapes import NAMES, ShapesSpec, shapes_data
from benchsuite.machine.facts import read_machine
from benchsuite.networks.weights import BUNDLED, resolve
from benchsuite.terms.cases import PRECISIONS, Case, Head
from benchsuite.terms.errors import ProcessError
from tests.support.workshop import IMGSZ, SIZE, FloatArray, Workshop

pytestmark = pytest.mark.slow

MACHINE = read_machine(recorded_packages())

# Largest mean difference from PyTorch FP32 over what it is sure of: scores, and box coordinates in pixels.
TOLERANCES = {"fp32": (1e-4, 0.01), "fp16": (0.005, 0.3), "bf16": (0.03, 1.0), "int8": (0.12, 3.0)}
_SAME_OBJECT_PX = 10
# By what name each runtime reports its threads.
THREADS = {
    "torch": "threads",
    "onnx": "intra_op_threads",
    "openvino": "INFERENCE_NUM_THREADS",
    "ncnn": "num_threads",
}


def _case(
    backend_name: str, precision: str, head: Head = "one2many", batch: int = 1, device: str = "cpu", way: str = ""
) -> Case:
    return Case("yolo26n", backend_name, precision, device, SIZE, batch, 1, head, way)  # type: ignore[arg-type]


def _every_case() -> list[Case]:
    plain = [
        _case(name, precision, device=device)
        for device in ("cpu", "cuda:0")
        for name in BACKENDS
        for precision in PRECISIONS
    ]
    end2end = [replace(case, head="end2end") for case in plain]
    others = [
        _case("torch", "fp32", way="compile"),
        _case("torch", "fp16", device="cuda:0", way="compile"),
        _case("onnx", "fp16", device="cuda:0", way="trtep"),
        _case("trt", "fp16", device="cuda:0", way="cudagraph"),
    ]
    return [case for case in plain + end2end + others if _runs(case)]


def _runs(case: Case) -> bool:
    return backend(case.backend).why_not(case, MACHINE) is None and only_builds(case, MACHINE) is None


CASES = _every_case()


@pytest.fixture(scope="module")
def workshop(material: Path | None, tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Give a model of 80 classes and photographs, or the bundled one and drawn images, and an empty store."""
    root = tmp_path_factory.mktemp("contract")
    if material is None:
        drawn = load_dataset(shapes_data(root, ShapesSpec(train=0, val=8, calib=12))).splits
        (bundled,) = resolve([BUNDLED], root)
        assert bundled.path is not None
        return Workshop(bundled.path, len(NAMES), drawn["val"], drawn["calib"], root, MACHINE)
    data, weights = material / "data", material / "models" / "yolo26n-coco-approx.pt"
    images = tuple(sorted((data / "coco8" / "images").rglob("*.jpg")))
    calibration = tuple(sorted((data / "voc85" / "images").glob("*.jpg")))[:12]
    return Workshop(weights, 80, images, calibration, root, MACHINE)


@pytest.fixture(scope="module")
def references(workshop: Workshop) -> dict[Head, FloatArray]:
    """Give PyTorch FP32's outputs of both heads."""
    found: dict[Head, FloatArray] = {}
    for head in ("one2many", "end2end"):
        case = _case("torch", "fp32", head)
        with workshop.session(case) as child:
            found[head] = workshop.outputs(child, workshop.inputs())
    return found


@pytest.mark.parametrize("row", CASES, ids=lambda case: case.id)
def test_session_keeps_the_contract(row: Case, workshop: Workshop, references: dict[Head, FloatArray]) -> None:
    """Outputs are finite, of the right shape, repeatable, near PyTorch FP32's, and the proof fits the name."""
    with workshop.session(row) as child:
        outputs = workshop.outputs(child, workshop.inputs())
        ran = workshop.proof(child)
    anchors = sum((IMGSZ // stride) ** 2 for stride in (8, 16, 32))
    assert outputs.shape[1:] == ((1, 4 + workshop.classes, anchors) if row.head == "one2many" else (1, 300, 6))
    assert np.isfinite(outputs).all()
    # The first output was kept while another image ran: a runtime must not have written over it.
    np.testing.assert_allclose(outputs[0], outputs[-1], rtol=0, atol=1e-3)
    assert np.abs(outputs[0] - outputs[1]).max() > 1

    scores_off, boxes_off = _difference(references[row.head], outputs, row.head)
    scores_allowed, boxes_allowed = TOLERANCES[row.precision]
    assert scores_off <= scores_allowed
    assert boxes_off <= boxes_allowed

    assert contradiction(row, ran) is None
    stored_only = f"{row.precision} storage, fp32 compute"
    assert ran.label in (row.precision, stored_only)
    if row.precision in ("fp32", "int8"):
        assert ran.label == row.precision
    if row.precision == "fp16" and row.device == "cpu" and row.backend in ("onnx", "ncnn") and MACHINE.is_x86:
        assert ran.label == stored_only
    # TensorRT inside ONNX Runtime shows as one kernel.
    assert sum(ran.kernels.values()) > (0 if row.way == "trtep" else 50)
    if row.on_gpu:
        assert ran.settings["tf32"] == "off"
        assert ran.label == row.precision
    else:
        assert ran.settings[THREADS[row.backend]] == "1"
    if row.way == "compile":
        # In one piece: what it leaves to Python in between would be timed as its own.
        assert (ran.settings["compiled_graphs"], ran.settings["graph_breaks"]) == ("1", "0")
    if (row.backend, row.precision) == ("openvino", "int8"):
        # What stays float takes half the time so.
        assert ("bf16" in ran.settings["INFERENCE_PRECISION_HINT"]) == has_bf16(MACHINE.isa)


def _difference(expected: FloatArray, found: FloatArray, head: Head) -> tuple[float, float]:
    """Return the mean differences of score and of box coordinates over what `expected` is sure of."""
    scores, boxes = [], []
    for one, other in zip(expected[:, 0], found[:, 0], strict=True):
        if head == "one2many":
            sure = one[4:].max(0) > 0.4
            scores.append(np.abs(one[4:, sure] - other[4:, sure]).max(0))
            boxes.append(np.abs(one[:4, sure] - other[:4, sure]).mean(0))
        else:
            for row in one[one[:, 4] > 0.4]:
                here, there = _best_of_object(one, row), _best_of_object(other, row)
                scores.append(np.abs(here[4:5] - there[4:5]))
                boxes.append(np.abs(here[:4] - there[:4]).mean(keepdims=True))
    assert sum(map(len, scores)) >= 8, "the images show too little to compare"
    return float(np.concatenate(scores).mean()), float(np.concatenate(boxes).mean())


def _best_of_object(detections: FloatArray, row: FloatArray) -> FloatArray:
    """Return the surest detection near `row` of its class: neighbouring anchors find an object with less confidence."""
    near = (detections[:, 5] == row[5]) & (np.abs(detections[:, :4] - row[:4]).mean(1) < _SAME_OBJECT_PX)
    best: FloatArray = detections[np.where(near, detections[:, 4], -1).argmax()]
    return best


@pytest.mark.parametrize(
    ("name", "precision"), [("torch", "bf16"), ("onnx", "fp16"), ("onnx", "int8"), ("openvino", "int8")]
)
def test_head_that_averages_distances(name: str, precision: str, workshop: Workshop, shared: Path) -> None:
    """A head with DFL, as YOLOv8 has, comes out near PyTorch FP32 too: its decode stays float."""
    reason = backend(name).why_not(_case(name, precision), MACHINE)  # type: ignore[arg-type]
    if reason:
        pytest.skip(reason)
    other = replace(workshop, weights=shared / "models" / "yolov8n-coco-approx.pt")
    outputs = []
    for case in (_case("torch", "fp32"), _case(name, precision)):
        with other.session(case) as child:
            outputs.append(other.outputs(child, other.inputs()))
    scores_off, boxes_off = _difference(outputs[0], outputs[1], "one2many")
    scores_allowed, boxes_allowed = TOLERANCES[precision]
    assert scores_off <= scores_allowed
    assert boxes_off <= boxes_allowed


@pytest.mark.parametrize("name", ["torch", "onnx", "openvino"])
def test_batch_gives_what_single_images_give(name: str, workshop: Workshop) -> None:
    """Each image of a batch of two comes out as it does alone."""
    with workshop.session(_case(name, "fp32")) as child:
        alone = workshop.outputs(child, workshop.inputs())[:-1]
    with workshop.session(_case(name, "fp32", batch=2)) as child:
        together = workshop.outputs(child, workshop.inputs(batch=2))[:-1].reshape(alone.shape)
    np.testing.assert_allclose(together, alone, rtol=0, atol=0.02)


def test_hidden_bf16_is_found_out(workshop: Workshop) -> None:
    """A row named fp32 whose session ran with OpenVINO's default hint on a bf16 CPU is contradicted."""
    bf16 = _case("openvino", "bf16")
    reason = backend("openvino").why_not(bf16, MACHINE)
    if reason:
        pytest.skip(reason)
    with workshop.session(bf16) as child:
        ran = workshop.proof(child)
    conflict = contradiction(_case("openvino", "fp32"), ran)
    assert conflict is not None
    assert "ran bf16" in conflict
    assert contradiction(_case("openvino", "int8"), ran) is not None


def test_float_artifact_is_no_int8(workshop: Workshop) -> None:
    """An int8 row that loaded a float model is contradicted."""
    int8 = _case("onnx", "int8")
    with workshop.session(int8, workshop.artifact(_case("onnx", "fp32"))) as child:
        ran = workshop.proof(child)
    conflict = contradiction(int8, ran)
    assert conflict is not None
    assert "no convolution ran in an integer kernel" in conflict


@pytest.mark.parametrize(
    ("asked", "stored"), [("end2end", "one2many"), ("one2many", "end2end")], ids=["wants-end2end", "wants-one2many"]
)
def test_other_head_is_refused(asked: Head, stored: Head, workshop: Workshop) -> None:
    """An artifact of the other head is refused with a sentence when it is opened."""
    artifact = workshop.artifact(_case("onnx", "fp32", stored))
    with (
        pytest.raises(Exception, match=f"asks for the {asked} head"),
        workshop.session(_case("onnx", "fp32", asked), artifact),
    ):
        pass


def test_same_recipe_gives_the_same_bytes(workshop: Workshop, tmp_path: Path) -> None:
    """Two builds of one recipe agree to the byte, from export to quantisation."""
    case = _case("onnx", "int8")
    once = workshop.artifact(case)
    recipe = workshop.recipe(case)
    again, _ = Store(tmp_path / "other").get(recipe, workshop.weights, workshop.calibration)
    assert again.sha256 == once.sha256


def test_building_leaves_nothing_behind(workshop: Workshop, tmp_path: Path) -> None:
    """Exporters that write beside the weights or into the working folder leave no trace there."""
    folder = tmp_path / "weights"
    folder.mkdir()
    weights = folder / "model.pt"
    weights.write_bytes(workshop.weights.read_bytes())
    here = {path.name for path in Path.cwd().iterdir()}
    store = Store(tmp_path / "store")
    for name in ("onnx", "ncnn"):
        store.get(workshop.recipe(_case(name, "fp32")), weights)
    assert [path.name for path in folder.iterdir()] == ["model.pt"]
    assert {path.name for path in Path.cwd().iterdir()} == here


def test_vulkan_finds_what_the_cpu_finds(workshop: Workshop, references: dict[Head, FloatArray]) -> None:
    """NCNN on a Vulkan device keeps the tolerances of FP32, and names the device that ran."""
    row = replace(_case("ncnn", "fp32"), device="vulkan")
    reason = backend("ncnn").why_not(row, MACHINE)
    if reason:
        pytest.skip(reason)
    artifact = workshop.artifact(row)
    try:
        with workshop.session(row, artifact) as child:
            outputs = workshop.outputs(child, workshop.inputs())
            ran = workshop.proof(child)
    except ProcessError as error:
        if "found no Vulkan device" not in str(error):
            raise
        pytest.skip("a Vulkan loader is there and no device")
    scores_off, boxes_off = _difference(references["one2many"], outputs, "one2many")
    scores_allowed, boxes_allowed = TOLERANCES["fp32"]
    assert scores_off <= scores_allowed
    assert boxes_off <= boxes_allowed
    assert contradiction(row, ran) is None
    assert ran.label == "fp32"
    assert ran.settings["use_vulkan_compute"] == "True"
    assert ran.settings["vulkan_device"]
