"""How far each deterministic metric may be worse than its baseline, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from benchsuite.machine.files import template_folder, write_whole
from benchsuite.terms.errors import BaselineError
from benchsuite.terms.toml import read_toml

TOLERANCES_FILE = "tolerances.toml"
Unit = Literal["percent", "points", "count"]
UNITS: Mapping[str, Unit] = {
    "artifact_bytes": "percent",
    "params": "percent",
    "gflops": "percent",
    "kernels": "count",
    "map50_95": "points",
    "map50": "points",
    "parity": "points",
}


@dataclass(frozen=True)
class Tolerance:
    """The change for the worse that is still accepted; points are hundredths of a fraction."""

    allowed: float
    unit: Unit
    reason: str


EXACT: Mapping[str, Tolerance] = {
    metric: Tolerance(0.0, unit, "Nothing was allowed to change.") for metric, unit in UNITS.items()
}


def read_tolerances(root: Path) -> Mapping[str, Tolerance]:
    """Read `tolerances.toml` of a folder of baselines; raises BaselineError that lists everything wrong with it."""
    path = root / TOLERANCES_FILE
    try:
        tables = read_toml(path)
    except FileNotFoundError:
        raise BaselineError(
            f"{path} is missing: take it back from git, or let `benchsuite promote` write it anew."
        ) from None
    except (OSError, ValueError) as error:
        raise BaselineError(f"cannot read {path}: {error}; mend it by hand.") from None
    problems = [f"[{name}] is no metric; there are {', '.join(UNITS)}" for name in tables if name not in UNITS]
    tolerances = {}
    for metric, unit in UNITS.items():
        if metric not in tables:
            problems.append(f"[{metric}] is missing: give it allowed_{unit} and reason")
            continue
        tolerance = _tolerance(tables[metric], unit)
        if isinstance(tolerance, str):
            problems.append(f"[{metric}] {tolerance}")
        else:
            tolerances[metric] = tolerance
    if problems:
        raise BaselineError("\n".join(f"{path}: {problem}." for problem in problems))
    return tolerances


def write_default_tolerances(root: Path) -> Path:
    """Write the tolerances that benchsuite comes with into a folder of baselines that has none; return the file."""
    path = root / TOLERANCES_FILE
    if not path.exists():
        write_whole(path, (template_folder() / "baselines" / TOLERANCES_FILE).read_text(encoding="utf-8"))
    return path


def _tolerance(table: Any, unit: Unit) -> Tolerance | str:
    """Return the tolerance that a table gives, or what is wrong with the table."""
    key = f"allowed_{unit}"
    if not isinstance(table, dict):
        return f"must be a table with {key} and reason"
    unknown = sorted(set(table) - {key, "reason"})
    if unknown:
        return f"has the unknown key {', '.join(unknown)}; it takes {key} and reason"
    allowed, reason = table.get(key), table.get("reason")
    if isinstance(allowed, bool) or not isinstance(allowed, (int, float)) or not 0 <= allowed < float("inf"):
        return f"needs {key}, a number of at least 0"
    if not isinstance(reason, str) or not reason.strip():
        return "needs a reason in words"
    return Tolerance(float(allowed), unit, reason.strip())
