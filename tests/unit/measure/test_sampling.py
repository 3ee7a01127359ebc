"""The timing loop: when it stops, what it keeps."""

from __future__ import annotations

import gc
from typing import Any

from benchsuite.measure.effort import Effort
from benchsuite.measure.sampling import Pipeline, sample, warm_up
from benchsuite.testing import FakeClock

MS = 1_000_000
EFFORT = Effort("test", 100 * MS, 20, 400 * MS, 300 * MS, None, False, MS)


def _pipeline(clock: FakeClock, infer_ns: list[int], seen: list[Any] | None = None) -> Pipeline:
    durations = iter(infer_ns)

    def preprocess(item: Any) -> Any:
        clock.advance(1 * MS)
        if seen is not None:
            seen.append(item)
        return item

    def infer(batch: Any) -> Any:
        clock.advance(next(durations, infer_ns[-1]))
        return batch

    def postprocess(output: Any, item: Any) -> None:
        assert output == item
        clock.advance(2 * MS)

    return Pipeline(preprocess, infer, postprocess)


def test_phases_are_clocked_apart_and_add_up() -> None:
    """Each row holds preprocess, inference, postprocess and total of one call."""
    clock = FakeClock()
    rows = sample(_pipeline(clock, [5 * MS]), ["a"], EFFORT, clock).ns
    assert (rows == [1 * MS, 5 * MS, 2 * MS, 8 * MS]).all()


def test_sampling_needs_both_time_and_count() -> None:
    """Fast calls go on until the time is spent, slow ones until the count is reached."""
    clock = FakeClock()
    fast = sample(_pipeline(clock, [0]), ["a"], EFFORT, clock)
    assert len(fast.ns) == 34  # 3 ms each: the 34th passes 100 ms
    slow = sample(_pipeline(clock, [7 * MS]), ["a"], EFFORT, clock)
    assert len(slow.ns) == 20


def test_cap_ends_sampling_of_a_very_slow_model() -> None:
    """At the cap sampling stops, however few samples there are."""
    clock = FakeClock()
    assert len(sample(_pipeline(clock, [97 * MS]), ["a"], EFFORT, clock).ns) == 4


def test_inputs_rotate() -> None:
    """Successive calls get successive inputs, in warm-up and in sampling."""
    clock, seen = FakeClock(), []
    taken = sample(_pipeline(clock, [5 * MS], seen), ["a", "b", "c"], EFFORT, clock)
    assert seen[taken.warmup_calls :][:4] == ["a", "b", "c", "a"]


def test_no_sample_is_dropped() -> None:
    """A call that took a hundred times longer stays in the sample."""
    clock = FakeClock()
    durations = [5 * MS] * 15 + [100 * MS] + [5 * MS]
    assert sample(_pipeline(clock, durations), ["a"], EFFORT, clock).ns[:, 1].max() == 100 * MS


def test_cold_calls_fall_into_the_warm_up() -> None:
    """Warm-up goes on while successive windows differ by more than 2 %, so no cold call is sampled."""
    clock = FakeClock()
    durations = [90 * MS, 50 * MS, 20 * MS] + [9 * MS] * 4 + [5 * MS]
    taken = sample(_pipeline(clock, durations), ["a"], EFFORT, clock)
    assert taken.warmup_calls == 15
    assert taken.ns[:, 1].max() == 5 * MS


def test_warm_up_ends_at_its_cap() -> None:
    """A model that never settles is sampled all the same, after the cap."""
    clock = FakeClock()

    def call(number: int) -> int:
        clock.advance((number + 1) * MS)
        return (number + 1) * MS

    assert warm_up(call, EFFORT, clock) == 24  # 1 + 2 + ... + 24 ms = 300 ms


def test_garbage_collector_is_off_while_sampling_and_on_again_after() -> None:
    """The collector's pauses stay out of the samples."""
    clock = FakeClock()
    states: list[bool] = []
    pipeline = _pipeline(clock, [5 * MS])

    def watch(item: Any) -> Any:
        states.append(gc.isenabled())
        return pipeline.preprocess(item)

    sample(Pipeline(watch, pipeline.infer, pipeline.postprocess), ["a"], EFFORT, clock)
    assert not any(states)
    assert gc.isenabled()
