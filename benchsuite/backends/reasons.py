"""Sentences why a case cannot run here that are the same for every runtime."""

from __future__ import annotations

from collections.abc import Iterable

from benchsuite.machine.facts import Machine, gpu_of
from benchsuite.terms.cases import Case
from benchsuite.terms.said import said


def not_installed(machine: Machine, *distributions: str) -> str | None:
    """Say which of the packages is missing and how to get it; `a|b` asks for one of the two."""
    for distribution in distributions:
        choices = distribution.split("|")
        if not any(choice in machine.packages for choice in choices):
            return said("{1} is not installed: pip install {2}", choices[0], choices[0])
    return None


def cpu_only(case: Case, runtime: str) -> str | None:
    """Say that a device other than the CPU is not to be had, if one is asked for."""
    if case.device == "cpu":
        return None
    if case.device == "vulkan":
        return no_vulkan(runtime)
    return said("{1} runs on the CPU only, and {2} was asked for: use --device cpu", runtime, case.device)


def no_vulkan(runtime: str) -> str:
    """Say who runs on Vulkan."""
    return said("{1} does not run on Vulkan, ncnn does: use --backend ncnn or --device cpu", runtime)


def no_such_gpu(case: Case, machine: Machine) -> str | None:
    """Say that the case's GPU is not there, if so."""
    if gpu_of(case.device, machine) is not None:
        return None
    if not machine.gpus:
        return said("{1} on {2} needs an NVIDIA GPU: none found; use --device cpu", case.backend, case.device)
    most = len(machine.gpus) - 1
    return said(
        "{1} was asked for, and this machine's GPUs are cuda:0 to cuda:{2}: use one of these", case.device, most
    )


def has_bf16(isa: Iterable[str]) -> bool:
    """Say whether a CPU of these instruction sets multiplies bf16 numbers itself."""
    return not {"avx512_bf16", "amx_bf16", "bf16"}.isdisjoint(isa)


def no_bf16_instructions(machine: Machine, runtime: str) -> str | None:
    """Say that the CPU would have to emulate bf16, if it would."""
    if has_bf16(machine.isa):
        return None
    wanted = "avx512_bf16 or amx_bf16" if machine.is_x86 else "bf16"
    return said("this CPU has no bf16 instructions ({1}): {2} would not gain from bf16; use fp32", wanted, runtime)
