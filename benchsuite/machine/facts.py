"""The machine, its limits and the versions on it; a fingerprint that two runs share when timings may be compared."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchsuite.machine.control_groups import cpu_quota, memory_limit_bytes
from benchsuite.machine.nvml import Gpu, list_gpus

# What can change a figure of every runtime; each has packages of its own beside these.
PACKAGES = (
    "benchsuite", "ultralytics", "ultralytics-thop", "torch", "torchvision", "numpy", "opencv-python",
    "opencv-python-headless",
)  # fmt: skip
# What computes convolutions on a GPU for PyTorch and ONNX Runtime, where it comes as a package.
_CUDNN = ("nvidia-cudnn-cu12", "nvidia-cudnn-cu13")
# The instruction sets that decide which kernels a runtime picks.
ISA_FLAGS = (
    "avx2", "f16c", "fma", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16",
    "amx_bf16", "amx_int8", "amx_fp16", "asimd", "asimdhp", "asimddp", "i8mm", "bf16", "sve", "sve2",
)  # fmt: skip
_X86 = ("x86_64", "amd64")


@dataclass(frozen=True)
class Machine:
    """Everything about the machine that can change a figure."""

    cpu: str
    arch: str
    isa: tuple[str, ...]
    cores: int
    usable_cores: int
    cpu_quota_cores: float | None
    memory_bytes: int
    memory_limit_bytes: int | None
    governor: str
    system: str
    kernel: str
    python: str
    gpus: tuple[Gpu, ...]
    gpu_driver: str | None
    packages: Mapping[str, str]

    @property
    def is_x86(self) -> bool:
        return self.arch.lower() in _X86

    @property
    def hardware(self) -> Mapping[str, object]:
        """Return what the fingerprint covers: hardware, limits and operating system, without names and versions."""
        names = ("cpu", "arch", "isa", "cores", "usable_cores", "cpu_quota_cores", "governor", "system")
        facts = {name: getattr(self, name) for name in names}
        # Machines of one kind differ by a few MB of reserved memory.
        gib = 1 << 30
        facts["memory_gib"] = round(self.memory_bytes / gib)
        facts["memory_limit_gib"] = round(self.memory_limit_bytes / gib) if self.memory_limit_bytes else None
        facts["gpus"] = [gpu.name for gpu in self.gpus]
        facts["gpu_driver"] = self.gpu_driver
        return facts

    @property
    def fingerprint(self) -> str:
        """Return 16 hex digits over `hardware`: a library upgrade is a change to measure, not another machine."""
        text = json.dumps(self.hardware, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def slug(self) -> str:
        """Return CPU (and GPU) name and the first 8 digits of the fingerprint, fit for a folder's name."""
        names = [self.cpu, *dict.fromkeys(gpu.name for gpu in self.gpus)]
        words = re.sub(r"[^a-z0-9]+", "-", " ".join(names).lower()).strip("-")
        return f"{words}-{self.fingerprint[:8]}"


def differences(one: Machine, other: Machine) -> tuple[str, ...]:
    """List what differs, a line each, as `name: here -> there`."""
    left, right = asdict(one), asdict(other)
    lines = []
    for name in left:
        if name == "packages":
            for package in sorted({**left[name], **right[name]}):
                here, there = left[name].get(package, "none"), right[name].get(package, "none")
                if here != there:
                    lines.append(f"{package}: {here} -> {there}")
        elif left[name] != right[name]:
            lines.append(f"{name}: {left[name]} -> {right[name]}")
    return tuple(lines)


def read_machine(packages: Sequence[str] = PACKAGES) -> Machine:
    """Read this machine's facts without loading a runtime."""
    import psutil

    gpus, driver = list_gpus()
    packages = (*packages, *gpu_packages(gpus))
    # Numbers count as nvidia-smi does, by PCI bus; workers get UUIDs, whose order nobody can take otherwise.
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    gpus = gpus if chosen is None else visible(gpus, chosen)
    return Machine(
        cpu=_cpu_name(),
        arch=platform.machine(),
        isa=instruction_sets(),
        cores=psutil.cpu_count(logical=False) or os.cpu_count() or 1,
        usable_cores=usable_cores(),
        cpu_quota_cores=cpu_quota(),
        memory_bytes=psutil.virtual_memory().total,
        memory_limit_bytes=memory_limit_bytes(),
        governor=_read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") or "unknown",
        system=platform.system(),
        kernel=platform.release(),
        python=platform.python_version(),
        gpus=gpus,
        gpu_driver=driver,
        packages=package_versions(packages),
    )


def gpu_packages(gpus: Sequence[Gpu]) -> tuple[str, ...]:
    """Return the packages that can change a figure only where there is a GPU."""
    return _CUDNN if gpus else ()


def visible(gpus: Sequence[Gpu], chosen: str) -> tuple[Gpu, ...]:
    """Return the GPUs that CUDA_VISIBLE_DEVICES chooses, in its order: numbers by PCI bus, or beginnings of UUIDs.

    Like CUDA, stop at the first that names none.
    """
    found: list[Gpu] = []
    for word in (part.strip() for part in chosen.split(",")):
        numbered = gpus[int(word)] if word.isdigit() and int(word) < len(gpus) else None
        named = next((gpu for gpu in gpus if len(word) > 4 and gpu.uuid.startswith(word)), None)
        gpu = numbered or named
        if gpu is None:
            break
        found.append(gpu)
    return tuple(found)


def usable_cores() -> int:
    """Return how many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def usable_threads() -> int:
    """Return how many threads can compute at once: the usable cores, or what a CPU quota leaves of them."""
    quota = cpu_quota()
    return usable_cores() if quota is None else max(1, min(usable_cores(), int(quota)))


def package_versions(packages: Sequence[str]) -> Mapping[str, str]:
    """Return the version of each of these packages that is installed."""
    versions = {}
    for package in packages:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def _cpu_name() -> str:
    match = re.search(r"^model name\s*:\s*(.+)$", _read("/proc/cpuinfo"), re.MULTILINE)
    return match.group(1).strip() if match else platform.processor() or platform.machine()


def instruction_sets() -> tuple[str, ...]:
    """Return which of the instruction sets that decide about kernels this CPU has."""
    match = re.search(r"^(?:flags|Features)\s*:\s*(.+)$", _read("/proc/cpuinfo"), re.MULTILINE)
    found = set(match.group(1).split()) if match else set()
    return tuple(flag for flag in ISA_FLAGS if flag in found)


def gpu_of(device: str, machine: Machine) -> Gpu | None:
    """Return the GPU that `cuda:N` names: the one at place N of the machine's; None where there is none."""
    kind, _, number = device.partition(":")
    if kind != "cuda" or not number.isdigit() or int(number) >= len(machine.gpus):
        return None
    return machine.gpus[int(number)]


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
