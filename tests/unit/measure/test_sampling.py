"""One timed call, and how many it takes until call times are steady."""

from __future__ import annotations

from typing import Any

from benchsuite.measure.sampling import Pipeline, timed_call, warm_up
from benchsuite.testing import FakeClock

MS = 1_000_000


def _pipeline(clock: FakeClock) -> Pipeline:
    def preprocess(item: Any) -> Any:
        clock.advance(1 * MS)
        return item

    def infer(batch: Any) -> Any:
        clock.advance(5 * MS)
        return batch

    def postprocess(output: Any, item: Any) -> None:
        assert output == item
        clock.advance(2 * MS)

    return Pipeline(preprocess, infer, postprocess)


def test_phases_are_clocked_apart_and_add_up() -> None:
    """A call's row holds preprocess, inference, postprocess and their total."""
    clock = FakeClock()
    assert timed_call(_pipeline(clock), "a", clock) == (1 * MS, 5 * MS, 2 * MS, 8 * MS)


def test_an_injected_slowdown_waits_within_the_total() -> None:
    """A slowdown of a quarter makes the total a quarter longer, and no phase."""
    clock = FakeClock(tick_ns=1_000)
    *phases, total = timed_call(_pipeline(clock), "a", clock, 0.25)
    assert [round(phase / MS) for phase in phases] == [1, 5, 2]
    assert abs(total / MS - 10) < 0.01


def _calls(clock: FakeClock, durations: list[int]) -> Any:
    def call(number: int) -> int:
        duration = durations[min(number, len(durations) - 1)]
        clock.advance(duration)
        return duration

    return call


def test_cold_calls_fall_into_the_warm_up() -> None:
    """Warm-up goes on while successive windows differ by more than 2 %."""
    clock = FakeClock()
    durations = [90 * MS, 50 * MS, 20 * MS] + [9 * MS] * 4 + [5 * MS]
    assert warm_up(_calls(clock, durations), 300 * MS, clock) == 15


def test_warm_up_ends_at_its_cap() -> None:
    """A model that never settles is timed all the same, after the cap."""
    clock = FakeClock()
    assert warm_up(_calls(clock, [number * MS for number in range(1, 40)]), 300 * MS, clock) == 24
