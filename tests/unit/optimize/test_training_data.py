"""What cannot be learned from is refused before hours go into it."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchsuite.data.dataset import load_dataset
from benchsuite.optimize.training_data import check_training_data
from benchsuite.terms.errors import DataError


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for split in ("train", "val"):
        (tmp_path / "images" / split).mkdir(parents=True)
        (tmp_path / "labels" / split).mkdir(parents=True)
        for number in range(2):
            (tmp_path / "images" / split / f"{number}.png").write_bytes(b"no picture is read")
            (tmp_path / "labels" / split / f"{number}.txt").write_text(f"{number} 0.5 0.5 0.2 0.2\n")
    yaml = tmp_path / "data.yaml"
    yaml.write_text("train: images/train\nval: images/val\nnames: [cat, dog]\n")
    return yaml


def test_the_digest_tells_labels_and_images_apart(data: Path) -> None:
    """It stays with the data, and changes with a label and with a picture."""
    digests = [check_training_data(load_dataset(data))]
    assert check_training_data(load_dataset(data)) == digests[0]
    label = data.with_name("labels") / "train" / "0.txt"
    label.write_text("0 0.5 0.5 0.2 0.3\n")
    digests.append(check_training_data(load_dataset(data)))
    (data.with_name("images") / "train" / "0.png").write_bytes(b"another picture")
    digests.append(check_training_data(load_dataset(data)))
    assert len(set(digests)) == 3


def test_a_class_without_objects_is_named(data: Path) -> None:
    """A network would unlearn it."""
    (data.with_name("labels") / "train" / "1.txt").write_text("")
    with pytest.raises(DataError, match=r"has no object of 1 class \(dog\), which a network would unlearn"):
        check_training_data(load_dataset(data))


def test_a_broken_label_is_named_with_its_line(data: Path) -> None:
    """Ultralytics would leave the image out, with a warning among thousands of lines."""
    file = data.with_name("labels") / "train" / "1.txt"
    file.write_text("1 0.5 0.5 0.2 0.2\n1 0.5 0.5 nothing 0.2\n")
    with pytest.raises(DataError, match=r"1\.txt', line 2: '1 0.5 0.5 nothing 0.2' is not made of numbers"):
        check_training_data(load_dataset(data))


def test_data_without_a_train_split_are_refused(data: Path) -> None:
    """There is nothing to learn from."""
    data.write_text("val: images/val\nnames: [cat, dog]\n")
    with pytest.raises(DataError, match="names no train split to train on; add a line 'train:'"):
        check_training_data(load_dataset(data))
