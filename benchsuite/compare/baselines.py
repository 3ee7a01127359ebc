"""Promoted runs: what a machine's figures were when somebody accepted them.

`baselines/<machine>/<model>.json` holds an entry per case, head and thread count: the recipe that makes its
artifact again, the deterministic figures last accepted, and the median latency of up to 20 promoted sessions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchsuite.compare.entries import Entry, entry_key, entry_of, merge, with_scheme
from benchsuite.compare.findings import Finding
from benchsuite.compare.tolerances import write_default_tolerances
from benchsuite.machine.facts import Machine, differences
from benchsuite.machine.files import cannot_write, write_whole
from benchsuite.machine.json_files import read_json
from benchsuite.runs import figures
from benchsuite.runs.folder import RECORDS_FILE, Run
from benchsuite.runs.worth import why_void
from benchsuite.terms.absence import NOT_SELECTED, Absent
from benchsuite.terms.cases import slug
from benchsuite.terms.codec import to_builtins
from benchsuite.terms.errors import BaselineError, RecordError, SchemaError, UsageError
from benchsuite.terms.printable import printable, short
from benchsuite.terms.said import counted

BASELINE_SCHEMA = 1
_LINE_WIDTH = 140
_MOST_LISTED = 10


@dataclass(frozen=True)
class ModelBaseline:
    """One file: the entries of a model, and the machine of the newest promotion, which is that of most entries."""

    model: str
    machine: Machine
    entries: Mapping[str, Entry]
    schema: int = BASELINE_SCHEMA

    def machine_of(self, entry: Entry) -> Machine:
        """Return what an entry was measured on."""
        return entry.machine or self.machine


@dataclass(frozen=True)
class Baseline:
    """The baselines of one machine, by model."""

    folder: Path
    models: Mapping[str, ModelBaseline]

    def entries(self, case_id: str) -> tuple[Entry, ...]:
        """Return the entries of a case id; there are several where head or threads differ.

        An entry that was promoted before ids named a scheme that is not the usual one is that of the id which does.
        """
        every = [(entry, model.machine_of(entry)) for model in self.models.values() for entry in model.entries.values()]
        found = tuple(entry for entry, _ in every if entry.case.id == case_id)
        return found or tuple(entry for both in every if (entry := with_scheme(*both)).case.id == case_id)

    def machine_of(self, entry: Entry) -> Machine:
        """Return what an entry was measured on."""
        return self.models[entry.case.model].machine_of(entry)


def promote(
    run: Run,
    root: Path,
    machine_name: str | None = None,
    say: Callable[[str], None] = lambda _: None,
    findings: Sequence[Finding] = (),
) -> tuple[Path, ...]:
    """Accept a run's figures as the baseline of its machine, say what that changes, and return the files written.

    Cases that the run did not select keep their entries and the machine that these were measured on, metrics that it
    did not measure the figures accepted before, and cases that it only built what was measured of them; an entry goes
    only where the run recorded why its case cannot run here. Raises UsageError for a run that is unfinished, failed or
    empty, lacks records, or by its findings broke its own limits, before anything is written.
    """
    _refuse_unfit(run)
    over = tuple(dict.fromkeys(it.case_id for it in findings if it.breaks_a_limit))
    if over:
        raise UsageError(
            f"cannot promote {run.folder}: {len(over)} of its cases broke the limits of the run ({_listed(over)}); "
            "mend them, or give --over-limits to accept them all the same."
        )
    folder = root / _checked(machine_name or run.machine.slug)
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
        kept = {key: entry for key, entry in before.items() if entry.key not in gone}
        merged = {key: merge(before.get(key), entry) for key, entry in fresh.get(model, {}).items()}
        for key, entry in merged.items():
            if entry != before.get(key):
                say(f"{'changed' if key in before else 'added'} {_called(entry)}")
            if key in before:
                _say_what_stays(before[key], fresh[model][key], say)
        for key in sorted(before.keys() - kept.keys()):
            say(f"removed {_called(before[key])}: {gone[before[key].key]}")
        path = folder / f"{slug(model)}.json"
        if not kept and not merged:
            _remove(path)
        elif merged or len(kept) < len(before):
            write_whole(path, _text(ModelBaseline(model, run.machine, {**kept, **merged})))
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


def names(root: Path) -> tuple[str, ...]:
    """Return the machines that have a folder of baselines."""
    return tuple(sorted({path.parent.name for path in root.glob("*/*.json")}))


def find(root: Path, machine_name: str | None, machine: Machine) -> Path | None:
    """Return the folder of this machine's baselines, or None where there is none.

    A name that was given must exist (BaselineError). Without one it is the folder of this fingerprint, else that
    of the same processors with the fewest differences: a changed governor must not make a baseline vanish.
    """
    if machine_name:
        folder = root / _checked(machine_name)
        if machine_name in names(root):
            return folder
        known = ", ".join(names(root)) or "none yet"
        raise BaselineError(
            f"--machine {machine_name}: {folder} holds no baseline; there are {known}. "
            "Name one of them, or promote a run under this name first."
        )
    if machine.slug in names(root):
        return root / machine.slug
    stem = machine.slug[: -len(machine.fingerprint[:8])]
    alike = [root / name for name in names(root) if re.fullmatch(re.escape(stem) + "[0-9a-f]{8}", name)]
    return min(alike, key=lambda folder: len(_differences(load(folder), machine)), default=None)


def load(folder: Path) -> Baseline:
    """Read a machine's baselines; raises BaselineError for whatever cannot be read, never "no baseline"."""
    paths = sorted(folder.glob("*.json"))
    if not paths:
        raise BaselineError(f"{folder} holds no baseline: promote a run, or remove the folder.")
    return Baseline(folder, {model.model: model for model in (_load_model(path) for path in paths)})


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


def _checked(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise UsageError(f"--machine {name}: a machine's name is letters, digits, '.', '_' and '-', as in ci-runner.")
    return name


def _differences(baseline: Baseline, machine: Machine) -> tuple[str, ...]:
    return differences(next(iter(baseline.models.values())).machine, machine)


def _load_model(path: Path) -> ModelBaseline:
    try:
        baseline = read_json(path, ModelBaseline, "take it back from git, or promote a run anew.", BASELINE_SCHEMA)
    except SchemaError as error:
        raise BaselineError(
            f"{path} has schema {error.found}; this version reads schema {BASELINE_SCHEMA}: promote a run anew."
        ) from None
    except RecordError as error:
        raise BaselineError(str(error)) from None
    strays = [key for key, entry in baseline.entries.items() if key != entry.key or entry.case.model != baseline.model]
    if strays or slug(baseline.model) != path.stem:
        misfiled = short(", ".join(strays) or baseline.model)
        raise BaselineError(f"{path} was altered by hand: {misfiled} stands in the wrong place; take it back from git.")
    return baseline


def _text(baseline: ModelBaseline) -> str:
    data = to_builtins(baseline)
    for entry in data["entries"].values():
        # Releases that do not know these keys refuse them.
        for name in ("figures", "machine"):
            if not entry[name]:
                del entry[name]
    return _layout(data, 0) + "\n"


def _layout(value: Any, depth: int) -> str:
    """Write JSON with sorted keys and short values on one line each: a session more is one line more in a diff."""
    flat = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
    if not isinstance(value, (dict, list, tuple)) or not value:
        return flat
    rows = not isinstance(value, dict) and isinstance(value[0], dict)
    if depth > 1 and not rows and len(flat) + 2 * depth <= _LINE_WIDTH:
        return flat
    inner, end = "\n" + "  " * (depth + 1), "\n" + "  " * depth
    if isinstance(value, dict):
        parts = [f"{json.dumps(key, ensure_ascii=False)}: {_layout(value[key], depth + 1)}" for key in sorted(value)]
        return "{" + inner + ("," + inner).join(parts) + end + "}"
    return "[" + inner + ("," + inner).join(_layout(part, depth + 1) for part in value) + end + "]"
