"""Promotion: to accept a run's figures as the baseline of its machine, and to say what that changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchsuite.compare.baselines import ModelBaseline, checked_name, load, text_of
from benchsuite.compare.entries import Entry, entry_key, entry_of, merge, with_scheme
from benchsuite.compare.findings import Finding
from benchsuite.compare.tolerances import write_default_tolerances
from benchsuite.machine.facts import Machine
from benchsuite.machine.files import cannot_write, write_whole
from benchsuite.runs import figures
from benchsuite.runs.folder import RECORDS_FILE, Run
from benchsuite.runs.ranking import noise_of
from benchsuite.runs.worth import why_void
from benchsuite.terms.absence import NOT_SELECTED, Absent
from benchsuite.terms.cases import slug
from benchsuite.terms.errors import UsageError
from benchsuite.terms.printable import printable
from benchsuite.terms.said import counted

_MOST_LISTED = 10


def promote(
    run: Run,
    root: Path,
    machine_name: str | None = None,
    say: Callable[[str], None] = lambda _: None,
    findings: Sequence[Finding] = (),
    under_contention: bool = False,
) -> tuple[Path, ...]:
    """Accept a run's figures as the baseline of its machine, say what that changes, and return the files written.

    Cases that the run did not select keep their entries and the machine that these were measured on, metrics that it
    did not measure the figures accepted before, and cases that it only built what was measured of them; an entry goes
    only where the run recorded why its case cannot run here. Raises UsageError for a run that is unfinished, failed or
    empty, lacks records, by its findings broke its own limits, or was timed `under_contention` and nobody says that it
    may have been, before anything is written.
    """
    _refuse_unfit(run)
    if not under_contention and any(noise.contention for noise in noise_of(run.records)):
        raise UsageError(
            f"cannot promote {run.folder}: other programs took the cores while it was timed; stop them and measure "
            "again, or give --under-contention to accept its times all the same."
        )
    over = tuple(dict.fromkeys(it.case_id for it in findings if it.breaks_a_limit))
    if over:
        raise UsageError(
            f"cannot promote {run.folder}: {len(over)} of its cases broke the limits of the run ({_listed(over)}); "
            "mend them, or give --over-limits to accept them all the same."
        )
    folder = root / checked_name(machine_name or run.machine.slug)
    accepted = load(folder).models if any(folder.glob("*.json")) else {}
    fresh: dict[str, dict[str, Entry]] = {}
    for record in run.records:
        if record.outcome in ("measured", "built"):
            entry = entry_of(record, run.name)
            fresh.setdefault(record.case.model, {})[entry.key] = entry
    gone = {entry_key(record.case): str(record.reason) for record in run.records if record.outcome == "skipped"}
    paths: list[Path] = []
    write_default_tolerances(root)
    for model in sorted({*accepted, *fresh}):
        before = _renamed(accepted[model], fresh.get(model, {}), run.machine) if model in accepted else {}
        kept = {key: entry for key, entry in before.items() if key not in gone}
        merged = {key: merge(before.get(key), entry) for key, entry in fresh.get(model, {}).items()}
        for key, entry in merged.items():
            if entry != before.get(key):
                say(f"{'changed' if key in before else 'added'} {_called(entry)}")
            if key in before:
                _say_what_stays(before[key], fresh[model][key], say)
        for key in sorted(before.keys() - kept.keys()):
            say(f"removed {_called(before[key])}: {gone[key]}")
        path = folder / f"{slug(model)}.json"
        if not kept and not merged:
            _remove(path)
        elif merged or len(kept) < len(before):
            write_whole(path, text_of(ModelBaseline(model, run.machine, {**kept, **merged})))
            paths.append(path)
    for record in run.records:
        worth = why_void(record)
        if worth is not None and worth.standing == "broken":
            say(f"{record.case.id}: {worth.sentence}; what is accepted says nothing but its speed")
    return tuple(paths)


def _say_what_stays(before: Entry, entry: Entry, say: Callable[[str], None]) -> None:
    """Name the accepted figures that a run was asked for and does not have: promoting it does not give them up."""
    if before.outcome == "measured" and entry.outcome == "built":
        say(f"kept {_called(before)} as it was measured: {entry.run} only built it")
        return
    for figure in figures.FIGURES:
        now = entry.accepted(figure) if figure.tolerance else NOT_SELECTED
        if isinstance(now, Absent) and now != NOT_SELECTED and not isinstance(before.accepted(figure), Absent):
            say(f"kept {figure.title} of {_called(before)}: {now.reason}")


def _called(entry: Entry) -> str:
    return f"{entry.case.id} ({counted(entry.case.threads, '1 thread', '{1} threads')})"


def _renamed(before: ModelBaseline, fresh: Mapping[str, Entry], here: Machine) -> Mapping[str, Entry]:
    """File what was accepted before ids named its scheme under the id that a run has for it now.

    Each entry names its machine where that is not the one `here`.
    """
    found = {}
    for key, accepted in before.entries.items():
        there = before.machine_of(accepted)
        entry = replace(accepted, machine=None if there == here else there)
        named = with_scheme(entry, there)
        renamed = named.key in fresh and named.key not in before.entries
        found[named.key if renamed else key] = named if renamed else entry
    return found


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except OSError as error:
        raise UsageError(cannot_write(path, error)) from None


def _refuse_unfit(run: Run) -> None:
    if run.state != "finished":
        raise UsageError(
            f"cannot promote {run.folder}: the run is {run.state}, with {len(run.records)} of {len(run.selected_ids)} "
            "cases recorded; finish it with `pytest bench/ --resume`."
        )
    missing = [case_id for case_id in run.selected_ids if run.record(case_id) is None]
    if missing:
        raise UsageError(
            f"cannot promote {run.folder}: it is called finished and has no record of {len(missing)} of its "
            f"{len(run.selected_ids)} cases ({_listed(missing)}): a line of {RECORDS_FILE} was lost; measure again."
        )
    failed = [record.case.id for record in run.records if record.outcome == "failed"]
    if failed:
        raise UsageError(
            f"cannot promote {run.folder}: {len(failed)} of its cases failed ({_listed(failed)}); mend them, or "
            "leave them out with --backend, --precision or -k."
        )
    if not any(record.outcome in ("measured", "built") for record in run.records):
        raise UsageError(f"cannot promote {run.folder}: no case of it was measured; its report says why.")


def _listed(case_ids: Sequence[str]) -> str:
    shown = printable(", ".join(case_ids[:_MOST_LISTED]), 1_000)
    return f"{shown} and {len(case_ids) - _MOST_LISTED} more" if len(case_ids) > _MOST_LISTED else shown
