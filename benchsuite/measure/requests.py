"""What a worker is asked and what it answers, by the names that both ends of the protocol use.

Names and fields stay: the other end may be another release. Arrays travel by the files that `path` names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from benchsuite.backends.interface import DeviceTimes, Ran, RunPolicy
from benchsuite.detect.accuracy import Accuracy
from benchsuite.measure.measurement import Cold
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case

A = TypeVar("A")


class Request(Generic[A]):
    """One thing that a worker is asked; A is its answer."""


@dataclass(frozen=True)
class Opened:
    cold: Cold
    output_shape: tuple[int, ...]


@dataclass(frozen=True)
class Open(Request[Opened]):
    """Load the artifact in a folder and run it once on the first of the images."""

    case: Case
    policy: RunPolicy
    artifact: str
    images: tuple[str, ...]


@dataclass(frozen=True)
class Turned:
    """Calls of one turn, a row each (preprocess, inference, postprocess, total, in ns), and what ran meanwhile.

    `cpu_ns` is the worker's own time on all its threads, `others_ns` that of everything else on the `cpus` that it may
    use, both from `began_ns` to `ended_ns`; None where the system does not tell.
    """

    ns: tuple[tuple[int, int, int, int], ...]
    began_ns: int
    ended_ns: int
    cpu_ns: int
    involuntary_switches: int
    cpus: int
    others_ns: int | None
    stolen_ns: int | None


@dataclass(frozen=True)
class Turn(Request[Turned]):
    """Time calls of the whole pipeline for `lasting_ns`, after `discard` untimed ones, and at least `fewest` calls.

    `slowdown` adds a busy wait of that share of each call.
    """

    lasting_ns: int
    fewest: int
    discard: int
    slowdown: float = 0.0


@dataclass(frozen=True)
class Reading:
    """Total latency of successive calls; `busy_ns` also covers the discarded ones."""

    ns: tuple[int, ...]
    busy_ns: int
    involuntary_switches: int


@dataclass(frozen=True)
class Read(Request[Reading]):
    """Time calls of the whole pipeline after discarded ones; `slowdown` adds a busy wait of that share of each call."""

    calls: int
    discard: int
    slowdown: float


@dataclass(frozen=True)
class Marked:
    times: tuple[DeviceTimes, ...]


@dataclass(frozen=True)
class Mark(Request["Marked | Absent"]):
    """Run calls in which the device notes the times itself."""

    calls: int


@dataclass(frozen=True)
class HostMemory:
    """Resident memory of the worker: its peak so far, and what each step added."""

    peak_rss_bytes: int
    import_rss_bytes: int
    load_added_bytes: int
    inference_added_bytes: int


@dataclass(frozen=True)
class AskMemory(Request[HostMemory]):
    """Read the memory so far."""


@dataclass(frozen=True)
class Account:
    ran: Ran


@dataclass(frozen=True)
class AskRan(Request[Account]):
    """Read back from the runtime what it ran."""


@dataclass(frozen=True)
class WarmedUp:
    calls: int


@dataclass(frozen=True)
class WarmUp(Request[WarmedUp]):
    """Run until call times are steady, or for `cap_ns`."""

    cap_ns: int


@dataclass(frozen=True)
class Saturated:
    """Calls between the ends of two calls, so that their rate has no rounding at a window's edges."""

    calls: int
    first_ns: int
    last_ns: int


@dataclass(frozen=True)
class Saturate(Request[Saturated]):
    """Run without pause from before `start_ns` to after `stop_ns`, and count the calls that lay in between."""

    start_ns: int
    stop_ns: int


@dataclass(frozen=True)
class Evaluated:
    """`accuracy` is None where it was not asked for."""

    accuracy: Accuracy | Absent | None


@dataclass(frozen=True)
class Evaluate(Request[Evaluated]):
    """Detect on every image; `path` gets the detections of a deployment, `scored_path` those that are scored."""

    images: tuple[str, ...]
    data: str
    data_sha256: str
    score: bool
    path: str
    scored_path: str


# By name: what is asked, and the type of its answer.
REQUESTS: Mapping[str, tuple[type, Any]] = {
    "open": (Open, Opened),
    "turn": (Turn, Turned),
    "read": (Read, Reading),
    "mark": (Mark, Marked | Absent),
    "memory": (AskMemory, HostMemory),
    "ran": (AskRan, Account),
    "warm_up": (WarmUp, WarmedUp),
    "saturate": (Saturate, Saturated),
    "evaluate": (Evaluate, Evaluated),
}
NAMES: Mapping[type, str] = {asked: name for name, (asked, _) in REQUESTS.items()}
