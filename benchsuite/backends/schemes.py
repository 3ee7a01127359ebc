"""The names of INT8 schemes, as they stand in recipes and options; each backend says which it offers.

A scheme may end in `~` and names of a network's parts, as in `qdq-u8s8~p3+neck`: these stay float too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchsuite.terms.absence import Absent
from benchsuite.terms.numbers import TimeRatio
from benchsuite.terms.said import Sentence

DEFAULT = "default"
# Let a search find the scheme.
AUTO = "auto"

# What TensorRT takes: s8 both ways, zero points of 0.
SYMMETRIC = "qdq-s8s8-symmetric"

# Schemes whose ranges are found in every call: no image calibrates them.
UNCALIBRATED = frozenset({"dynamic-u8u8"})
# What is taken where no scheme is asked for and the CPU does not suit a backend's first.
BY_CPU = frozenset({"qdq-u8s7", "qdq-s8s8"})
# Where everything that can be integer is: a search starts here and lets parts of the network stay float.
MOST_INTEGER = "qdq-u8s8-most"


@dataclass(frozen=True)
class SchemePoint:
    """One scheme that a search tried: mAP50-95 points lost, share of boxes kept, and time as a ratio to FP32's."""

    scheme: str
    map_loss: float
    agreement: float
    ratio: TimeRatio | Absent


@dataclass(frozen=True)
class SchemeSearch:
    """How a scheme was found: what was tried, and by how much each part of the network, left float, mends agreement."""

    chosen: str
    max_map_drop: float
    points: tuple[SchemePoint, ...]
    sensitivity: Mapping[str, float]
    sentence: Sentence


def split_scheme(scheme: str) -> tuple[str, tuple[str, ...]]:
    """Return a scheme without its float parts, and these."""
    base, _, groups = scheme.partition("~")
    return base, tuple(groups.split("+")) if groups else ()


def chosen_scheme(asked: str, offered: tuple[str, ...], default: str) -> str:
    """Return the scheme that is asked for, or the default where that is another runtime's."""
    return asked if split_scheme(asked)[0] in offered else default
