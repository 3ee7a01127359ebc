"""What the runtimes offer, looked up by name or gathered from all of them."""

from __future__ import annotations

from benchsuite.backends import BACKENDS
from benchsuite.backends.schemes import AUTO, BY_CPU, DEFAULT, split_scheme
from benchsuite.backends.tools import STEPS
from benchsuite.machine.facts import PACKAGES
from benchsuite.networks.topology import GROUPS
from benchsuite.terms.errors import UsageError
from benchsuite.terms.printable import short

EVERY_SCHEME = tuple(dict.fromkeys(scheme for backend in BACKENDS.values() for scheme in backend.schemes))
# What backends take, each on some machine, where no scheme is asked for: rows need not say it.
USUAL_SCHEMES = BY_CPU.union(*(backend.schemes[:1] for backend in BACKENDS.values()))
# By the way to run: the runtime that has it.
EVERY_WAY = {way: name for name, backend in BACKENDS.items() for way in backend.ways}


def recorded_packages() -> tuple[str, ...]:
    """Return the packages that can change a figure, whose versions records hold."""
    found = dict.fromkeys(PACKAGES)
    for backend in BACKENDS.values():
        found |= dict.fromkeys((*backend.packages, *(name for names in backend.substitutes.values() for name in names)))
        found |= dict.fromkeys(name for names in backend.tools.values() for name in names)
    return tuple(name for name in found if name not in STEPS)


def tools_for(artifact_format: str, precision: str) -> tuple[str, ...]:
    """Return the packages that make an artifact, those of the artifact it derives from included."""
    return BACKENDS[artifact_format].tools[precision]


def calibration_method(artifact_format: str, asked: str) -> str:
    """Return how ranges are set: the first of the format's methods for `default`; raise UsageError for none of them."""
    methods = BACKENDS[artifact_format].methods
    if asked in ("", DEFAULT):
        return methods[0]
    if asked not in methods:
        valid = ", ".join((DEFAULT, *methods))
        raise UsageError(f"--calib-method {asked}: {artifact_format} cannot calibrate so; give one of {valid}")
    return asked


def scheme_problem(scheme: str) -> str:
    """Say what is wrong with a scheme's name, or nothing."""
    base, groups = split_scheme(scheme)
    if scheme in (DEFAULT, AUTO):
        return ""
    if base not in EVERY_SCHEME:
        named = ", ".join((DEFAULT, *EVERY_SCHEME))
        return f"there is no such scheme; give one of {named}, or let `pytest bench/` search for it by {AUTO}"
    if groups and not base.startswith(("qdq", "qop")):
        return f"{base} has no parts that can be named to stay float"
    unknown = [group for group in groups if group not in GROUPS]
    return f"{short(', '.join(unknown))} is no part of a network; there are {', '.join(GROUPS)}" if unknown else ""
