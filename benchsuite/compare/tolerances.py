"""How far each figure that does not scatter may be worse than its baseline, and why."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchsuite.machine.files import write_whole
from benchsuite.runs import figures
from benchsuite.runs.figures import AllowedUnit, Tolerance
from benchsuite.terms.errors import BaselineError
from benchsuite.terms.numbers import LARGEST
from benchsuite.terms.printable import excerpt, short
from benchsuite.terms.reading import why
from benchsuite.terms.toml import read_toml

TOLERANCES_FILE = "tolerances.toml"
_MOST_PROBLEMS = 20
_ABOUT = """\
# How far a figure may be worse than its promoted baseline before the comparison fails.
#
# Each table is one metric; the key's name carries the unit, the reason says why this much and no more.
# Improvements never fail. Timing is not here: it is judged by its own spread between promoted sessions.
"""


def default_tolerances() -> Mapping[str, Tolerance]:
    """Return the tolerances that benchsuite comes with, by the figures' keys."""
    return {figure.key: figure.tolerance for figure in figures.FIGURES if figure.tolerance is not None}


def no_tolerance() -> Mapping[str, Tolerance]:
    """Return tolerances that allow no change."""
    return {
        key: Tolerance(0.0, usual.unit, "Nothing was allowed to change.") for key, usual in default_tolerances().items()
    }


def read_tolerances(root: Path) -> Mapping[str, Tolerance]:
    """Read `tolerances.toml` of a folder of baselines; raises BaselineError that lists everything wrong with it.

    A figure that it does not name, as one that is younger than the file, has its own tolerance.
    """
    path = root / TOLERANCES_FILE
    try:
        tables = read_toml(path)
    except FileNotFoundError:
        raise BaselineError(
            f"{path} is missing: take it back from git, or let `benchsuite promote` write it anew."
        ) from None
    except (OSError, ValueError) as error:
        raise BaselineError(f"cannot read {path}: {why(error)}; mend it by hand.") from None
    usual = default_tolerances()
    tolerances = dict(usual)
    problems = [f"[{short(name)}] is no metric; there are {', '.join(usual)}" for name in tables if name not in usual]
    for metric in (metric for metric in usual if metric in tables):
        tolerance = _tolerance(tables[metric], usual[metric].unit)
        if isinstance(tolerance, str):
            problems.append(f"[{metric}] {tolerance}")
        else:
            tolerances[metric] = tolerance
    if problems:
        raise BaselineError("\n".join(f"{path}: {problem}." for problem in problems[:_MOST_PROBLEMS]))
    return tolerances


def write_default_tolerances(root: Path) -> Path:
    """Write the tolerances that benchsuite comes with into a folder of baselines that has none; return the file."""
    path = root / TOLERANCES_FILE
    if not path.exists():
        write_whole(path, default_tolerances_text())
    return path


def default_tolerances_text() -> str:
    """Return the text of a `tolerances.toml` that says what benchsuite comes with."""
    return "\n".join((_ABOUT, *(_table(*item) for item in default_tolerances().items())))


def _table(metric: str, tolerance: Tolerance) -> str:
    # A JSON string is a TOML string.
    reason = json.dumps(tolerance.reason, ensure_ascii=False)
    return f"[{metric}]\nallowed_{tolerance.unit} = {tolerance.allowed}\nreason = {reason}\n"


def _tolerance(table: Any, unit: AllowedUnit) -> Tolerance | str:
    """Return the tolerance that a table gives, or what is wrong with the table."""
    key = f"allowed_{unit}"
    if not isinstance(table, dict):
        return f"must be a table with {key} and reason"
    unknown = sorted(set(table) - {key, "reason"})
    if unknown:
        return f"has the unknown key {short(', '.join(unknown))}; it takes {key} and reason"
    allowed, reason = table.get(key), table.get("reason")
    if isinstance(allowed, bool) or not isinstance(allowed, (int, float)) or not 0 <= allowed <= LARGEST:
        return f"needs {key}, a number of at least 0; found {excerpt(allowed)}"
    if not isinstance(reason, str) or not reason.strip():
        return "needs a reason in words"
    return Tolerance(float(allowed), unit, reason.strip())
