"""Hold what ran against what a case's name says."""

from __future__ import annotations

from benchsuite.backends.interface import Ran
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.said import said

# A network whose larger part runs in float is not an INT8 network, whatever its file is called.
MIN_INT8_MAC_SHARE = 0.6


def contradiction(case: Case, ran: Ran) -> str | None:
    """Say in one sentence how the proof contradicts the case's precision; None where it does not.

    A precision that is only stored is no contradiction: `Ran.label` says so.
    """
    elsewhere = {kind: count for kind, count in ran.fallback.items() if "conv" in kind.lower()}
    if elsewhere:
        kernels = ", ".join(f"{count} x {kind}" for kind, count in sorted(elsewhere.items()))
        return said("{1} is named for {2}, and {3} ran {4} elsewhere", case.id, case.device, ran.runtime, kernels)
    if case.precision == "int8":
        return _int8_contradiction(case, ran)
    if case.precision == "fp32":
        others = sorted(f"{count} x {kind}" for kind, count in ran.kernels.items() if _is_narrow_convolution(kind))
        if ran.compute == ran.storage == "fp32" and not others:
            return None
        found = said("{1} ({2})", ran.label, ", ".join(others)) if others else ran.label
        return said("{1} is named fp32, and {2} ran {3}: its figures are not FP32's", case.id, ran.runtime, found)
    if case.precision not in (ran.compute, ran.storage):
        return said("{1} is named {2}, and {3} ran {4}", case.id, case.precision, ran.runtime, ran.label)
    return None


def _int8_contradiction(case: Case, ran: Ran) -> str | None:
    share = ran.int8_mac_share
    if isinstance(share, Absent):
        return said("{1} is named int8, and {2} ran {3}: {4}", case.id, ran.runtime, ran.label, share.reason)
    if share < MIN_INT8_MAC_SHARE:
        return said(
            "{1} is named int8, and only {2} of its convolutions' multiply-adds ran in integer kernels "
            "({3} are needed)",
            case.id,
            f"{share:.0%}",
            f"{MIN_INT8_MAC_SHARE:.0%}",
        )
    return None


def _is_narrow_convolution(kind: str) -> bool:
    operation, _, precision = kind.rpartition(" ")
    return "conv" in operation.lower() and precision in ("fp16", "bf16", "int8")
