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

    Launches scatter more than turns within them, so the time goes into launches.

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
        Effort("quick", 3, 3, 64, False, _S, _S // 2),
        Effort("standard", 5, 4, None, True, 2 * _S, _S // 2),
        Effort("full", 12, 10, None, True, 10 * _S, 5 * _S),
    )
}
