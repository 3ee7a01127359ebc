"""What is odd about a case beside the others of its rounds."""

from __future__ import annotations

from collections.abc import Sequence

from benchsuite.measure.oddities import oddities
from benchsuite.measure.timing import CaseTiming
from benchsuite.testing import make_distribution, make_together


def _timing(launches: Sequence[float] = (0.0,) * 6, tail: float = 1.15, spread: float = 0.012) -> CaseTiming:
    total = make_distribution(10, p95=10e6 * tail)
    return CaseTiming({"total": total}, make_together(launches=tuple(launches), spread=spread))


def test_nothing_is_odd_about_rows_that_are_alike() -> None:
    """The same noise for all is no row's own, however loud."""
    alike = {name: _timing(tail=1.6, spread=0.2) for name in "abc"}
    assert oddities(alike) == {"a": (), "b": (), "c": ()}


def test_a_row_far_from_its_neighbours_is_told() -> None:
    """A tail, a spread and a first launch that only one row has are said, with what the others have."""
    told = oddities({
        "tail": _timing(tail=1.9),
        "spread": _timing(spread=0.12),
        "first": _timing([0.2, 0.01, -0.01, 0.0, 0.01, -0.01]),
        "calm": _timing(),
    })  # fmt: skip
    assert told == {
        "tail": ("its p95 lies +90% above its p50, that of the others +15%",),
        "spread": ("its turns spread by 12%, those of the others by 1%",),
        "first": ("its first launch took 122% of the time of the later ones",),
        "calm": (),
    }


def test_launches_that_scatter_make_no_first_one_odd() -> None:
    """A first launch within what the later ones do is one of them, and two launches tell nothing."""
    assert oddities({"a": _timing([0.2, 0.1, -0.1, 0.0]), "b": _timing()})["a"] == ()
    assert oddities({"a": _timing([0.5, 0.0]), "b": _timing()})["a"] == ()
