"""What cannot be pruned is refused in one sentence, before any work."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from benchsuite.commands.optimize import prune
from benchsuite.commands.pruning import CutAsked, read_ratios
from benchsuite.commands.recipes import TrainingAsked, missing_extra
from benchsuite.terms.errors import UsageError


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "optimize prune: give one of --ratio 0.2 and --ratios 0.1,0.2,0.3."),
        ({"ratio": 0.2, "ratios": "0.1"}, "optimize prune: give one of --ratio 0.2 and --ratios 0.1,0.2,0.3."),
        ({"ratio": 1.0}, "--ratio 1: give a share between 0 and 1, as 0.2."),
        ({"ratio": 0.0}, "--ratio 0: give a share between 0 and 1, as 0.2."),
        ({"ratio": float("nan")}, "--ratio nan: give a share between 0 and 1, as 0.2."),
        ({"ratios": "0.1,x"}, "--ratios 0.1,x: give shares between 0 and 1, as 0.1,0.2,0.3."),
        ({"ratios": "0.1,2"}, "--ratios 2: give a share between 0 and 1, as 0.2."),
        ({"ratios": "0.1", "output": Path("out.pt")}, "-o out.pt: --ratios makes several weights; give a folder"),
        ({"ratios": "0.1", "unstructured": True}, "--unstructured: it changes no time, whatever the share"),
        ({"ratio": 0.2, "unstructured": True, "epochs": 3}, "--epochs 3: training would fill the zeros of"),
        ({"ratio": 0.2, "output": Path("out.onnx")}, "-o out.onnx: give a file that ends in .pt."),
        ({"ratio": 0.2, "importance": "luck"}, "--importance luck: give one of l1, l2, bn, taylor."),
        ({"ratio": 0.2, "widths": "wide"}, "--widths wide: give one of free, yaml."),
        ({"ratio": 0.2, "round_to": "0"}, "--round 0: give auto, or a number from 1 to 64."),
        (
            {"ratio": 0.2, "round_to": "12", "widths": "yaml"},
            "--round 12: widths of a yaml are multiples of 8; give one.",
        ),
        ({"ratio": 0.2, "backend": "tensorflow"}, "--backend tensorflow: "),
        ({"ratio": 0.2, "effort": "some"}, "--effort some: it is not one of quick, standard, full"),
        ({"ratios": "0.2", "lang": "xx"}, "--lang xx: it is not one of en, zh"),
        ({"ratio": 0.2, "imgsz": 100}, "--imgsz 100: give a multiple of 32."),
        ({"ratio": 0.2, "lr0": 0.0}, "--lr0 0: give a learning rate above 0, at most 1."),
        ({"ratio": 0.2, "setting": ["mosaic=off"]}, "--setting mosaic=off: give an argument of Ultralytics' trainer"),
        ({"ratio": 0.2, "model": "nothing.pt"}, "--model nothing.pt: there is no such file"),
    ],
)
def test_options_that_mean_nothing_are_refused(
    given: Mapping[str, object], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing is written."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BENCHSUITE_CACHE", str(tmp_path / "cache"))
    values = {"output": Path("out.pt" if "ratio" in given else "out"), "data": tmp_path / "data.yaml", **given}
    with pytest.raises(UsageError) as refused:
        prune(**values)  # type: ignore[arg-type]
    assert sentence in str(refused.value)
    assert not [path for path in tmp_path.iterdir() if path.name != "cache"]


def test_several_mistakes_are_told_at_once() -> None:
    """So that they are mended at once."""
    problems = [*CutAsked("luck", "0", "free").problems(), *TrainingAsked(None, 1, 100, 8, 2.0, 0, ()).problems()]
    assert len(problems) == 4


def test_shares_are_read_in_order_and_once() -> None:
    """However they were written."""
    assert read_ratios("0.3, 0.1,0.3") == (0.1, 0.3)


def test_widths_are_rounded_for_the_machine() -> None:
    """To 16 where AVX-512 computes 16 numbers at once, else to 8."""
    asked = CutAsked("l1", "auto", "free")
    assert asked.plan(0.2, ("avx2", "avx512f")).multiple == 16
    assert asked.plan(0.2, ("avx2",)).multiple == 8
    assert CutAsked("l1", "4", "free").plan(0.2, ()).multiple == 4


def test_a_missing_extra_is_named_with_its_command() -> None:
    """It is told before weights are looked at."""
    assert list(missing_extra("json", "json")) == []
    assert list(missing_extra("no_such_module", "some-package")) == [
        "some-package is not installed, which this needs: pip install 'benchsuite[optimize]'."
    ]
