"""Levels are found where a series moved and stayed, and nowhere else."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from benchsuite.report.changes import Level, levels
from benchsuite.terms.errors import UsageError


def noisy(*means: tuple[float, int], noise: float = 0.02, seed: int = 1) -> list[float]:
    """Return stretches of (mean, runs) with relative noise."""
    random = np.random.default_rng(seed)
    return [mean * float(np.exp(random.normal(0, noise))) for mean, count in means for _ in range(count)]


def test_a_step_that_stays_is_found_where_it_is() -> None:
    """A tenth more from the thirteenth run on, and back later, are three levels with their medians."""
    found = levels(noisy((40, 12), (44, 12), (40, 12)))
    assert [(level.start, level.end) for level in found] == [(0, 12), (12, 24), (24, 36)]
    assert [level.median for level in found] == pytest.approx([40, 44, 40], rel=0.02)


def test_exact_figures_step_exactly() -> None:
    """A series without noise, as an artifact's size, has its step at the very run."""
    assert levels([9.8] * 5 + [10.4] * 4) == (Level(0, 5, 9.8), Level(5, 9, 10.4))


def test_single_bad_runs_are_no_level() -> None:
    """One run that took half as long again, or two apart, change nothing."""
    values = noisy((40, 30))
    values[9] *= 1.5
    values[20] *= 1.5
    assert len(levels(values)) == 1


@pytest.mark.parametrize("before", [2, 3])
def test_a_bad_run_shortly_before_a_step_does_not_move_it(before: int) -> None:
    """The first run of the new level is named as such in nine of ten, though a run shortly before it was slow."""
    right = 0
    for seed in range(100):
        values = noisy((40, 10), (52, 10), seed=seed)
        values[10 - before] *= 1.7
        right += [level.start for level in levels(values)] == [0, 10]
    assert right >= 90


def test_moves_not_worth_a_look_are_none() -> None:
    """A steady move of half a percent is left alone, however sure it is."""
    assert len(levels([40.0] * 20 + [40.2] * 20)) == 1


@pytest.mark.parametrize("count", [0, 1, 5])
def test_short_series_are_one_level(count: int) -> None:
    """Fewer than twice three runs cannot show a change."""
    assert levels([10.0, 20.0, 30.0, 40.0, 50.0][:count]) == (
        (Level(0, count, [10.0, 30.0][count == 5]),) if count else ()
    )


def test_steady_series_rarely_show_a_change() -> None:
    """Of two hundred series of pure noise at most one in twenty shows a change, of either length."""
    for length in (10, 50):
        shown = [len(levels(noisy((40, length), noise=0.03, seed=seed))) > 1 for seed in range(200)]
        assert sum(shown) <= 10


def test_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without ruptures the sentence says how to get it."""
    monkeypatch.setitem(sys.modules, "ruptures", None)
    with pytest.raises(UsageError, match=r"pip install 'benchsuite\[report\]'"):
        levels([1.0] * 10)
