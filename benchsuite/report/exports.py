"""A run's figures for other tools: a flat table, github-action-benchmark's and Bencher's JSON."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from benchsuite.machine.files import write_whole
from benchsuite.measure.measurement import PHASES
from benchsuite.options.settings import SETTING
from benchsuite.options.texts import PERCENTILES
from benchsuite.report.groups import group
from benchsuite.report.recommendation import recommend
from benchsuite.runs import figures
from benchsuite.runs.figures import Figure
from benchsuite.runs.folder import Run
from benchsuite.runs.ranking import RankedRow
from benchsuite.runs.records import Record
from benchsuite.terms.absence import Absent, part_of
from benchsuite.terms.errors import UsageError
from benchsuite.terms.printable import printable_lines
from benchsuite.terms.units import MEGABYTES, Unit

T = TypeVar("T")
Value = str | int | float | None
# The formats whose rows say which run they are of.
_TABLES = ("csv", "parquet")
_TEXTS = (
    "run", "started", "machine", "case", "model", "backend", "precision", "device", "head", "variant", "outcome",
    "reason", "ran", "runtime", "artifact_sha256", "recipe_digest", "scheme", "run_digest", "timing",
)  # fmt: skip
# What spreadsheets take for the begin of a formula.
_FORMULAS = ("=", "+", "-", "@", "\n")
_COUNTS = ("imgsz", "batch", "threads", "place_first", "place_last", "contention")
# The columns that files begin with, figures among them; all other figures follow in their order.
_FIRST = (
    "run", "started", "machine", "case", "model", "backend", "precision", "device", "imgsz", "batch", "threads", "head",
    "variant", "outcome", "reason", "ran", "runtime", "int8_mac_share", "artifact_sha256", "artifact_bytes", "build_s",
    "recipe_digest", *(f"{phase}_{name}_ns" for phase in PHASES for name in PERCENTILES),
)  # fmt: skip
# How a row lies among those that took turns with it, by its accuracy alone; see `report.recommendation`.
_RANKED = ("timing", "speed_to_fastest", "speed_to_fastest_low", "speed_to_fastest_high", "place_first", "place_last")
_NOISE = ("turns_spread", "contention")
# The columns that joined after a figure's, and before those of figures that came later.
_JOINED = {"energy_j_per_call": ("scheme", "run_digest", *_RANKED, *_NOISE)}


def flat_rows(runs: Sequence[Run]) -> list[dict[str, Value]]:
    """Return a row a record, units in the columns' names; what is absent is None, and `reason` says why."""
    return [
        {name: _shown(value) for name, value in row.items()}
        for run in runs
        for digest, ranked in ((_digest(run), _ranked(run)),)
        for record in run.records
        for row in (_row(run, digest, record, ranked.get(record.case.id)),)
    ]


def export(runs: Sequence[Run], form: str, path: Path) -> None:
    """Write runs to a file in one of FORMATS; raises UsageError, as for several runs where cases go by name only."""
    if len(runs) > 1 and form not in _TABLES:
        raise UsageError(
            f"--format {form}: it tells cases by name only, and {len(runs)} runs were given; export each to a file of "
            f"its own, or use {' or '.join(_TABLES)}."
        )
    write_whole(path, FORMATS[form](runs))


def _digest(run: Run) -> str:
    """Return 12 hex digits that two runs share only where they are copies of one."""
    measured = [
        (
            record.case.id,
            record.outcome,
            _or_none(part_of(record.artifact, lambda it: it.sha256)),
            _or_none(part_of(record.metrics.latency, lambda it: it.samples_sha256)),
            _or_none(part_of(record.metrics.accuracy, lambda it: it.map50_95)),
        )
        for record in run.records
    ]
    facts = [run.started, run.command, run.machine.fingerprint, measured]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]


def _ranked(run: Run) -> Mapping[str, RankedRow]:
    """Return how each row that took turns with others lies among them, by its case's id."""
    found: dict[str, RankedRow] = {}
    setting = SETTING["max_map_drop"]
    drop = setting.parse(setting.default)
    with suppress(ValueError):
        # A damaged run may say anything.
        drop = setting.parse(run.options.get(setting.name, setting.default))
    for rows in group(run.records):
        ranked = recommend(rows.records, (), drop).ranked
        found |= {} if isinstance(ranked, Absent) else ranked.rows
    return found


def _row(run: Run, digest: str, record: Record, ranked: RankedRow | None) -> dict[str, Value]:
    case, ran, artifact = record.case, record.validity.ran, record.artifact
    row: dict[str, Value] = {
        "run": run.name,
        "run_digest": digest,
        "started": run.started,
        "machine": run.machine.slug,
        "case": case.id,
        "model": case.model,
        "backend": case.backend,
        "precision": case.precision,
        "device": case.device,
        "imgsz": case.imgsz.plain,
        "batch": case.batch,
        "threads": case.threads,
        "head": case.head,
        "variant": case.variant,
        "outcome": record.outcome,
        "reason": record.reason,
        "ran": _or_none(record.validity.label),
        "runtime": _or_none(part_of(ran, lambda it: it.runtime)),
        "artifact_sha256": _or_none(part_of(artifact, lambda it: it.sha256)),
        "recipe_digest": _or_none(part_of(artifact, lambda it: it.recipe_digest)),
        "scheme": _or_none(part_of(artifact, lambda it: it.recipe.scheme or None)),
    }
    for figure in _exported():
        kind = int if figure.whole else float
        row[figure.names.csv] = _or_none(part_of(figure.read(record), kind))
    together = _or_none(part_of(record.metrics.latency, lambda it: it.together))
    if together is not None:
        contention = int(together.noise.contention)
        row |= {"timing": together.timing, "turns_spread": together.spread, "contention": contention}
    if ranked is not None and ranked.speed is not None:
        row |= dict(zip(_RANKED[1:4], (ranked.speed.times, ranked.speed.low, ranked.speed.high), strict=True))
    if ranked is not None and ranked.place is not None:
        row |= dict(zip(_RANKED[4:], ranked.place, strict=True))
    return {name: row.get(name) for name in _columns()}


def _shown(value: Value) -> Value:
    # A table may be written to a terminal, and holds Unicode only.
    return printable_lines(value) if isinstance(value, str) else value


def _exported() -> list[Figure]:
    return [figure for figure in figures.FIGURES if figure.names.csv]


def _columns() -> tuple[str, ...]:
    named = (figure.names.csv for figure in _exported())
    later = (column for name in named for column in (name, *_JOINED.get(name, ())))
    return tuple(dict.fromkeys((*_FIRST, *later)))


def _or_none(value: T | Absent) -> T | None:
    return None if isinstance(value, Absent) else value


def _csv(runs: Sequence[Run]) -> str:
    rows = flat_rows(runs)
    text = io.StringIO()
    writer = csv.DictWriter(text, _columns(), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _inert(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def _inert(value: Value) -> Value:
    """Return a cell that no spreadsheet takes for a formula; numbers stay numbers."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULAS) else value


def _parquet(runs: Sequence[Run]) -> bytes:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise UsageError(
            "Parquet needs pyarrow, which is not installed: pip install 'benchsuite[report]', or use csv."
        ) from None
    rows = flat_rows(runs)
    # A column that is empty in this file keeps the type that it has in others.
    counts = (*_COUNTS, *(figure.names.csv for figure in _exported() if figure.whole))
    kinds = {
        name: pyarrow.string() if name in _TEXTS else pyarrow.int64() if name in counts else pyarrow.float64()
        for name in _columns()
    }
    content = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, schema=pyarrow.schema(kinds)), content)
    return content.getvalue()


def _smaller(runs: Sequence[Run]) -> str:
    """Write github-action-benchmark's customSmallerIsBetter."""
    return _github(runs, "less")


def _bigger(runs: Sequence[Run]) -> str:
    """Write github-action-benchmark's customBiggerIsBetter."""
    return _github(runs, "more")


def _github(runs: Sequence[Run], better: str) -> str:
    named = [figure for figure in figures.FIGURES if figure.names.github and figure.better == better]
    written = [_entry(figure, record) for record in _measured(runs) for figure in named]
    return json.dumps([entry for entry in written if entry], indent=1) + "\n"


def _entry(figure: Figure, record: Record) -> dict[str, Value]:
    """Return a figure as github-action-benchmark has it, empty where it is absent."""
    value, unit = figure.read(record), figure.unit
    if isinstance(value, Absent):
        return {}
    if unit == MEGABYTES:
        # Sizes are given to the byte.
        unit = Unit("bytes")
    entry: dict[str, Value] = {
        "name": f"{record.case.id} {figure.names.github}", "unit": unit.text, "value": unit.scaled(value)
    }  # fmt: skip
    interval = figure.interval(record) if figure.interval else None
    if isinstance(interval, tuple):
        low, high = interval
        entry["range"] = f"± {unit.scaled((high - low) / 2):.3g}"
    return entry


def _bencher(runs: Sequence[Run]) -> str:
    """Write the Bencher Metric Format: benchmark, measure, value with its bounds."""
    named = [figure for figure in figures.FIGURES if figure.names.bencher]
    found: dict[str, dict[str, Mapping[str, float]]] = {}
    for record in _measured(runs):
        measures: dict[str, Mapping[str, float]] = {}
        for figure in named:
            value = figure.read(record)
            if isinstance(value, Absent):
                continue
            measures[figure.names.bencher] = {"value": value}
            interval = figure.interval(record) if figure.interval else None
            if isinstance(interval, tuple):
                low, high = interval
                measures[figure.names.bencher] = {"value": value, "lower_value": low, "upper_value": high}
        if measures:
            found[record.case.id] = measures
    return json.dumps(found, indent=1) + "\n"


def _measured(runs: Sequence[Run]) -> list[Record]:
    return [record for run in runs for record in run.records if record.outcome == "measured"]


FORMATS: Mapping[str, Callable[[Sequence[Run]], str | bytes]] = {
    "csv": _csv,
    "parquet": _parquet,
    "github-smaller": _smaller,
    "github-bigger": _bigger,
    "bencher": _bencher,
}
