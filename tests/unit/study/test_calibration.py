"""The plan of a calibration study, and the subsets that it draws."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from benchsuite.study.calibration import BLOCK, check_plan, pool_images, read_plan, subsets
from benchsuite.terms.errors import UsageError
from benchsuite.testing import draw_small_data, make_case


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


def test_damaged_image_of_the_pool_is_told(tmp_path: Path) -> None:
    """It is named before hours of building, however much of the file is left."""
    yaml = draw_small_data(tmp_path)
    first, *_ = sorted((yaml.parent / "images" / "calib").iterdir())
    first.write_bytes(first.read_bytes()[:2000])
    with pytest.raises(UsageError, match=rf"--pool 2: image '{first}' is not an image that OpenCV can decode"):
        pool_images(tmp_path, yaml, 2)
    assert len(pool_images(tmp_path, None, 2)[1]) == 2
