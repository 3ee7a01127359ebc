"""Where benchsuite was started without what it needs."""

from __future__ import annotations

import sys
from importlib.util import find_spec

_OLDEST_PYTHON = (3, 10)
# What every run imports, sooner or later. A runtime that is missing costs its own cases only.
REQUIRED = (
    "PIL", "cattrs", "cv2", "jinja2", "numpy", "packaging", "platformdirs", "plotly", "psutil", "pynvml", "pytest",
    "pytest_benchmark", "rich", "scipy", "typer", "yaml",
)  # fmt: skip


def wrong_environment() -> str | None:
    """Say in one sentence what to do where this interpreter cannot run benchsuite; None where it can."""
    if sys.version_info < _OLDEST_PYTHON:
        return f"benchsuite needs Python 3.10 or newer, and {sys.executable} is {sys.version.split()[0]}: {_REMEDY}."
    missing = [name for name in REQUIRED if not _is_there(name)]
    if not missing:
        return None
    return f"benchsuite needs {', '.join(missing)}, which {sys.executable} does not have: {_REMEDY}."


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
