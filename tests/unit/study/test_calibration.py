"""The plan of a calibration study, and the subsets that it draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import pytest

from benchsuite.artifacts.store import Cost
from benchsuite.study.bench import Prepared, StudyBench, Way
from benchsuite.study.calibration import (
    BLOCK,
    CalibrationPlan,
    CalibrationStudy,
    Subset,
    check_plan,
    pool_images,
    read_plan,
    subsets,
)
from benchsuite.study.rows import StudyRow
from benchsuite.terms.absence import Absent
from benchsuite.terms.errors import BuildError, UsageError
from benchsuite.testing import draw_small_data, make_case, make_recipe, make_site


def test_subsets_of_a_seed_are_nested_and_seeds_differ() -> None:
    """Each size holds the smaller ones of its seed, and no image stands twice in one."""
    found = subsets(read_plan("100,500,1000", "minmax", 2, 4000))
    for small, large in pairwise(found):
        if small.seed == large.seed:
            assert large.blocks[: len(small.blocks)] == small.blocks
    assert [subset.size for subset in found] == [100, 500, 1000] * 2
    assert all(len(set(subset.blocks)) == subset.size // BLOCK for subset in found)
    assert found[2].blocks != found[5].blocks


@pytest.mark.parametrize(
    ("sizes", "methods", "message"),
    [
        ("many", "minmax", "--sizes many: give whole numbers"),
        ("", "minmax", "--sizes : give whole numbers"),
        ("100", "magic", "--methods magic: give some of default, minmax"),
        ("120", "minmax", "--sizes 120: a size is a multiple of 50, at most --pool 200"),
        ("100,500", "minmax", "--sizes 500: a size is a multiple of 50"),
    ],
)
def test_bad_plans_are_refused(sizes: str, methods: str, message: str) -> None:
    """What cannot be studied is said in one sentence."""
    with pytest.raises(UsageError, match=message):
        check_plan(read_plan(sizes, methods, 1, 200), [make_case(backend="onnx")])


def test_only_what_benchsuite_calibrates_itself_is_studied() -> None:
    """NNCF has ranges of its own, made image by image again for each method."""
    with pytest.raises(UsageError, match="--backend openvino: its ranges are not set by benchsuite"):
        check_plan(read_plan("100", "minmax", 1, 200), [make_case(backend="openvino")])


class FakeCalibrationBench:
    """Builds and scores what it is asked for, but for cases of which a word of the name is among `broken`."""

    def __init__(self, folder: Path, broken: Sequence[str], scored: float | Absent = 0.6) -> None:
        self.site = make_site(folder)
        self._broken = broken
        self._scored = scored

    def preparation(self, way: Way) -> Any:
        """Give the recipe of a case."""
        return type("FakePreparation", (), {"recipe": staticmethod(lambda case: make_recipe(case))})

    def prepare(self, ways: Sequence[Way]) -> Mapping[Way, Prepared]:
        """Pretend to build and evaluate."""
        rows = {}
        for way in ways:
            fails = any(word in way.case.scheme for word in self._broken)
            made = StudyRow(way.case, "", "", "fp32", reason="its worker was killed" if fails else "")
            rows[way] = Prepared(made if fails else replace(made, map50_95=self._scored))
        return rows

    def time(self, prepared: Sequence[Prepared]) -> tuple[tuple[StudyRow, ...], Mapping[str, Any]]:
        """Time nothing."""
        return tuple(it.row for it in prepared), {}


class FakeObserved(CalibrationStudy):
    """A study whose pool needs no observing."""

    def _observe(self, names: Sequence[str], pool: Sequence[Path], wanted: Sequence[int]) -> Any:
        return {block: make_recipe() for block in wanted}

    def _merge(self, subset: Subset, names: Sequence[str], pool: Sequence[Path], blocks: Any) -> float:
        return 1.0


@pytest.fixture
def pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    monkeypatch.setattr("benchsuite.artifacts.store.Store.cost", lambda _, recipe: Cost(2.0, 900))
    return [tmp_path / f"{number}.jpg" for number in range(200)]


def _study(bench: FakeCalibrationBench) -> FakeObserved:
    plan = CalibrationPlan((50, 100), ("minmax", "entropy"), seeds=2, pool=200)
    return FakeObserved(cast(StudyBench, bench), make_case(backend="onnx"), plan)


def test_one_subset_that_fails_costs_its_own_figure(tmp_path: Path, pool: list[Path]) -> None:
    """The other subsets of its size and all other points stay, with a sentence for what is missing."""
    _, points, _ = _study(FakeCalibrationBench(tmp_path, ["minmax-50-seed1", "entropy-100"])).run(["disc"], pool)
    by_point = {(it.size, it.method): it for it in points}
    assert {key: it.map50_95 for key, it in by_point.items()} == {
        (50, "minmax"): (0.6,),
        (100, "minmax"): (0.6, 0.6),
        (50, "entropy"): (0.6, 0.6),
        (100, "entropy"): (),
    }
    assert {key for key, it in by_point.items() if it.reason} == {(50, "minmax"), (100, "entropy")}
    assert by_point[100, "entropy"].reason == "its worker was killed"


def test_a_study_of_which_nothing_can_be_built_says_why(tmp_path: Path, pool: list[Path]) -> None:
    """Where every subset fails there is no study; where nothing can be scored there are times and sizes."""
    with pytest.raises(BuildError, match="its worker was killed"):
        _study(FakeCalibrationBench(tmp_path, [""])).run(["disc"], pool)
    _, points, _ = _study(FakeCalibrationBench(tmp_path, [], Absent("there are no labels"))).run(["disc"], pool)
    assert {(it.map50_95, it.reason) for it in points} == {((), "there are no labels")}


def test_damaged_image_of_the_pool_is_told(tmp_path: Path) -> None:
    """It is named before hours of building, however much of the file is left."""
    yaml = draw_small_data(tmp_path)
    first, *_ = sorted((yaml.parent / "images" / "calib").iterdir())
    first.write_bytes(first.read_bytes()[:2000])
    with pytest.raises(UsageError, match=rf"--pool 2: image '{first}' is not an image that OpenCV can decode"):
        pool_images(tmp_path, yaml, 2)
    assert len(pool_images(tmp_path, None, 2)[1]) == 2
