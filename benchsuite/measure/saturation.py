"""Workers that are kept busy at the same time."""

from __future__ import annotations

import time
from collections.abc import Sequence

from benchsuite.measure.launch import Launch
from benchsuite.measure.requests import Saturated


def saturate(launches: Sequence[Launch], delay_ns: int, window_ns: int, deadline_s: float) -> tuple[Saturated, ...]:
    """Keep all workers busy at the same time, and return what each did within one common window."""
    start_ns = time.perf_counter_ns() + delay_ns
    for launch in launches:
        launch.send_saturate(start_ns, start_ns + window_ns)
    return tuple(launch.receive_saturated(deadline_s) for launch in launches)


def images_per_ns(answers: Sequence[Saturated], batch: int) -> float:
    """Add up the rates of workers that were saturated together."""
    return sum(answer.calls / (answer.last_ns - answer.first_ns) for answer in answers) * batch
