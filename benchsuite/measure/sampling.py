"""One timed call, phase by phase, and how many it takes until call times are steady."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Clock = Callable[[], int]
# Preprocess, inference, postprocess and their total, in ns.
PhaseTimes = tuple[int, int, int, int]

_WARMUP_WINDOW_CALLS = 5
_WARMUP_FLOOR_CALLS = 10
_WARMUP_AGREEMENT = 0.02


@dataclass(frozen=True)
class Pipeline:
    """What one call does, phase by phase: input to batch, batch to output, output and input to detections."""

    preprocess: Callable[[Any], Any]
    infer: Callable[[Any], Any]
    postprocess: Callable[[Any, Any], Any]


def timed_call(pipeline: Pipeline, item: Any, clock: Clock, slowdown: float = 0.0) -> PhaseTimes:
    """Make one call and return how long each phase and all of it took, in ns.

    A self-test injects a `slowdown`, a busy wait of that share of the call within its total.
    """
    start = clock()
    batch = pipeline.preprocess(item)
    prepared = clock()
    output = pipeline.infer(batch)
    inferred = clock()
    pipeline.postprocess(output, item)
    end = clock()
    phases = prepared - start, inferred - prepared, end - inferred
    if slowdown:
        until = end + int((end - start) * slowdown)
        while end < until:
            end = clock()
    return *phases, end - start


def warm_up(call: Callable[[int], int], cap_ns: int, clock: Clock = time.perf_counter_ns) -> int:
    """Call until the medians of two successive windows agree within 2 %, or the cap; return the number of calls.

    `call` gets the call's number and returns its duration in ns.
    """
    started = clock()
    durations: list[int] = []
    while True:
        durations.append(call(len(durations)))
        calls = len(durations)
        if calls >= 2 and clock() - started >= cap_ns:
            return calls
        if calls >= _WARMUP_FLOOR_CALLS and calls % _WARMUP_WINDOW_CALLS == 0:
            before = statistics.median(durations[-2 * _WARMUP_WINDOW_CALLS : -_WARMUP_WINDOW_CALLS])
            now = statistics.median(durations[-_WARMUP_WINDOW_CALLS:])
            if abs(now - before) <= _WARMUP_AGREEMENT * before:
                return calls
