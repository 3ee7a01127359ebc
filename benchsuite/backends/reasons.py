"""Sentences why a case cannot run here that are the same for every runtime."""

from __future__ import annotations

from collections.abc import Iterable

from benchsuite.machine.facts import Machine, gpu_of
from benchsuite.terms.cases import Case


def not_installed(machine: Machine, *distributions: str) -> str | None:
    """Say which of the packages is missing and how to get it; `a|b` asks for one of the two."""
    for distribution in distributions:
        choices = distribution.split("|")
        if not any(choice in machine.packages for choice in choices):
            return f"{choices[0]} is not installed: pip install {choices[0]}"
    return None


def cpu_only(case: Case, runtime: str) -> str | None:
    """Say that a device other than the CPU is not to be had, if one is asked for."""
    if case.device == "cpu":
        return None
    if case.device == "vulkan":
        return no_vulkan(runtime)
    return f"{runtime} runs on the CPU only, and {case.device} was asked for: use --device cpu"


def no_vulkan(runtime: str) -> str:
    """Say who runs on Vulkan."""
    return f"{runtime} does not run on Vulkan, ncnn does: use --backend ncnn or --device cpu"


def no_such_gpu(case: Case, machine: Machine) -> str | None:
    """Say that the case's GPU is not there, if so."""
    if gpu_of(case.device, machine) is not None:
        return None
    if not machine.gpus:
        return f"{case.backend} on {case.device} needs an NVIDIA GPU: none found; use --device cpu"
    most = len(machine.gpus) - 1
    return f"{case.device} was asked for, and this machine's GPUs are cuda:0 to cuda:{most}: use one of these"


def has_bf16(isa: Iterable[str]) -> bool:
    """Say whether a CPU of these instruction sets multiplies bf16 numbers itself."""
    return not {"avx512_bf16", "amx_bf16", "bf16"}.isdisjoint(isa)


def no_bf16_instructions(machine: Machine, runtime: str) -> str | None:
    """Say that the CPU would have to emulate bf16, if it would."""
    if has_bf16(machine.isa):
        return None
    wanted = "avx512_bf16 or amx_bf16" if machine.is_x86 else "bf16"
    return f"this CPU has no bf16 instructions ({wanted}): {runtime} would not gain from bf16; use fp32"
