"""Whether other programs took the cores that a turn needed: told from the system's counters, never from times."""

from __future__ import annotations

from benchsuite.measure.requests import Turned
from benchsuite.terms.said import Sentence, said

# Of the usable cores. A quiet machine's own services take a hundredth; a busy neighbour takes a third and more.
_MOST_OF_OTHERS = 0.10
_MOST_STOLEN = 0.10


def others_share(turned: Turned) -> float | None:
    """Return which share of the usable cores everything else took; None where the system does not tell."""
    lasted_ns = turned.ended_ns - turned.began_ns
    if turned.others_ns is None or lasted_ns <= 0:
        return None
    return turned.others_ns / (lasted_ns * turned.cpus)


def stolen_share(turned: Turned) -> float | None:
    """Return which share of the usable cores a hypervisor gave to others; None where the system does not tell."""
    lasted_ns = turned.ended_ns - turned.began_ns
    if turned.stolen_ns is None or lasted_ns <= 0:
        return None
    return turned.stolen_ns / (lasted_ns * turned.cpus)


def contended(turned: Turned, threads: int) -> Sentence:
    """Say why a turn does not count because others took its cores; empty where it does.

    Where more cores are free than the case has threads, others may have theirs.
    """
    others, stolen = others_share(turned), stolen_share(turned)
    if stolen is not None and stolen > _MOST_STOLEN:
        return said("other virtual machines took {1} of the cores", f"{stolen:.0%}")
    if others is None or others <= _MOST_OF_OTHERS:
        return ""
    if others * turned.cpus + min(threads, turned.cpus) <= turned.cpus:
        return ""
    return said("other programs took {1} of the cores", f"{others:.0%}")
