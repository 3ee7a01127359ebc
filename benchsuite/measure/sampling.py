"""The one loop that times a session: warm-up, then raw samples of every phase."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benchsuite.measure.effort import Effort

Clock = Callable[[], int]

_WARMUP_WINDOW_CALLS = 5
_WARMUP_FLOOR_CALLS = 10
_WARMUP_AGREEMENT = 0.02


@dataclass(frozen=True)
class Pipeline:
    """What one call does, phase by phase: input to batch, batch to output, output and input to detections."""

    preprocess: Callable[[Any], Any]
    infer: Callable[[Any], Any]
    postprocess: Callable[[Any, Any], Any]


@dataclass(frozen=True)
class PhaseSamples:
    """Raw durations in ns, one row a call: preprocess, inference, postprocess, total."""

    ns: npt.NDArray[np.int64]
    warmup_calls: int


def sample(
    pipeline: Pipeline, inputs: Sequence[Any], effort: Effort, clock: Clock = time.perf_counter_ns
) -> PhaseSamples:
    """Warm up, then time calls over the rotating inputs until the effort is spent.

    The garbage collector is off meanwhile: its pauses are this harness's, not the runtime's.
    """
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        warmup_calls = warm_up(lambda index: _call(pipeline, inputs[index % len(inputs)], clock)[3], effort, clock)
        rows: list[tuple[int, int, int, int]] = []
        started = clock()
        while True:
            rows.append(_call(pipeline, inputs[len(rows) % len(inputs)], clock))
            elapsed = clock() - started
            enough = elapsed >= effort.sampling_ns and len(rows) >= effort.samples
            if enough or elapsed >= effort.sampling_cap_ns:
                break
        return PhaseSamples(np.array(rows, np.int64), warmup_calls)
    finally:
        if collecting:
            gc.enable()


def _call(pipeline: Pipeline, item: Any, clock: Clock) -> tuple[int, int, int, int]:
    start = clock()
    batch = pipeline.preprocess(item)
    prepared = clock()
    output = pipeline.infer(batch)
    inferred = clock()
    pipeline.postprocess(output, item)
    end = clock()
    return prepared - start, inferred - prepared, end - inferred, end - start


def warm_up(call: Callable[[int], int], effort: Effort, clock: Clock = time.perf_counter_ns) -> int:
    """Call until the medians of two successive windows agree within 2 %, or the cap; return the number of calls.

    `call` gets the call's number and returns its duration in ns.
    """
    started = clock()
    durations: list[int] = []
    while True:
        durations.append(call(len(durations)))
        calls = len(durations)
        if calls >= 2 and clock() - started >= effort.warmup_cap_ns:
            return calls
        if calls >= _WARMUP_FLOOR_CALLS and calls % _WARMUP_WINDOW_CALLS == 0:
            before = statistics.median(durations[-2 * _WARMUP_WINDOW_CALLS : -_WARMUP_WINDOW_CALLS])
            now = statistics.median(durations[-_WARMUP_WINDOW_CALLS:])
            if abs(now - before) <= _WARMUP_AGREEMENT * before:
                return calls
