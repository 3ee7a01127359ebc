"""How long to measure."""

from __future__ import annotations

from dataclasses import dataclass

from benchsuite.terms.said import Sentence, said

# Inputs that timing rotates through. Decoded images lie in memory and count in the worker's peak: there are few.
ROTATING_INPUTS = 8
_S = 1_000_000_000


@dataclass(frozen=True)
class Effort:
    """How often each case is launched and how many turns it has in each launch.

    `accuracy_images` None is every image of the val split; `full_sweep` measures throughput at every split of
    the cores into streams, otherwise at one.
    """

    name: str
    launches: int
    rounds: int
    accuracy_images: int | None
    full_sweep: bool
    throughput_ns: int
    warmup_cap_ns: int

    @property
    def leaves_out(self) -> Sentence:
        """Say what a run at less than standard effort leaves out; empty for the others."""
        usual = EFFORTS["standard"]
        if self.launches >= usual.launches or self.accuracy_images is None:
            return ""
        return said(
            "effort {1}: {2} launches in place of {3}, so intervals are wide and places often shared; at most {4} "
            "images for accuracy; throughput at one split of the cores",
            self.name, self.launches, usual.launches, self.accuracy_images,
        )  # fmt: skip


EFFORTS = {
    effort.name: effort
    for effort in (
        Effort("quick", 3, 3, 64, False, 1_500_000_000, 2 * _S),
        Effort("standard", 6, 4, None, True, 3 * _S, 5 * _S),
        Effort("full", 12, 10, None, True, 10 * _S, 10 * _S),
    )
}
