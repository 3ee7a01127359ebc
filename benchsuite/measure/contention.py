"""What others took of the cores during a turn."""

from __future__ import annotations

from benchsuite.machine.noise import Disturbance, disturbance
from benchsuite.measure.requests import Turned


def others_share(turned: Turned) -> float | None:
    """Return which share of the usable cores everything else took; None where the system does not tell."""
    return _share(turned, turned.others_ns)


def stolen_share(turned: Turned) -> float | None:
    """Return which share of the usable cores a hypervisor gave to others; None where the system does not tell."""
    return _share(turned, turned.stolen_ns)


def disturbed_by(turned: Turned, threads: int) -> Disturbance | None:
    """Return why a turn of a case with so many threads does not count, None where it does."""
    return disturbance(others_share(turned), stolen_share(turned), turned.cpus, threads)


def _share(turned: Turned, taken_ns: int | None) -> float | None:
    lasted_ns = turned.ended_ns - turned.began_ns
    return None if taken_ns is None or lasted_ns <= 0 else taken_ns / (lasted_ns * turned.cpus)
