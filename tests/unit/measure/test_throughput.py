"""How cores are split into streams."""

from __future__ import annotations

from benchsuite.measure.throughput import splits


def test_every_split_uses_all_threads() -> None:
    """A sweep has every even split, from one stream with all threads to one thread a stream."""
    assert splits(8, full=True) == ((1, 8), (2, 4), (4, 2), (8, 1))


def test_quick_point_is_one_thread_a_stream() -> None:
    """The one point of a quick run is the split that usually does most."""
    assert splits(2, full=False) == ((2, 1),)
    assert splits(1, full=False) == ((1, 1),)
