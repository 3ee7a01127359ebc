"""Pixels, boxes and figures equal Ultralytics' own, on real models and data."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchsuite.data.dataset import Dataset, load_dataset
from benchsuite.data.images import read_image
from benchsuite.data.labels import read_labels
from benchsuite.data.letterbox import place, preprocess
from benchsuite.detect.accuracy import Accuracy, evaluate
from benchsuite.detect.postprocess import DEPLOY, EVAL, DetectSettings, postprocess
from benchsuite.terms.input_size import InputSize

pytestmark = pytest.mark.slow

SHARED = Path(__file__).parents[4] / "shared"
ORACLE = Path(__file__).parents[2] / "support" / "ultralytics_oracle.py"
RUNS = (("yolo26n", "coco8"), ("yolo26n", "voc85"), ("yolov8n", "coco8"))
SIZE = InputSize.square(640)
SQUARE = place(640, 640, SIZE)

Arrays = Mapping[str, Any]


def ask_oracle(folder: Path, command: str, *arguments: str) -> Arrays:
    """Run a command of the oracle, which writes its answer as arrays, and read them."""
    out = folder / f"{command}.npz"
    offline = {"YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false", "YOLO_CONFIG_DIR": str(folder)}
    done = subprocess.run(
        [sys.executable, str(ORACLE), command, *arguments, str(out)],
        env={**os.environ, **offline},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with np.load(out) as answer:
        return dict(answer)


@pytest.fixture(scope="module", params=RUNS, ids="-".join)
def validated(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataset, Arrays]:
    """A data set and what Ultralytics' val did on it."""
    model, data = request.param
    weights, source = SHARED / "models" / f"{model}-coco-approx.pt", SHARED / "data" / data
    if not (weights.is_file() and source.is_dir()):
        pytest.skip("the shared sample models and data do not lie beside this repository")
    folder = tmp_path_factory.mktemp(f"{model}-{data}")
    # A copy, because Ultralytics writes a cache of labels beside them.
    yaml = Path(shutil.copytree(source, folder / data, copy_function=shutil.copyfile)) / f"{data}.yaml"
    return load_dataset(yaml), ask_oracle(folder, "val", str(weights), str(yaml))


def test_val_split_is_the_same(validated: tuple[Dataset, Arrays]) -> None:
    """The same images are evaluated, in the same order."""
    dataset, oracle = validated
    names = [key.removesuffix(":raw") for key in oracle if key.endswith(":raw")]
    assert [path.name for path in dataset.splits["val"]] == names


def test_inputs_are_the_same_pixels(validated: tuple[Dataset, Arrays]) -> None:
    """Letterboxed photographs equal those that val feeds the network, to the last bit."""
    dataset, oracle = validated
    for path in dataset.splits["val"]:
        batch, _ = preprocess([read_image(path)], SIZE)
        np.testing.assert_array_equal(batch[0], oracle[f"{path.name}:pixels"] / np.float32(255), strict=True)


def test_labels_are_the_same(validated: tuple[Dataset, Arrays]) -> None:
    """Classes and boxes of the labels, placed in the network's input, equal those that val compares with."""
    dataset, oracle = validated
    for path in dataset.splits["val"]:
        height, width = read_image(path).shape[:2]
        labels, placed = read_labels(path, dataset.names).scaled(width, height), place(height, width, SIZE)
        ratio, pad = np.array([placed.ratio_x, placed.ratio_y] * 2), np.array([placed.pad_left, placed.pad_top] * 2)
        classes, centres, sizes = np.split(oracle[f"{path.name}:labels"], [1, 3], axis=1)
        corners = np.concatenate([centres - sizes / 2, centres + sizes / 2], 1) * 640
        np.testing.assert_array_equal(labels.classes, classes[:, 0])
        np.testing.assert_allclose(labels.boxes * ratio + pad, corners, atol=1e-3)


def test_detections_are_the_same(validated: tuple[Dataset, Arrays]) -> None:
    """From the same outputs come the same detections in the same order, to the last bit."""
    dataset, oracle = validated
    for path in dataset.splits["val"]:
        assert_same_detections(oracle[f"{path.name}:raw"][None], EVAL, oracle[f"{path.name}:found"])


def test_figures_are_the_same(validated: tuple[Dataset, Arrays]) -> None:
    """mAP50, mAP50-95 and every class's AP equal those of `YOLO(...).val(...)`."""
    dataset, oracle = validated
    detections, labels, sizes = [], [], []
    for path in dataset.splits["val"]:
        height, width = read_image(path).shape[:2]
        detections += postprocess(oracle[f"{path.name}:raw"][None], [place(height, width, SIZE)], EVAL)
        labels.append(read_labels(path, dataset.names).scaled(width, height))
        sizes.append((height, width))
    accuracy = evaluate(detections, labels, sizes, dataset.names, SIZE, "", EVAL)
    assert isinstance(accuracy, Accuracy)
    assert accuracy.map50 == pytest.approx(float(oracle["map50"]), abs=1e-4)
    assert accuracy.map50_95 == pytest.approx(float(oracle["map50_95"]), abs=1e-4)
    assert [one.name for one in accuracy.per_class] == [dataset.names[number] for number in oracle["classes"]]
    assert [one.ap50_95 for one in accuracy.per_class] == pytest.approx(oracle["ap"].mean(1).tolist(), abs=1e-3)


def test_odd_sizes_are_the_same_pixels(tmp_path: Path) -> None:
    """Images larger and smaller than the input, thin ones and odd sides, too, give the same pixels."""
    import cv2

    rng = np.random.default_rng(0)
    sizes = [(10, 10), (13, 700), (701, 11), (320, 320), (319, 320), (97, 64), (64, 97), (1001, 333), (240, 319)]
    sizes += [(int(height), int(width)) for height, width in rng.integers(10, 900, (20, 2))]
    (tmp_path / "images").mkdir()
    for index, size in enumerate(sizes):
        assert cv2.imwrite(str(tmp_path / "images" / f"{index:02d}.png"), rng.integers(0, 256, (*size, 3), np.uint8))
    oracle = ask_oracle(tmp_path, "letterbox", str(tmp_path / "images"), "320")
    assert len(oracle) == len(sizes)
    for name, planes in oracle.items():
        batch, _ = preprocess([read_image(tmp_path / "images" / name)], InputSize.square(320))
        np.testing.assert_array_equal(batch[0], planes / np.float32(255), strict=True)


def test_random_outputs_give_the_same_detections(tmp_path: Path) -> None:
    """Crowds of random boxes, ties, more candidates than may enter NMS, empty and final outputs: always the same."""
    rng = np.random.default_rng(0)
    outputs: dict[str, Any] = {"empty": np.zeros((1, 84, 100))}
    for index, (classes, count, spread) in enumerate([(80, 350, 640), (1, 3000, 90), (3, 40, 10), (80, 8400, 640)]):
        boxes = np.concatenate([rng.uniform(0, spread, (2, count)), rng.uniform(1, 120, (2, count))])
        scores = rng.permutation(np.linspace(0, 1, classes * count) ** 6).reshape(classes, count)
        outputs[f"random{index}"] = np.concatenate([boxes, scores])[None]
        # A quantised network's scores are multiples of its scale. Where more candidates than may enter NMS are sorted
        # first, Ultralytics leaves the order of equal ones to chance.
        if scores.size <= 30_000:
            outputs[f"ties{index}"] = np.concatenate([boxes.round(), (scores * 50).round() / 50])[None]
    outputs["end2end"] = np.concatenate([rng.random((1, 300, 5)), rng.integers(0, 80, (1, 300, 1))], 2)
    outputs = {name: output.astype(np.float32) for name, output in outputs.items()}
    np.savez(tmp_path / "outputs.npz", **outputs)
    oracle = ask_oracle(tmp_path, "nms", str(tmp_path / "outputs.npz"))
    assert sum(len(found) for found in oracle.values()) > 1000
    for name, output in outputs.items():
        for settings, label in ((DEPLOY, "deploy"), (EVAL, "eval")):
            expected = oracle[f"{name}:{label}"]
            if settings.clip:
                expected = np.concatenate([expected[:, :4].clip(0, 640), expected[:, 4:]], 1)
            assert_same_detections(output, settings, expected)


def assert_same_detections(output: Any, settings: DetectSettings, expected: Any) -> None:
    (found,) = postprocess(output, [SQUARE], settings)
    np.testing.assert_array_equal(found.boxes, expected[:, :4])
    np.testing.assert_array_equal(found.scores, expected[:, 4])
    np.testing.assert_array_equal(found.classes, expected[:, 5])
