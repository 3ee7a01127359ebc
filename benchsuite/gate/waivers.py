"""Slowdowns that somebody has accepted: one reviewed entry a case, with a ceiling, a reason and a date of expiry."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchsuite.options.chosen import GATE_METRICS
from benchsuite.terms.errors import UsageError, raise_all
from benchsuite.terms.printable import excerpt, short
from benchsuite.terms.reading import why
from benchsuite.terms.said import joined, said
from benchsuite.terms.toml import read_toml

WAIVERS_FILE = "waivers.toml"
_MOST_PROBLEMS = 20
_KEYS = ("case", "metric", "ceiling", "reason", "expires")
_EPSILON = 1e-9
_LISTED = 5


@dataclass(frozen=True)
class Waiver:
    """One accepted slowdown; `ceiling` is a ratio minus one, `expires` the last day on which it holds."""

    case_id: str
    metric: str
    ceiling: float
    reason: str
    expires: datetime.date

    def expired(self, today: datetime.date) -> bool:
        """Say whether it holds no more."""
        return today > self.expires


def read_waivers(path: Path) -> tuple[Waiver, ...]:
    """Read `[[waiver]]` tables; raises one UsageError for everything that is wrong with them."""
    try:
        data = read_toml(path)
    except FileNotFoundError:
        raise UsageError(f"--waivers {path}: there is no such file; leave the option out or write one.") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"--waivers {path}: it cannot be read: {why(error)}.") from None
    problems = [f"{path}: [{short(name)}] is unknown; there is [[waiver]] only." for name in data if name != "waiver"]
    tables = data.get("waiver", [])
    if not isinstance(tables, list):
        problems.append(f"{path}: waiver is {excerpt(tables)}: write [[waiver]], with two brackets, above each waiver.")
        tables = []
    waivers = []
    for number, table in enumerate(tables, 1):
        waiver = _waiver(table)
        if isinstance(waiver, str):
            problems.append(f"{path}: waiver {number} {waiver}.")
        else:
            waivers.append(waiver)
    counts = Counter((waiver.case_id, waiver.metric) for waiver in waivers)
    problems += [
        f"{path}: {short(case_id)} {metric} is waived twice."
        for (case_id, metric), count in counts.items()
        if count > 1
    ]
    raise_all(problems[:_MOST_PROBLEMS])
    return tuple(waivers)


def ceilings(waivers: Sequence[Waiver], today: datetime.date) -> Mapping[tuple[str, str], float]:
    """Return the ceilings that hold today, by case and metric."""
    return {(it.case_id, it.metric): it.ceiling for it in waivers if not it.expired(today)}


def check_ceilings(path: Path, waivers: Sequence[Waiver], max_slowdown: float, today: datetime.date) -> None:
    """Raise one UsageError for all that hold today and accept no more than the gate does without them."""
    problems = [
        f"{path}: {it.case_id} {it.metric} has the ceiling {it.ceiling * 100:g} %, and --max-slowdown "
        f"{max_slowdown * 100:g} % is what the gate accepts anyway; raise the ceiling or remove the waiver."
        for it in waivers
        if not it.expired(today) and it.ceiling <= max_slowdown + _EPSILON
    ]
    raise_all(problems)


def without_effect(waivers: Sequence[Waiver], case_ids: Iterable[str], metrics: Iterable[str]) -> tuple[str, ...]:
    """Return a sentence for those of no selected case, whose id may be wrong, and one for those of no tested metric."""
    selected, tested = set(case_ids), set(metrics)
    ids = dict.fromkeys(it.case_id for it in waivers if it.case_id not in selected)
    untested = [f"{it.case_id} {it.metric}" for it in waivers if it.case_id in selected and it.metric not in tested]
    sentences = []
    if ids:
        unknown = "waivers without effect: this gate selected no case named {1}; `benchsuite cases` prints the ids"
        sentences.append(said(unknown, _listed(list(ids))))
    if untested:
        sentences.append(said("waivers without effect: --gate-metrics leaves out what {1} is of", _listed(untested)))
    return tuple(sentences)


def _listed(names: Sequence[str]) -> str:
    shown = joined(", ", names[:_LISTED])
    return said("{1} and {2} more", shown, len(names) - _LISTED) if len(names) > _LISTED else shown


def _waiver(table: Any) -> Waiver | str:
    if not isinstance(table, dict) or set(table) != set(_KEYS):
        return f"must have exactly the keys {', '.join(_KEYS)}"
    ceiling, case_id = table["ceiling"], table["case"]
    try:
        fraction = float(ceiling.removesuffix("%").strip() if isinstance(ceiling, str) else ceiling) / 100
    except (ValueError, TypeError, OverflowError):
        fraction = -1.0
    if not 0 < fraction < 10:
        return f'needs a ceiling in percent, as in "8%"; found {excerpt(ceiling)}'
    if not isinstance(case_id, str) or not case_id.strip():
        return f"needs the id of a case; found {excerpt(case_id)}"
    if table["metric"] not in GATE_METRICS:
        return f"has the metric {excerpt(table['metric'])}; there are {', '.join(GATE_METRICS)}"
    expires = table["expires"]
    # A TOML date-time is a date too, by inheritance.
    if not isinstance(expires, datetime.date) or isinstance(expires, datetime.datetime):
        return "needs expires, a date without quotes as in 2027-01-31"
    if not isinstance(table["reason"], str) or not table["reason"].strip():
        return "needs a reason in words"
    return Waiver(case_id, table["metric"], fraction, table["reason"].strip(), expires)
