"""The INT8 schemes and ways to set ranges that each backend offers, by the names that stand in recipes and options.

A scheme may end in `~` and names of a network's parts, as in `qdq-u8s8~p3+neck`: these stay float too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchsuite.networks.topology import GROUPS
from benchsuite.terms.absence import Absent
from benchsuite.terms.errors import UsageError

DEFAULT = "default"
# Let a search find the scheme.
AUTO = "auto"

# What TensorRT takes: s8 both ways, zero points of 0.
SYMMETRIC = "qdq-s8s8-symmetric"

# fmt: off
SCHEMES: Mapping[str, tuple[str, ...]] = {
    # u8 activations and s8 weights, one scale a channel; the stem and p2, attention, the last convolution of each head
    # branch and the decode stay float (of these only attention's core and the decode in -most), and SiLU but in -silu8.
    "onnx": (
        "qdq-u8s8", "qdq-s8s8", "qdq-u8s7", "qdq-u8s8-headfloat", "qdq-u8s8-headint8", "qdq-u8s8-most",
        "qdq-u8s8-pertensor", "qdq-u8s8-silu8", "qop-u8s8", "dynamic-u8u8", "ultralytics",
    ),
    # -corrected: with NNCF's own correction of biases.
    "openvino": ("nncf-mixed", "nncf-performance", "nncf-mixed-corrected"),
    # s8 both ways; convolutions up to stride 4, branch ends and depthwise convolutions stay float.
    "ncnn": ("ncnn-w8", "ncnn-w8-depthwise", "ncnn-w8-ends", "ncnn-w8-early"),
    "trt": (SYMMETRIC,),
}
# fmt: on
EVERY_SCHEME = tuple(scheme for offered in SCHEMES.values() for scheme in offered)
# Schemes whose ranges are found in every call: no image calibrates them.
UNCALIBRATED = frozenset({"dynamic-u8u8"})
# Where everything that can be integer is: a search starts here and lets parts of the network stay float.
MOST_INTEGER = "qdq-u8s8-most"
METHODS: Mapping[str, tuple[str, ...]] = {
    "onnx": ("percentile", "minmax", "mean-minmax", "entropy"),
    "openvino": ("mean-minmax", "minmax", "percentile"),
    "ncnn": ("mean-minmax", "minmax", "percentile", "entropy"),
    "trt": ("percentile", "minmax", "mean-minmax", "entropy"),
}


@dataclass(frozen=True)
class SchemePoint:
    """One scheme that a search tried: mAP50-95 points lost, share of boxes kept, and time as a ratio to FP32's."""

    scheme: str
    map_loss: float
    agreement: float
    ratio: float | Absent


@dataclass(frozen=True)
class SchemeSearch:
    """How a scheme was found: what was tried, and by how much each part of the network, left float, mends agreement."""

    chosen: str
    max_map_drop: float
    points: tuple[SchemePoint, ...]
    sensitivity: Mapping[str, float]
    sentence: str


def split_scheme(scheme: str) -> tuple[str, tuple[str, ...]]:
    """Return a scheme without its float parts, and these."""
    base, _, groups = scheme.partition("~")
    return base, tuple(groups.split("+")) if groups else ()


def scheme_problem(scheme: str) -> str:
    """Say what is wrong with a scheme's name, or nothing."""
    base, groups = split_scheme(scheme)
    if scheme in (DEFAULT, AUTO):
        return ""
    if base not in EVERY_SCHEME:
        return f"there is no such scheme; give one of {', '.join((DEFAULT, AUTO, *EVERY_SCHEME))}"
    if groups and not base.startswith(("qdq", "qop")):
        return f"{base} has no parts that can be named to stay float"
    unknown = [group for group in groups if group not in GROUPS]
    return f"{', '.join(unknown)} is no part of a network; there are {', '.join(GROUPS)}" if unknown else ""


def chosen_scheme(artifact_format: str, default: str, options: Mapping[str, str]) -> str:
    """Return the scheme that `options` ask for, or the default where they name another backend's.

    Raises UsageError for a scheme that no backend has, and for a calibration method that this one has not.
    """
    calibration_method(artifact_format, options.get("calib_method", DEFAULT))
    asked = options.get("quant_scheme") or DEFAULT
    problem = scheme_problem(asked)
    if problem:
        raise UsageError(f"--quant-scheme {asked}: {problem}.")
    return asked if split_scheme(asked)[0] in SCHEMES[artifact_format] else default


def calibration_method(artifact_format: str, asked: str) -> str:
    """Return how ranges are set: the first of the format's methods for `default`; raise UsageError for none of them."""
    methods = METHODS[artifact_format]
    if asked in ("", DEFAULT):
        return methods[0]
    if asked not in methods:
        valid = ", ".join((DEFAULT, *methods))
        raise UsageError(f"--calib-method {asked}: {artifact_format} cannot calibrate so; give one of {valid}")
    return asked
