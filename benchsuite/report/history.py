"""Each case over time on each machine, with the runs where a figure's level changed and what else changed there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from benchsuite.compare.exact import other_evaluation
from benchsuite.compare.inputs import inputs_of, what_differs
from benchsuite.report.changes import SHORTEST, Level, levels
from benchsuite.report.groups import setting_of
from benchsuite.report.recommendation import void_reason
from benchsuite.report.series import series_figures, value_of
from benchsuite.runs.figures import Figure
from benchsuite.runs.folder import RUN_FILE, Run, read_run
from benchsuite.runs.records import Record
from benchsuite.runs.worth import doubts_of, reference_of
from benchsuite.terms.absence import Absent
from benchsuite.terms.errors import BenchsuiteError, UsageError
from benchsuite.terms.said import Sentence, said


@dataclass(frozen=True)
class Point:
    """One run's figure; `run` is its place among the history's runs."""

    run: int
    value: float


@dataclass(frozen=True)
class Course:
    """One figure of one case over time, and the levels that it kept."""

    points: tuple[Point, ...]
    levels: tuple[Level, ...]


@dataclass(frozen=True)
class Series:
    """One case on one machine with one number of threads; `courses` by the key of their figure."""

    case_id: str
    machine: str
    fingerprint: str
    threads: int
    courses: Mapping[str, Course]


@dataclass(frozen=True)
class Change:
    """A level that moved; `series` and `run` are places in the history, the latter of the new level's first run.

    `runs` counts those of both levels; `beside` says what else changed there or up to two runs off, since bad runs may
    move the place of a change by as much. `better` is absent where the two levels are of different things.
    """

    series: int
    figure: Figure
    run: int
    old: float
    new: float
    better: bool | Absent
    runs: tuple[int, int]
    beside: tuple[Sentence, ...]


@dataclass(frozen=True)
class History:
    """Runs in the order of their starts, with what became of each case; `left_out` says which folders were not read.

    `names` are those of the runs, with as much of their folders as tells them apart.
    """

    runs: tuple[Run, ...]
    names: tuple[str, ...]
    series: tuple[Series, ...]
    changes: tuple[Change, ...]
    figures: tuple[Figure, ...]
    left_out: tuple[str, ...]


def read_history(folder: Path) -> History:
    """Read every run below a folder; raises UsageError where there is none, or none that can be read.

    A run that cannot be read, as one of a newer version, is left out and named.
    """
    # `latest` is a link to a run that stands beside it.
    cards = sorted({path.resolve() for path in folder.rglob(RUN_FILE)})
    runs, left_out = [], []
    for card in cards:
        try:
            runs.append(read_run(card.parent))
        except BenchsuiteError as error:
            left_out.append(str(error))
    if not runs:
        found = f"no run below it could be read, as {left_out[0]}" if left_out else "no run lies below it"
        raise UsageError(
            f"--history {folder}: {found}; name a folder that `pytest bench/` wrote runs into, as reports."
        )
    return make_history(runs, left_out)


def make_history(runs: Sequence[Run], left_out: Sequence[str] = ()) -> History:
    """Lay runs along time and find where each figure of each case changed its level.

    A run that lies there twice, as a copied `latest` does, counts once.
    """
    shown: dict[Hashable, Run] = {}
    copies = [run.folder for run in runs if shown.setdefault(_identity(run), run) is not run]
    left_out = [*left_out, *(said("{1}: it is a copy of a run that is shown", folder) for folder in copies)]
    ordered = tuple(sorted(shown.values(), key=lambda run: (run.started, len(run.name), run.name)))
    places: dict[tuple[str, str, int], list[tuple[int, Record]]] = {}
    for number, run in enumerate(ordered):
        for record in run.records:
            # Another number of threads is another question.
            key = (record.case.id, run.machine.fingerprint, record.case.threads)
            places.setdefault(key, []).append((number, record))
    machines = _machines(ordered)
    series = tuple(
        made
        for (case_id, fingerprint, threads), found in places.items()
        if (made := _series(case_id, machines[fingerprint], fingerprint, threads, found)).courses
    )
    changes = [change for number in range(len(series)) for change in _changes(series, number, ordered)]
    return History(
        runs=ordered,
        names=names_of([run.folder for run in ordered]),
        series=series,
        # The newest first: that is what one looks for.
        changes=tuple(sorted(changes, key=lambda it: it.run, reverse=True)),
        figures=tuple(it for it in series_figures() if any(it.key in one.courses for one in series)),
        left_out=tuple(left_out),
    )


def _machines(runs: Sequence[Run]) -> Mapping[str, str]:
    """Return the processor of each machine by its fingerprint, which stands behind it where two have the same."""
    cpus = {run.machine.fingerprint: run.machine.cpu for run in runs}
    counts = Counter(cpus.values())
    return {it: cpu if counts[cpu] == 1 else f"{cpu} ({it[:8]})" for it, cpu in cpus.items()}


def _identity(run: Run) -> Hashable:
    shown = series_figures()
    values = tuple((record.case, *(value_of(figure, record) for figure in shown)) for record in run.records)
    return run.started, run.command, run.machine.fingerprint, values


def names_of(folders: Sequence[Path]) -> tuple[str, ...]:
    """Return the names of folders, with as many of those above them as it takes to tell all apart."""
    parts = [folder.parts for folder in folders]
    deepest = max(map(len, parts), default=1)
    for depth in range(1, deepest + 1):
        names = ["/".join(own[-depth:]) for own in parts]
        if len(set(names)) == len(set(folders)):
            break
    return tuple(names) if folders else ()


def enough(course: Course) -> bool:
    """Say whether a course is long enough for a change to be found in it."""
    return len(course.points) >= 2 * SHORTEST


def _series(case_id: str, machine: str, fingerprint: str, threads: int, found: Sequence[tuple[int, Record]]) -> Series:
    courses = {}
    for figure in series_figures():
        values = ((number, value_of(figure, record)) for number, record in found)
        points = tuple(Point(number, value) for number, value in values if value is not None)
        if points:
            courses[figure.key] = Course(points, levels([point.value for point in points]))
    return Series(case_id, machine, fingerprint, threads, courses)


def _changes(series: Sequence[Series], number: int, runs: Sequence[Run]) -> list[Change]:
    one = series[number]
    found = []
    for figure in series_figures():
        course = one.courses.get(figure.key)
        if course is None:
            continue
        for old, new in pairwise(course.levels):
            # Every level has at least that many runs.
            before = runs[course.points[old.end - SHORTEST].run]
            after = runs[course.points[new.start + SHORTEST - 1].run]
            better = (new.median < old.median) == (figure.better == "less")
            why_not = _why_not_ranked(figure, better, before, after, one.case_id)
            found.append(
                Change(
                    series=number,
                    figure=figure,
                    run=course.points[new.start].run,
                    old=old.median,
                    new=new.median,
                    better=Absent(why_not) if why_not else better,
                    runs=(old.end - old.start, new.end - new.start),
                    beside=_beside(before, after, one.case_id),
                )
            )
    return found


def _why_not_ranked(figure: Figure, better: bool, before: Run, after: Run, case_id: str) -> Sentence:
    """Say why what looks better or worse is neither, or nothing."""
    old, new = _record(before, case_id), _record(after, case_id)
    if figure.metric == "accuracy":
        return other_evaluation(old.metrics.accuracy, new.metrics.accuracy)
    if not figure.speed:
        return ""
    void = _void(after, new)
    if better:
        return void
    # A case that is slower since it finds something again is not worse.
    return "" if void else _void(before, old)


def _void(run: Run, record: Record) -> str:
    """Say why a speed does not count, by the records of its own run that it may be ranked with."""
    setting = setting_of(record.case)
    beside = [it for it in run.records if it.outcome != "skipped" and setting_of(it.case) == setting]
    return void_reason(record, (), reference_of(beside), doubts_of(beside))


def _beside(before: Run, after: Run, case_id: str) -> tuple[Sentence, ...]:
    """Return what else changed between two runs."""
    old, new = _record(before, case_id), _record(after, case_id)
    return what_differs((inputs_of(old, before.machine), inputs_of(new, after.machine)))


def _record(run: Run, case_id: str) -> Record:
    record = run.record(case_id)
    assert record is not None
    return record
