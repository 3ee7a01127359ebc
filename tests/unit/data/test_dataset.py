"""data.yaml files as people write them, and what is said about broken ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchsuite.data.dataset import calibration_images, load_dataset
from benchsuite.terms.errors import DataError

# Seven levels, each of which merges eight copies of the one before; newer releases of PyYAML take each pair once.
ALIAS_BOMB = "a: &a {k: 1, l: 2}\n" + "".join(
    f"{name}: &{name}\n  <<: [{', '.join([f'*{before}'] * 8)}]\n"
    for before, name in zip("abcdefg", "bcdefgh", strict=True)
)


def touch(*files: Path) -> None:
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


def write_yaml(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "data.yaml"
    file.write_text(text)
    return file


def test_split_folder_is_walked_and_sorted_as_text(tmp_path: Path) -> None:
    """A split's folder is searched to the bottom, for images only, and sorted by the whole path."""
    images = tmp_path / "images" / "val"
    touch(images / "b.JPG", images / "a.png", images / "deep" / "c.webp", images / "deep-er" / "d.bmp")
    touch(images / "notes.txt", images / ".hidden.jpg", images / ".cache" / "e.jpg")
    dataset = load_dataset(write_yaml(tmp_path, "val: images/val\nnames: [cat, dog]\n"))
    found = [path.relative_to(images).as_posix() for path in dataset.splits["val"]]
    assert found == ["a.png", "b.JPG", "deep-er/d.bmp", "deep/c.webp"]
    assert dataset.names == ("cat", "dog")
    assert set(dataset.splits) == {"val"}


@pytest.mark.parametrize(("line", "columns"), [("", 0), ("kpt_shape: [17, 3]\n", 51), ("kpt_shape: [4, 2]\n", 8)])
def test_keypoints_say_how_many_numbers_follow_a_box(tmp_path: Path, line: str, columns: int) -> None:
    """A data set for poses can score a detector too."""
    touch(tmp_path / "images" / "a.png")
    assert load_dataset(write_yaml(tmp_path, f"val: images\nnames: [cat]\n{line}")).keypoint_columns == columns


@pytest.mark.parametrize("shape", ["17", "[17]", "[17, x]", "[-1, 3]", "[true, 3]", "{a: 1}"])
def test_keypoints_that_are_no_two_numbers_are_refused(tmp_path: Path, shape: str) -> None:
    """The sentence has what stands there."""
    touch(tmp_path / "images" / "a.png")
    with pytest.raises(DataError, match=r"'kpt_shape' of '.*' is .*; it must be two numbers"):
        load_dataset(write_yaml(tmp_path, f"val: images\nnames: [cat]\nkpt_shape: {shape}\n"))


def test_list_of_folders_is_one_sorted_split(tmp_path: Path) -> None:
    """Several folders make one split, whatever order they are named in."""
    touch(tmp_path / "images" / "b" / "1.jpg", tmp_path / "images" / "a" / "2.jpg")
    dataset = load_dataset(write_yaml(tmp_path, "val: [images/b, images/a]\nnames: {1: dog, '0': cat}\n"))
    assert [path.name for path in dataset.splits["val"]] == ["2.jpg", "1.jpg"]
    assert dataset.names == ("cat", "dog")


@pytest.mark.parametrize(
    ("line", "list_folder"), [("./images/1.jpg", "lists"), ("images/1.jpg", ""), ("images/1.jpg", "lists")]
)
def test_text_list_resolves_relative_lines(tmp_path: Path, line: str, list_folder: str) -> None:
    """`./` starts at the list's folder; other relative lines at the data set's root, or else at the list's folder."""
    touch(tmp_path / list_folder / "images" / "1.jpg", tmp_path / "elsewhere" / "2.jpg")
    listing = tmp_path / list_folder / "val.txt"
    listing.write_text(f"\ufeff{line}\n\n{tmp_path / 'elsewhere' / '2.jpg'}\nreadme.md\n", encoding="utf-8")
    dataset = load_dataset(write_yaml(tmp_path, f"val: {listing.relative_to(tmp_path)}\nnames: [cat]\n"))
    assert set(dataset.splits["val"]) == {
        tmp_path / list_folder / "images" / "1.jpg",
        tmp_path / "elsewhere" / "2.jpg",
    }


def test_path_starts_at_working_directory_then_at_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative `path` means the working directory if the val split is there, and the file's own folder if not."""
    touch(tmp_path / "file" / "set" / "images" / "1.jpg")
    yaml = write_yaml(tmp_path / "file", "path: set\nval: images\nnames: [cat]\n")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    assert [path.name for path in load_dataset(yaml).splits["val"]] == ["1.jpg"]
    touch(tmp_path / "work" / "set" / "images" / "2.jpg")
    assert [path.name for path in load_dataset(yaml).splits["val"]] == ["2.jpg"]


def test_absolute_path_and_parent_prefix(tmp_path: Path) -> None:
    """`path` may be absolute, and `../images` is also looked for beside the file."""
    touch(tmp_path / "set" / "images" / "1.jpg")
    far = write_yaml(tmp_path / "far", f"path: {tmp_path / 'set'}\nval: ../images\nnames: [cat]\n")
    assert [path.name for path in load_dataset(far).splits["val"]] == ["1.jpg"]


def test_missing_train_split_matters_only_when_used(tmp_path: Path) -> None:
    """Evaluation alone needs no training images; asking for them says that they are missing."""
    touch(tmp_path / "images" / "val" / "1.jpg")
    yaml = write_yaml(tmp_path, "train: images/train\nval: images/val\nnames: [cat]\n")
    dataset = load_dataset(yaml)
    assert "train" in dataset.splits
    with pytest.raises(DataError, match=r"the train split of '.*data.yaml' is missing: found nothing at '.*train'"):
        calibration_images(dataset, 4)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: [", "is not YAML, line 1: expected the node content, but found '<stream end>'"),
        ("val: images\nnames: [a", "is not YAML, line 2: expected ',' or ']', but got '<stream end>'"),
        ("names: [a,\n  b\nval: x", "line 3: expected .*, while parsing a flow sequence from line 1 on"),
        ("val: images\nnames:\n\t- a", r"line 3: found character '\\t' that cannot start any token"),
        ("val: images\nnames: [\x07]", "is not YAML, line 2: unacceptable character #x0007"),
        ("just a word", "holds no 'key: value' lines"),
        ("val: images", "names no classes"),
        ("val: images\nnames: []", "names no classes"),
        (
            "val: images\nnames: person",
            "'names' of '.*' is 'person'; it must be a list, or a mapping from class number",
        ),
        ("val: images\nnames: 3", "'names' of '.*' is 3; it must be a list"),
        ("val: images\nnames: {0: a, 2: b}", r"numbers 2 classes 0 to 2; they must be 0 to 1"),
        ("val: images\nnames: {cat: 0}", "other than a class number"),
        ("names: [a]", "names no val split"),
        ("names: [a]\nval: 3", "'val' of '.*' is 3; it must be"),
        ("names: [a]\nval: nowhere", "the val split of '.*' is missing: found nothing at '.*nowhere'"),
        ("names: [a]\nval: empty", r"the val split of '.*' \(empty\) was found and holds no images"),
        ("names: [a]\nval: empty\npath: 4", "'path' of '.*' is 4"),
        ("[" * 100_000, "nested more than 100 deep"),
        ("- " * 5_000, "nested more than 100 deep"),
        (ALIAS_BOMB, "its aliases stand for more than 1000 values|names no classes"),
        ("names: {0: &a [a, *a]}\nval: empty", "other than a class number"),
        ("names: {.inf: a}\nval: empty", "other than a class number"),
        ("? [1]\n: 2", "is not YAML, line 1: found unhashable key"),
        ("names: [a]\nval: 2001-99-99", "is not YAML: month must be in 1..12"),
        ("names: [a]\nval: /proc", "'/proc', a folder of the system"),
        ("names: [a]\nval: /", "'/', a folder of the system"),
        ("names: [a]\nval: [[1, 2]]", "'val' of '.*' is a list; it must be"),
        ('names: [a]\nval: "\\0"', r"'\\x00' can be no path"),
        ("#" * 1_000_001, "it is larger than 1 MB"),
    ],
)
def test_broken_file_gets_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    """Each way of being broken has its own message, on one line, that names the file."""
    (tmp_path / "empty").mkdir()
    touch(tmp_path / "images" / "1.jpg")
    yaml = write_yaml(tmp_path, text)
    with pytest.raises(DataError, match=sentence) as caught:
        load_dataset(yaml)
    assert str(yaml) in str(caught.value) or "can be no path" in sentence
    assert "\n" not in str(caught.value)


def test_link_to_a_folder_above_is_not_walked_without_end(tmp_path: Path) -> None:
    """A folder that leads back to itself is left out; other links are followed."""
    touch(tmp_path / "images" / "deep" / "1.jpg", tmp_path / "elsewhere" / "2.jpg")
    (tmp_path / "images" / "deep" / "back").symlink_to(tmp_path / "images")
    (tmp_path / "images" / "more").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "round").symlink_to(tmp_path / "images")
    found = load_dataset(write_yaml(tmp_path, "val: images\nnames: [a]")).splits["val"]
    assert [path.name for path in found] == ["1.jpg", "2.jpg"]


def test_missing_file_and_folder_are_told_apart(tmp_path: Path) -> None:
    """Naming a folder instead of its data.yaml is said as such."""
    with pytest.raises(DataError, match="found nothing there"):
        load_dataset(tmp_path / "data.yaml")
    with pytest.raises(DataError, match="found a folder there"):
        load_dataset(tmp_path)


def make_splits(folder: Path, **counts: int) -> Path:
    for split, count in counts.items():
        (folder / split).mkdir(parents=True)
        touch(*(folder / split / f"{index:02d}.jpg" for index in range(count)))
    return write_yaml(folder, "names: [a]\n" + "".join(f"{split}: {split}\n" for split in counts))


def test_calibration_is_spread_over_its_split(tmp_path: Path) -> None:
    """A few of many calibration images are spread evenly, and all are taken where there are fewer."""
    dataset = load_dataset(make_splits(tmp_path, val=1, train=3, calibration=10))
    assert [path.stem for path in calibration_images(dataset, 4)] == ["00", "02", "05", "07"]
    assert {path.parent.name for path in calibration_images(dataset, 4)} == {"calibration"}
    assert calibration_images(dataset, 99) == dataset.splits["calib"]
    assert calibration_images(dataset, 4) == calibration_images(dataset, 4)


def test_calibration_falls_back_to_train(tmp_path: Path) -> None:
    """Without a calib split the training images calibrate; without both there is a sentence."""
    both = load_dataset(make_splits(tmp_path / "both", val=1, train=3))
    assert [path.parent.name for path in calibration_images(both, 2)] == ["train", "train"]
    only_val = load_dataset(make_splits(tmp_path / "only", val=1))
    with pytest.raises(DataError, match="neither a calib nor a train split"):
        calibration_images(only_val, 2)
    empty = load_dataset(make_splits(tmp_path / "empty", val=1, train=0))
    with pytest.raises(DataError, match="holds no images to calibrate on"):
        calibration_images(empty, 2)
    with pytest.raises(DataError, match="asked for 0 calibration images"):
        calibration_images(both, 0)


def test_shared_sets_load() -> None:
    """The sample sets have the splits that their notes describe."""
    shared = Path(__file__).parents[4] / "shared" / "data"
    if not shared.is_dir():
        pytest.skip("the shared sample data does not lie beside this repository")
    voc = load_dataset(shared / "voc85" / "voc85.yaml")
    assert (len(voc.splits["val"]), len(voc.splits["train"]), len(voc.names)) == (45, 40, 80)
    assert all(path.is_file() for path in voc.splits["val"])
    assert len(load_dataset(shared / "coco8" / "coco8.yaml").splits["val"]) == 8
