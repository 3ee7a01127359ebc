"""Several runs side by side: a row a case, a column a run, and only rows that may be compared ranked together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchsuite.compare.findings import Finding
from benchsuite.compare.inputs import run_differences
from benchsuite.machine.garbage import uncollected
from benchsuite.report import quoted
from benchsuite.report.groups import titles
from benchsuite.report.history import names_of
from benchsuite.report.recommendation import name_of, void_reason
from benchsuite.report.series import Costs, cost_figures, series_figures, value_of
from benchsuite.runs.figures import Figure
from benchsuite.runs.folder import Run
from benchsuite.runs.ranking import RankedRows, rank
from benchsuite.runs.records import Record
from benchsuite.runs.worth import NO_DOUBTS, Doubts, doubts_of, reference_of
from benchsuite.terms.absence import Absent
from benchsuite.terms.errors import UsageError
from benchsuite.terms.printable import short
from benchsuite.terms.said import Sentence

# Group, case and recipe; the recipe is empty where nothing was made.
_Key = tuple[str, str, str]


@dataclass(frozen=True)
class RunColumn:
    """One run: its machine, and what of it differs from the reference's."""

    name: str
    machine: str
    started: str
    effort: str
    threads: int
    changes: tuple[Sentence, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class MatrixRow:
    """One case as every run measured it: the values of each figure by its key, its place, and why they are absent.

    A place is among the rows that took turns with it in the same run, and empty where it has none. `voids` says why the
    speeds of a run do not count, or nothing.
    """

    group: int
    name: str
    case_id: str
    recipe: str
    values: Mapping[str, tuple[float | None, ...]]
    places: tuple[str, ...]
    reasons: tuple[str, ...]
    voids: tuple[str, ...]


@dataclass(frozen=True)
class Matrix:
    """Runs against cases; `groups` are titles, `reference` the column that ratios refer to."""

    columns: tuple[RunColumn, ...]
    groups: tuple[str, ...]
    rows: tuple[MatrixRow, ...]
    figures: tuple[Figure, ...]
    reference: int


# From a sensor node to a data centre.
_COSTS = (0.0001, 10_000_000)


def read_costs(watts: str, price: str, runs: int) -> tuple[Costs, ...]:
    """Read a power and a price for each run from texts such as `65,-,250`; empty for none. Raises UsageError."""
    return tuple(
        Costs(power, usd)
        for power, usd in zip(_numbers("--watts", watts, runs), _numbers("--price", price, runs), strict=True)
    )


def _numbers(flag: str, text: str, runs: int) -> list[float | None]:
    words = [word.strip() for word in text.split(",")] if text else ["-"] * runs
    try:
        numbers = [None if word == "-" else float(word) for word in words]
    except ValueError:
        numbers = []
    least, most = _COSTS
    if len(numbers) != runs or any(number is not None and not least <= number <= most for number in numbers):
        raise UsageError(
            f"{flag} {short(text)}: give a number from {least} to {most} for each of the {runs} runs, or - for an "
            "unknown one."
        )
    return numbers


@uncollected()
def make_matrix(
    runs: Sequence[Run],
    reference: int = 0,
    costs: Sequence[Costs] = (),
    findings: Sequence[Sequence[Finding]] = (),
) -> Matrix:
    """Lay runs side by side; raises UsageError for a reference or costs that do not fit them.

    A case whose artifact was made in different ways is a row for each way. Rows of different model, imgsz, batch, head,
    device or data are never ranked against each other. `findings` are those of each run: a speed is void where the
    accuracy failed or is unknown, as on the run's own page.
    """
    if not 0 <= reference < len(runs):
        raise UsageError(f"--reference {reference + 1}: give the number of one of the {len(runs)} runs, from 1 on.")
    shown = [{it.key: it for it in (*series_figures(), *cost_figures(own))} for own in costs or [Costs()] * len(runs)]
    findings = findings or [()] * len(runs)
    numbered = [(number, record) for number, run in enumerate(runs) for record in run.records]
    # Machines are compared whatever number of threads each has.
    groups_of = titles([record for _, record in numbered], left_out="threads")
    places: dict[_Key, dict[int, Record]] = {}
    beside: dict[tuple[str, int], list[Record]] = {}
    for group, (number, record) in zip(groups_of, numbered, strict=True):
        places.setdefault((group, record.case.id, _recipe(record)), {})[number] = record
        beside.setdefault((group, number), []).append(record)
    held = {key: (reference_of(records), doubts_of(records)) for key, records in beside.items()}
    rows = _with_unmade(places)
    voids = {
        key: tuple(
            _void(row.get(run), findings[run], *held.get((key[0], run), (None, NO_DOUBTS))) for run in range(len(runs))
        )
        for key, row in rows.items()
    }
    ranked = {
        (group, run): rank(
            records, [key[1] for key, row in rows.items() if key[0] == group and run in row and not voids[key][run]]
        )
        for (group, run), found in beside.items()
        for records in ([record for record in found if record.outcome == "measured"],)
    }
    groups = tuple(dict.fromkeys(key[0] for key in rows))
    ways = Counter((key[0], key[1]) for key in rows)
    found = tuple(
        _row(groups.index(key[0]), key[2] if ways[key[0], key[1]] > 1 else "", row, shown, voids[key], ranked, key[0])
        for key, row in rows.items()
    )
    base = runs[reference]
    return Matrix(
        columns=tuple(
            RunColumn(
                name,
                run.machine.cpu,
                run.started,
                run.effort,
                run.policy.threads,
                () if run is base else run_differences(base, run),
                run.notes,
            )
            for name, run in zip(names_of([run.folder for run in runs]), runs, strict=True)
        ),
        groups=groups,
        rows=tuple(sorted(found, key=lambda row: row.group)),
        figures=tuple(it for it in shown[reference].values() if any(_known(row, it) for row in found)),
        reference=reference,
    )


def _with_unmade(places: Mapping[_Key, Mapping[int, Record]]) -> dict[_Key, dict[int, Record]]:
    """Let what a run only skipped stand in the rows that others measured; what no run made is a row of its own."""
    rows = {key: dict(row) for key, row in places.items() if key[2]}
    by_case: dict[str, list[dict[int, Record]]] = {}
    for key, row in rows.items():
        by_case.setdefault(key[1], []).append(row)
    for key, unmade in places.items():
        if key[2]:
            continue
        if key[1] not in by_case:
            rows[key] = dict(unmade)
        for row in by_case.get(key[1], ()):
            row.update({number: record for number, record in unmade.items() if number not in row})
    return rows


def _recipe(record: Record) -> str:
    return "" if isinstance(record.artifact, Absent) else record.artifact.recipe_digest


def _row(
    group: int,
    recipe: str,
    row: Mapping[int, Record],
    shown: Sequence[Mapping[str, Figure]],
    voids: tuple[str, ...],
    ranked: Mapping[tuple[str, int], RankedRows | Absent],
    title: str,
) -> MatrixRow:
    runs = range(len(shown))
    made = (record for record in row.values() if not isinstance(record.artifact, Absent))
    first = next(made, next(iter(row.values())))
    return MatrixRow(
        group=group,
        name=name_of(first),
        case_id=first.case.id,
        recipe=recipe,
        values={
            key: tuple(value_of(own[key], row[run]) if run in row else None for run, own in enumerate(shown))
            for key in shown[0]
        },
        places=tuple(_place(row.get(run), ranked.get((title, run))) for run in runs),
        reasons=tuple(_reason(row.get(run)) for run in runs),
        voids=voids,
    )


def _reason(record: Record | None) -> str:
    if record is None:
        return "not among this run's cases, or made in another way, or scored on other data"
    return record.reason if record.outcome != "measured" else ""


def _void(record: Record | None, findings: Sequence[Finding], reference: Record | None, doubts: Doubts) -> str:
    if record is None or record.outcome != "measured":
        return ""
    return void_reason(record, findings, reference, doubts)


def _place(record: Record | None, ranked: RankedRows | Absent | None) -> str:
    if record is None or ranked is None or isinstance(ranked, Absent):
        return ""
    row = ranked.rows.get(record.case.id)
    return "" if row is None or row.place is None else quoted.place(row.place)


def _known(row: MatrixRow, figure: Figure) -> bool:
    return any(value is not None for value in row.values[figure.key])
