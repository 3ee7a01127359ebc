"""Models are found and looked at without running anything in them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from benchsuite.networks.weights import BUNDLED, check_checkpoint, resolve
from benchsuite.terms.errors import ModelError


def _checkpoint(path: Path, class_name: str) -> Path:
    """Write the outer form of a checkpoint whose pickle names one class: PROTO 2, GLOBAL, STOP."""
    pickle = b"\x80\x02c" + f"ultralytics.nn.tasks\n{class_name}\n".encode() + b"."
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{path.stem}/data.pkl", pickle)
    return path


def test_bundled_model_needs_no_path(tmp_path: Path) -> None:
    """The default name finds the checkpoint that comes with the package."""
    (model,) = resolve([BUNDLED], tmp_path)
    assert model.slug == BUNDLED
    assert model.path is not None
    assert model.path.is_file()
    check_checkpoint(model.path)


def test_path_gets_a_name_fit_for_an_id(tmp_path: Path) -> None:
    """A file's stem becomes the model's name, without dashes."""
    path = _checkpoint(tmp_path / "My-Net.pt", "DetectionModel")
    assert resolve([str(path)], tmp_path)[0].slug == "my_net"


def test_official_name_is_left_for_later_when_it_is_not_here(tmp_path: Path) -> None:
    """An official name is accepted without a look at the network."""
    assert resolve(["yolo26n.pt"], tmp_path)[0].path is None


def test_two_models_of_one_name_are_told_apart_or_refused(tmp_path: Path) -> None:
    """Two files with one stem get names from their folders; where these say the same, their ids would clash."""
    (tmp_path / "other").mkdir()
    twins = [_checkpoint(folder / "a.pt", "DetectionModel") for folder in (tmp_path, tmp_path / "other")]
    models = resolve([str(path) for path in twins], tmp_path)
    assert models[1].slug == "other_a"
    assert [model.path for model in models] == [path.resolve() for path in twins]
    upper = _checkpoint(tmp_path / "A.pt", "DetectionModel")
    with pytest.raises(ModelError, match=r"same name .* as in --model other=.*A\.pt"):
        resolve([str(twins[0]), str(upper)], tmp_path)
    assert [model.slug for model in resolve([str(twins[0]), f"big={upper}"], tmp_path)] == ["a", "big"]


def test_a_path_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """Records are UTF-8: a file name in another encoding is refused in a sentence that can be printed."""
    with pytest.raises(ModelError, match="is not valid UTF-8") as caught:
        resolve([f"{tmp_path}/m\udcff.pt"], tmp_path)
    assert str(caught.value).isprintable()


def test_a_path_that_no_system_holds_is_not_there(tmp_path: Path) -> None:
    """A name that is too long for a file is no internal error."""
    with pytest.raises(ModelError, match="there is no such file"):
        resolve([f"{'a' * 400}.pt"], tmp_path)


@pytest.mark.parametrize(
    ("class_name", "task"),
    [("SegmentationModel", "segmentation"), ("PoseModel", "pose"), ("ClassificationModel", "classification"),
     ("OBBModel", "oriented-box"), ("Something", "no Ultralytics detection model")],
)  # fmt: skip
def test_weights_of_another_task_are_refused_by_name(tmp_path: Path, class_name: str, task: str) -> None:
    """Weights of another task are refused with what they are."""
    with pytest.raises(ModelError, match=task):
        check_checkpoint(_checkpoint(tmp_path / "m.pt", class_name))


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 cut"])
def test_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    """An empty, foreign or truncated file is named as damaged."""
    path = tmp_path / "m.pt"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="damaged"):
        check_checkpoint(path)


def test_unknown_names_are_listed_together(tmp_path: Path) -> None:
    """Every model that cannot be found is in one message, with what would be valid."""
    with pytest.raises(ModelError) as caught:
        resolve(["nope.pt", "resnet50"], tmp_path)
    assert "nope.pt" in str(caught.value)
    assert "resnet50" in str(caught.value)
    assert BUNDLED in str(caught.value)
