"""How long to measure."""

from __future__ import annotations

from dataclasses import dataclass

# Inputs that timing rotates through. Decoded images lie in memory and count in the worker's peak: there are few.
ROTATING_INPUTS = 8
_S = 1_000_000_000


@dataclass(frozen=True)
class Effort:
    """Sample until both the time and the count are reached, or the cap; the warm-up has a cap of its own.

    `accuracy_images` None is every image of the val split; `full_sweep` measures throughput at every split of
    the cores into streams, otherwise at one.
    """

    name: str
    sampling_ns: int
    samples: int
    sampling_cap_ns: int
    warmup_cap_ns: int
    accuracy_images: int | None
    full_sweep: bool
    throughput_ns: int


EFFORTS = {
    effort.name: effort
    for effort in (
        Effort("quick", 3 * _S, 72, 8 * _S, 2 * _S, 64, False, 2 * _S),
        Effort("standard", 10 * _S, 400, 30 * _S, 5 * _S, None, True, 5 * _S),
        Effort("full", 60 * _S, 400, 120 * _S, 10 * _S, None, True, 15 * _S),
    )
}
