"""What a deployment of a case needs on the target machine: packages, disk, driver."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import Any

from benchsuite.backends import BACKENDS, backend
from benchsuite.backends.interface import Backend
from benchsuite.machine.facts import Machine
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.said import said


@dataclass(frozen=True)
class Setup:
    """Packages with their versions, bytes on disk with everything they pull in, and the driver needed."""

    packages: tuple[str, ...]
    installed_bytes: int | Absent
    driver: str


def setup_of(case: Case, machine: Machine) -> Setup:
    """Say what a case's runtime needs; sizes are read from the packages installed here, of the run's versions only."""
    if case.backend not in BACKENDS:
        return Setup((), Absent(said("this version does not know the runtime {1}", case.backend)), "")
    runtime = backend(case.backend)
    names = tuple(_installed_name(package, runtime, machine) for package in runtime.packages)
    wanted = tuple((name, machine.packages.get(name, "")) for name in names)
    packages = tuple(f"{name} {version}".strip() for name, version in wanted)
    return Setup(packages, installed_bytes(wanted), _driver(case, machine))


@cache
def installed_bytes(wanted: tuple[tuple[str, str], ...]) -> int | Absent:
    """Return the bytes that packages and all they pull in take on disk, by the lists their installers left.

    Absent where one of them is not installed here, or in another version than the run's.
    """
    for name, version in wanted:
        found = _version(name)
        if found is None:
            return Absent(said("the size of {1} is unknown: it is not installed where this report was made", name))
        if version and found != version:
            other = "the size of {1} is unknown: {2} is installed where this report was made"
            return Absent(said(other, f"{name} {version}", found))
    total = 0
    for name in sorted(_with_dependencies(name for name, _ in wanted)):
        size = _listed_bytes(name)
        if size is None:
            return Absent(said("the size of {1} is unknown: its installer left no list of files", name))
        total += size
    return total


def _driver(case: Case, machine: Machine) -> str:
    if backend(case.backend).gpu_only or case.on_gpu:
        return said("NVIDIA driver ({1} here)", machine.gpu_driver) if machine.gpu_driver else said("NVIDIA driver")
    return "none"


def _installed_name(package: str, runtime: Backend, machine: Machine) -> str:
    """Return the distribution that provided the runtime in this run."""
    return next(
        (name for name in (package, *runtime.substitutes.get(package, ())) if name in machine.packages), package
    )


def _with_dependencies(names: Iterable[str]) -> set[str]:
    from packaging.requirements import Requirement

    found: set[str] = set()
    queue = [_canonical(name) for name in names]
    while queue:
        name = queue.pop()
        about = _about(name)
        if name in found or about is None:
            continue
        found.add(name)
        for text in about.get_all("Requires-Dist", ()):
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                queue.append(_canonical(requirement.name))
    return found


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _version(name: str) -> str | None:
    about = _about(name)
    return None if about is None else about["Version"]


@cache
def _about(name: str) -> Any:
    """Return what a distribution says of itself, or None; parsed once, for it takes longer than anything else here."""
    try:
        return metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return None


def _listed_bytes(name: str) -> int | None:
    """Sum the sizes in RECORD, whose lines end in `,size`; parsing them as paths takes ten times as long."""
    record = metadata.distribution(name).read_text("RECORD")
    if record is None:
        return None
    sizes = (line.rsplit(",", 1)[-1] for line in record.splitlines())
    return sum(int(size) for size in sizes if size.isdigit())
