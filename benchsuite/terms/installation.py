"""Where benchsuite was started without what it needs."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable, Collection, Mapping
from importlib.util import find_spec

_OLDEST_PYTHON = (3, 10)
# What every run imports, sooner or later. A runtime that is missing costs its own cases only.
REQUIRED = (
    "PIL", "cattrs", "cv2", "jinja2", "numpy", "packaging", "platformdirs", "plotly", "psutil", "pynvml", "pytest",
    "pytest_benchmark", "rich", "scipy", "typer", "yaml",
)  # fmt: skip
# Extras that only work on benchsuite itself needs.
_DEVELOPERS = ("test", "dev")


def wrong_environment() -> str | None:
    """Say in one sentence what to do where this interpreter cannot run benchsuite; None where it can."""
    if sys.version_info < _OLDEST_PYTHON:
        return f"benchsuite needs Python 3.10 or newer, and {sys.executable} is {sys.version.split()[0]}: {_REMEDY}."
    missing = [name for name in REQUIRED if not _is_there(name)]
    if not missing:
        return None
    return f"benchsuite needs {', '.join(missing)}, which {sys.executable} does not have: {_REMEDY}."


def missing_requirements(substitutes: Mapping[str, Collection[str]]) -> Mapping[str, tuple[str, ...]]:
    """Return what benchsuite asks for and this environment lacks or has in another version, by the extra that asks.

    What every installation needs has no extra, `""`. `substitutes` may stand in for a distribution. Empty where
    benchsuite itself is no distribution here.
    """
    from packaging.requirements import Requirement

    try:
        asked = [Requirement(text) for text in importlib.metadata.requires("benchsuite") or ()]
        extras = importlib.metadata.metadata("benchsuite").get_all("Provides-Extra") or []
    except importlib.metadata.PackageNotFoundError:
        return {}
    missing: dict[str, list[str]] = {}
    for extra in ("", *(extra for extra in extras if extra not in _DEVELOPERS)):
        for it in asked:
            # An extra's requirements apply with it and not without.
            applies = it.marker is None or it.marker.evaluate({"extra": extra})
            needed = applies and (not extra or (it.marker is not None and not it.marker.evaluate({"extra": ""})))
            names = (it.name, *substitutes.get(it.name, ()))
            if needed and not any(_has_version(name, it.specifier.contains) for name in names):
                missing.setdefault(extra, []).append(f"{it.name}{it.specifier}")
    return {extra: tuple(texts) for extra, texts in missing.items()}


def _has_version(name: str, fits: Callable[..., bool]) -> bool:
    try:
        return fits(importlib.metadata.version(name), prereleases=True)
    except importlib.metadata.PackageNotFoundError:
        return False


def _is_there(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ValueError:
        # Somebody keeps it from being imported.
        return False


_REMEDY = (
    "use the interpreter of the environment that benchsuite was installed into, or install it into this one with "
    f"{sys.executable} -m pip install PATH-TO-BENCHSUITE"
)
