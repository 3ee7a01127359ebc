"""The INT8 schemes and ways to set ranges that each backend offers, by the names that stand in recipes and options."""

from __future__ import annotations

from collections.abc import Mapping

from benchsuite.errors import UsageError

DEFAULT = "default"

# fmt: off
SCHEMES: Mapping[str, tuple[str, ...]] = {
    # u8 activations and s8 weights, one scale a channel; the last convolution of each head branch, the decode and
    # attention stay float.
    "onnx": (
        "qdq-u8s8", "qdq-s8s8", "qdq-u8s7", "qdq-u8s8-headfloat", "qdq-u8s8-headint8", "qdq-u8s8-pertensor", "qop-u8s8",
        "dynamic-u8u8",
    ),
    "openvino": ("nncf-mixed", "nncf-performance"),
    # s8 both ways; the first convolution, branch ends and depthwise convolutions stay float.
    "ncnn": ("ncnn-w8", "ncnn-w8-depthwise", "ncnn-w8-ends"),
}
# fmt: on
# Schemes whose ranges are found in every call: no image calibrates them.
UNCALIBRATED = frozenset({"dynamic-u8u8"})
METHODS: Mapping[str, tuple[str, ...]] = {
    "onnx": ("percentile", "minmax", "mean-minmax", "entropy"),
    "openvino": ("mean-minmax", "minmax", "percentile"),
    "ncnn": ("minmax", "mean-minmax", "percentile", "entropy"),
}


def chosen_scheme(artifact_format: str, default: str, options: Mapping[str, str]) -> str:
    """Return the scheme that `options` ask for, or the default where they name another backend's.

    Raises UsageError for a scheme that no backend has, and for a calibration method that this one has not.
    """
    calibration_method(artifact_format, options.get("calib_method", DEFAULT))
    asked = options.get("quant_scheme") or DEFAULT
    if asked in SCHEMES[artifact_format]:
        return asked
    every = [scheme for schemes in SCHEMES.values() for scheme in schemes]
    if asked != DEFAULT and asked not in every:
        raise UsageError(f"--quant-scheme {asked}: there is no such scheme; give one of {', '.join((DEFAULT, *every))}")
    return default


def calibration_method(artifact_format: str, asked: str) -> str:
    """Return how ranges are set: the first of the format's methods for `default`; raise UsageError for none of them."""
    methods = METHODS[artifact_format]
    if asked in ("", DEFAULT):
        return methods[0]
    if asked not in methods:
        valid = ", ".join((DEFAULT, *methods))
        raise UsageError(f"--calib-method {asked}: {artifact_format} cannot calibrate so; give one of {valid}")
    return asked
