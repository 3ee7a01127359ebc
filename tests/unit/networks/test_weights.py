"""Models are found and looked at without running anything in them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from benchsuite.networks.weights import BUNDLED, check_checkpoint, resolve
from benchsuite.terms.errors import ModelError


def _checkpoint(path: Path, class_name: str) -> Path:
    """Write the outer form of a checkpoint whose pickle names one class: PROTO 2, EMPTY_DICT, GLOBAL, POP, STOP."""
    module, _, name = class_name.rpartition(" ")
    return _archive(path, b"\x80\x02}c" + f"{module or 'ultralytics.nn.tasks'}\n{name}\n".encode() + b"0.")


def _archive(path: Path, pickle: bytes) -> Path:
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
     ("OBBModel", "it holds an oriented-box model"), ("RTDETRDetectionModel", "an RT-DETR model"),
     ("models.yolo Model", "YOLOv5 model"), ("Something", "no Ultralytics detection model"),
     ("__main__ MyNet", r"holds MyNet of the script that saved it \(__main__\)")],
)  # fmt: skip
def test_weights_of_another_task_are_refused_by_name(tmp_path: Path, class_name: str, task: str) -> None:
    """Weights of another task are refused with what they are."""
    with pytest.raises(ModelError, match=task):
        check_checkpoint(_checkpoint(tmp_path / "m.pt", class_name))


def test_class_of_a_newer_pickle_is_found(tmp_path: Path) -> None:
    """From protocol 4 on a class is named by two texts, which may stand in the memo."""
    texts = (b"ultralytics.nn.tasks", b"OBBModel")
    names = b"".join(b"\x8c" + bytes([len(text)]) + text + b"\x94" for text in texts)
    for class_name in (names + b"\x93", names + b"}0h\x00h\x01\x93"):
        with pytest.raises(ModelError, match="oriented-box"):
            check_checkpoint(_archive(tmp_path / "m.pt", b"\x80\x04}" + class_name + b"0."))


def test_module_that_was_pickled_whole_is_told_what_it_is(tmp_path: Path) -> None:
    """A network without the checkpoint around it is refused with the way to save it."""
    whole = _archive(tmp_path / "m.pt", b"\x80\x02cultralytics.nn.tasks\nDetectionModel\n.")
    with pytest.raises(ModelError, match=r"pickled whole.*torch\.save\(\{'model': module\}, path\)"):
        check_checkpoint(whole)


def test_file_of_an_older_pytorch_is_read(tmp_path: Path) -> None:
    """Before 1.6 a file was pickles one behind another; cut within them it is damaged."""
    import pickle

    parts = [pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})]
    detector = b"\x80\x02}cultralytics.nn.tasks\nDetectionModel\n0."
    path = tmp_path / "m.pt"
    path.write_bytes(b"".join([*parts, detector, pickle.dumps(["0"], 2), b"weights"]))
    check_checkpoint(path)
    path.write_bytes(b"".join([*parts, detector[:-5]]))
    with pytest.raises(ModelError, match="damaged"):
        check_checkpoint(path)


def test_names_of_files_are_taken_as_they_are(tmp_path: Path) -> None:
    """An ending in capitals is one; a folder is none, and neither is a name that no file can have."""
    assert resolve([str(_checkpoint(tmp_path / "A.PT", "DetectionModel"))], tmp_path)[0].slug == "a"
    (tmp_path / "x.pt").mkdir()
    for name, found in (("x.pt", "it is a folder"), ("y" * 5000, "there is no such file"), ("\0.pt", "no such file")):
        with pytest.raises(ModelError, match=found):
            resolve([str(tmp_path / name)], tmp_path)


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
