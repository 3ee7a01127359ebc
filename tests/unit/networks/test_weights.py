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


def test_two_models_of_one_name_are_refused(tmp_path: Path) -> None:
    """Two files with one stem would share their ids."""
    (tmp_path / "other").mkdir()
    twins = [_checkpoint(folder / "a.pt", "DetectionModel") for folder in (tmp_path, tmp_path / "other")]
    with pytest.raises(ModelError, match="same name"):
        resolve([str(path) for path in twins], tmp_path)


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


def test_archive_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    """A member that is packed a hundred times smaller, as no weights are, is told before it is unpacked."""
    path = tmp_path / "m.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("m/data.pkl", b"\0" * 5_000_000)
    with pytest.raises(ModelError, match=r"its [\d,]+ bytes unpack to 5,000,000, as no network's do"):
        check_checkpoint(path)


def test_encrypted_archive_is_refused(tmp_path: Path) -> None:
    """Its flag is read in the directory, and no password is asked for."""
    path = _checkpoint(tmp_path / "m.pt", "ultralytics.nn.tasks DetectionModel")
    content = bytearray(path.read_bytes())
    content[content.find(b"PK\1\2") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match="it is encrypted"):
        check_checkpoint(path)


def test_unknown_names_are_listed_together(tmp_path: Path) -> None:
    """Every model that cannot be found is in one message, with what would be valid."""
    with pytest.raises(ModelError) as caught:
        resolve(["nope.pt", "resnet50"], tmp_path)
    assert "nope.pt" in str(caught.value)
    assert "resnet50" in str(caught.value)
    assert BUNDLED in str(caught.value)
