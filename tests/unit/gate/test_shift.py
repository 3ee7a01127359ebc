"""A uniform shift shows in all cases together where no single one can show it."""

from __future__ import annotations

import random

import pytest

from benchsuite.gate.shift import common_shift


def cases(shift: float, number: int = 12, blocks: int = 12, seed: int = 5) -> list[list[float]]:
    """Return the blocks of cases that share a shift under noise of 1.5 %."""
    draws = random.Random(seed)
    return [[draws.gauss(shift, 0.015) for _ in range(blocks)] for _ in range(number)]


@pytest.mark.parametrize("shift", [0.015, -0.015])
def test_uniform_shift_is_found_with_its_size(shift: float) -> None:
    """Twelve cases that all moved by 1.5 % are pointed out, in either direction."""
    found = common_shift(cases(shift))
    assert found is not None
    assert found.found
    assert found.ratio == pytest.approx(1 + shift, abs=0.005)
    assert found.cases == 12


def test_no_shift_is_hardly_ever_pointed_out() -> None:
    """Of 300 suites without a shift, the 99 % interval leaves out 1 in a handful at most."""
    shifts = [common_shift(cases(0.0, seed=seed)) for seed in range(300)]
    assert sum(it is not None and it.found for it in shifts) <= 9


def test_too_few_cases_or_blocks_say_nothing() -> None:
    """Two cases, or cases that ended before twelve blocks, are no suite to speak of."""
    assert common_shift(cases(0.02, number=2)) is None
    assert common_shift(cases(0.02, blocks=11)) is None
