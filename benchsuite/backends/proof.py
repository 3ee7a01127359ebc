"""Hold what ran against what a case's name says."""

from __future__ import annotations

from benchsuite.backends.interface import Ran
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case

# A network whose larger part runs in float is not an INT8 network, whatever its file is called.
MIN_INT8_MAC_SHARE = 0.6


def contradiction(case: Case, ran: Ran) -> str | None:
    """Say in one sentence how the proof contradicts the case's precision; None where it does not.

    A precision that is only stored is no contradiction: `Ran.label` says so.
    """
    elsewhere = {kind: count for kind, count in ran.fallback.items() if "conv" in kind.lower()}
    if elsewhere:
        kernels = ", ".join(f"{count} x {kind}" for kind, count in sorted(elsewhere.items()))
        return f"{case.id} is named for {case.device}, and {ran.runtime} ran {kernels} elsewhere"
    if case.precision == "int8":
        return _int8_contradiction(case, ran)
    if case.precision == "fp32":
        others = sorted(f"{count} x {kind}" for kind, count in ran.kernels.items() if _is_narrow_convolution(kind))
        if ran.compute == ran.storage == "fp32" and not others:
            return None
        found = f" ({', '.join(others)})" if others else ""
        return f"{case.id} is named fp32, and {ran.runtime} ran {ran.label}{found}: its figures are not FP32's"
    if case.precision not in (ran.compute, ran.storage):
        return f"{case.id} is named {case.precision}, and {ran.runtime} ran {ran.label}"
    return None


def _int8_contradiction(case: Case, ran: Ran) -> str | None:
    share = ran.int8_mac_share
    if isinstance(share, Absent):
        return f"{case.id} is named int8, and {ran.runtime} ran {ran.label}: {share.reason}"
    if share < MIN_INT8_MAC_SHARE:
        return (
            f"{case.id} is named int8, and only {share:.0%} of its convolutions' multiply-adds ran in integer kernels "
            f"({MIN_INT8_MAC_SHARE:.0%} are needed)"
        )
    return None


def _is_narrow_convolution(kind: str) -> bool:
    operation, _, precision = kind.rpartition(" ")
    return "conv" in operation.lower() and precision in ("fp16", "bf16", "int8")
