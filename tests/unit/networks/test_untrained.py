"""A yaml stands for random weights, which are measured like any others but for their accuracy."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchsuite.artifacts.store import Store
from benchsuite.networks.weights import check_checkpoint, fetch, file_sha256, resolve
from benchsuite.terms.errors import ModelError
from benchsuite.terms.input_size import InputSize

pytestmark = pytest.mark.slow


def built(name: str, root: Path, *classes: str) -> Path:
    (ref,) = resolve([name], root)
    return fetch(ref, root, root / "log.txt", classes)


def test_random_weights_of_a_yaml_are_a_checkpoint_that_says_so(tmp_path: Path) -> None:
    """They are built once, the same each time, and their card says that accuracy is worth nothing."""
    weights = built("yolo26n.yaml", tmp_path)
    check_checkpoint(weights)
    before = weights.stat().st_mtime_ns
    assert built("yolo26n.yaml", tmp_path) == weights
    assert weights.stat().st_mtime_ns == before
    card, _ = Store(tmp_path).card(weights, file_sha256(weights), InputSize.square(320), "one2many", {})
    assert card.untrained
    assert str(card.origin) == "random weights of yolo26n.yaml"
    assert card.params == pytest.approx(2.41e6, rel=0.01)
    again = built("yolo26n.yaml", tmp_path / "elsewhere")
    assert file_sha256(again) == file_sha256(weights)


def test_they_know_the_classes_that_they_are_to_learn(tmp_path: Path) -> None:
    """The yaml's own number of classes does not matter then."""
    weights = built("yolov8n.yaml", tmp_path, "cat", "dog")
    card, _ = Store(tmp_path).card(weights, file_sha256(weights), InputSize.square(320), "one2many", {})
    assert card.names == ("cat", "dog")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("backbone: []", "it describes no detection network that Ultralytics can build"),
        (
            "nc: 2\nbackbone:\n  - [-1, 1, Conv, [16, 3, 2]]\nhead:\n  - [-1, 1, Classify, [nc]]\n",
            "it ends in Classify: benchsuite measures YOLO26, YOLO11 and YOLOv8 only",
        ),
    ],
)
def test_a_yaml_that_is_no_detector_is_refused(content: str, sentence: str, tmp_path: Path) -> None:
    """In one sentence, whatever Ultralytics' parser makes of it."""
    yaml = tmp_path / "mine.yaml"
    yaml.write_text(content)
    with pytest.raises(ModelError, match=sentence):
        built(str(yaml), tmp_path)
