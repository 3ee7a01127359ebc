"""Models are called by their files, else by their folders, else as they are told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchsuite.networks.names import ask_for, names_of, split_models

TRAINED = ["runs/train3/weights/best.pt", "runs/train4/weights/best.pt"]


@pytest.mark.parametrize(
    ("models", "names"),
    [
        (["runs/train3/weights/best.pt"], ["best"]),
        (TRAINED, ["train3_best", "train4_best"]),
        ([*TRAINED, "other.pt"], ["train3_best", "train4_best", "other"]),
        (["best.pt", "old/best.pt"], ["best", "old_best"]),
        (["a/train/weights/best.pt", "b/train/weights/best.pt"], ["a_train_best", "b_train_best"]),
        (["/data/猫/best.pt", "/data/犬/best.pt"], ["猫_best", "犬_best"]),
        (["New-Net=a/best.pt", "b/best.pt"], ["new_net", "best"]),
        (["best=a/x.pt", "b/best.pt"], ["best", "b_best"]),
        (["yolo26n.pt", "mine/yolo26n.pt"], ["yolo26n", "mine_yolo26n"]),
        # Nothing tells these apart, which is for the user to mend.
        (["A.pt", "a.pt"], ["a", "a"]),
    ],
)
def test_names(models: list[str], names: list[str]) -> None:
    """A file alone keeps its name; twins get as many folders as tell them apart, but none that say nothing."""
    assert names_of(models) == tuple(names)


def test_a_file_whose_name_holds_an_equals_sign_is_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies there under the whole text is meant, and not another file under a name."""
    monkeypatch.chdir(tmp_path)
    assert names_of(["lr=0.01.pt"]) == ("lr",)
    Path("lr=0.01.pt").touch()
    assert names_of(["lr=0.01.pt"]) == ("lr_0.01",)


def test_a_comma_in_a_path_that_is_there_is_part_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commas separate models, but for those of files; a model that is named twice is one."""
    monkeypatch.chdir(tmp_path)
    asked = "x.pt, a,b.pt,n=a,b.pt,./x.pt,,yolo26n.pt"
    assert split_models(asked) == ("x.pt", "a", "b.pt", "n=a", "yolo26n.pt")
    Path("a,b.pt").touch()
    assert split_models(asked) == ("x.pt", "a,b.pt", "n=a,b.pt", "yolo26n.pt")
    with pytest.raises(ValueError, match="name at least one"):
        split_models(" , ")


@pytest.mark.parametrize(
    ("name", "option", "asked"),
    [
        ("best", "runs/train3/weights/best.pt", "runs/train3/weights/best.pt"),
        ("train4_best", ",".join(TRAINED), f"train4_best={TRAINED[1]}"),
        ("new", "new=a/best.pt,b/best.pt", "new=a/best.pt"),
        # Of files that are not here any more.
        ("a_b", "other.pt,a,b.pt", "a,b.pt"),
        ("lr_0.01", "lr=0.01.pt", "lr_0.01=lr=0.01.pt"),
        # As an earlier release called it.
        ("__", "模型.pt", "__=模型.pt"),
        ("yolo26n", "", "yolo26n"),
    ],
)
def test_one_of_several_models_is_asked_for_alone(name: str, option: str, asked: str) -> None:
    """The line that measures a case again gets the model of the same name, whatever stood beside it."""
    assert ask_for(name, option) == asked
    if os.sep in asked:
        assert names_of([asked]) == (name,)
