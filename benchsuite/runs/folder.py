"""A run's folder as a value: its records, the machine it ran on, and how it was started and ended.

A folder holds `run.json` (command, options, selected cases, state), `environment.json` (machine, fingerprint,
thread policy; no host name), `records.jsonl`, and the report beside them. Both JSON files are written whole.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal

from benchsuite.backends.interface import RunPolicy
from benchsuite.machine.facts import Machine
from benchsuite.machine.files import cannot_write, write_whole
from benchsuite.machine.json_files import read_json
from benchsuite.measure.timed_case import timings_of
from benchsuite.runs import records
from benchsuite.runs.records import Record
from benchsuite.terms.codec import to_builtins
from benchsuite.terms.errors import RecordError, SchemaError, UsageError
from benchsuite.terms.numbers import Measure
from benchsuite.terms.printable import short
from benchsuite.terms.reading import read_text, why
from benchsuite.terms.said import said

RUN_SCHEMA = 1
RECORDS_FILE = "records.jsonl"
State = Literal["running", "finished", "interrupted"]
RUN_FILE = "run.json"
_ENVIRONMENT_FILE = "environment.json"
_LATEST = "latest"
_LONGEST_NAME_BYTES = 1_000
_REMEDY = "take it from a copy of the run, or measure again"


@dataclass(frozen=True)
class Run:
    """One run; `options` holds the texts of the options the user gave, `notes` what was odd about the files.

    `data_digest` covers what is evaluated; empty where the run does not say. `took_s` is what measuring took, building
    apart; 0 where that is not known, as of a run that was resumed.
    """

    folder: Path
    records: tuple[Record, ...]
    machine: Machine
    policy: RunPolicy
    notes: tuple[str, ...]
    started: str
    command: str
    state: State
    selected_ids: tuple[str, ...]
    effort: str
    options: Mapping[str, str]
    data_digest: str = ""
    took_s: float = 0.0

    @property
    def name(self) -> str:
        return self.folder.name

    def record(self, case_id: str) -> Record | None:
        """Return the record of a case, or None where the run has none."""
        return next((record for record in self.records if record.case.id == case_id), None)


@dataclass(frozen=True)
class _Card:
    """What stands in run.json."""

    schema: int
    command: str
    started: str
    state: State
    selected_ids: tuple[str, ...]
    effort: str
    options: Mapping[str, str]
    data_digest: str = ""
    took_s: Measure = 0.0


@dataclass(frozen=True)
class _Environment:
    """What stands in environment.json."""

    schema: int
    fingerprint: str
    machine: Machine
    policy: RunPolicy


def create_run(
    root: Path,
    machine: Machine,
    command: str,
    selected_ids: Sequence[str],
    effort: str,
    options: Mapping[str, str],
    policy: RunPolicy,
    data_digest: str = "",
) -> Path:
    """Make the folder of a new run under `root`, in state running, and return it.

    `options` maps option names without dashes in front to the texts that the user gave, `data_digest` covers what is
    evaluated. Raises UsageError where the folder cannot be written.
    """
    folder = _new_folder(root)
    _write(folder / _ENVIRONMENT_FILE, _Environment(RUN_SCHEMA, machine.fingerprint, machine, policy))
    started = datetime.now(timezone.utc).isoformat(timespec="seconds")
    card = _Card(RUN_SCHEMA, command, started, "running", tuple(selected_ids), effort, dict(options), data_digest)
    _write(folder / RUN_FILE, card)
    return folder


def finish_run(folder: Path, state: State, took_s: float = 0.0) -> None:
    """Write down how the run ended, or that it goes on, and what measuring took where that tells anything."""
    _write(folder / RUN_FILE, replace(_read_card(folder), state=state, took_s=round(took_s, 1)))


def read_run(folder: Path) -> Run:
    """Read a run's folder, or the one that `latest` names; raises UsageError or RecordError with a sentence.

    A run that was killed before its first record is read as one without records.
    """
    folder = _resolve(folder)
    path = folder / RECORDS_FILE
    try:
        card = _read_card(folder)
        environment = _read_environment(folder)
        found, notes = records.read(path) if path.exists() else ((), ())
    except SchemaError as error:
        raise SchemaError(error.sentence, error.found, _writer(folder)) from None
    strangers = sorted({record.environment for record in found} - {environment.fingerprint})
    if strangers:
        others = said("{1}: holds records of another machine, fingerprint {2}", path, short(", ".join(strangers)))
        notes = (*notes, others)
    return Run(
        folder=folder,
        records=found,
        machine=environment.machine,
        policy=environment.policy,
        notes=notes,
        started=card.started,
        command=card.command,
        state=card.state,
        selected_ids=card.selected_ids,
        effort=card.effort,
        options=card.options,
        data_digest=card.data_digest,
        took_s=card.took_s,
    )


def point_latest(root: Path, folder: Path) -> None:
    """Let `latest` in `root` name a run: a link, or a text file where links are not allowed."""
    latest = root / _LATEST
    scratch = Path(tempfile.mkdtemp(dir=root, prefix=".latest-"))
    try:
        (scratch / _LATEST).symlink_to(folder.name, target_is_directory=True)
        (scratch / _LATEST).replace(latest)
    except (OSError, NotImplementedError):
        (scratch / _LATEST).unlink(missing_ok=True)
        write_whole(latest, folder.name + "\n")
    finally:
        scratch.rmdir()


def newest_unfinished(root: Path) -> Path | None:
    """Return the newest run under `root` that did not finish and has measured something, or None."""
    folders = sorted((path.parent for path in root.glob(f"*/{RUN_FILE}") if path.parent.name != _LATEST), reverse=True)
    folders = [folder for folder in folders if _has_begun(folder)]
    return next((folder for folder in folders if _read_card(folder).state != "finished"), None)


def _has_begun(folder: Path) -> bool:
    """Say whether a run has a record, or a timing that ended: without either there is nothing to go on with."""
    records_file = folder / RECORDS_FILE
    return (records_file.is_file() and records_file.stat().st_size > 0) or bool(timings_of(folder))


def _new_folder(root: Path) -> Path:
    try:
        root.mkdir(parents=True, exist_ok=True)
        ignore = root / ".gitignore"
        if not ignore.exists():
            write_whole(ignore, "*\n")
        name = time.strftime("%Y%m%d-%H%M%S")
        for suffix in ("", *(f"-{number}" for number in range(2, 1000))):
            try:
                (root / (name + suffix)).mkdir()
            except FileExistsError:
                continue
            return root / (name + suffix)
    except OSError as error:
        raise UsageError(cannot_write(root, error)) from None
    raise UsageError(f"cannot start a run in {root}: a thousand runs started there within this second.")


def _resolve(folder: Path) -> Path:
    """Follow `latest`, be it a link or a text file, and make sure that a run lies there."""
    if folder.name == _LATEST and folder.is_file():
        try:
            named = read_text(folder, _LONGEST_NAME_BYTES).strip()
        except (OSError, ValueError) as error:
            raise RecordError(said("cannot read {1}: {2}", folder, why(error))) from None
        # A run lies beside it: what else it may hold is not shown.
        if not re.fullmatch(r"\w[\w.-]{0,200}", named):
            raise RecordError(said("cannot read {1}: it names no run beside it; name the run itself", folder))
        folder = folder.parent / named
    folder = folder.resolve() if folder.name == _LATEST else folder
    if not os.path.isfile(folder / RUN_FILE):  # noqa: PTH113 (a path that cannot be is no run either)
        raise UsageError(
            f"{folder} is not a run: it has no {RUN_FILE}; name a folder that `pytest bench/` made, "
            "as reports/latest or reports/20260131-120000."
        )
    return folder


def _read_card(folder: Path) -> _Card:
    return read_json(folder / RUN_FILE, _Card, _REMEDY, RUN_SCHEMA)


def _read_environment(folder: Path) -> _Environment:
    path = folder / _ENVIRONMENT_FILE
    environment = read_json(path, _Environment, _REMEDY, RUN_SCHEMA)
    if environment.machine.fingerprint != environment.fingerprint:
        raise RecordError(
            said(
                "{1} was altered: its machine has the fingerprint {2}, it says {3}",
                path,
                environment.machine.fingerprint,
                short(environment.fingerprint),
            )
        )
    return environment


def _writer(folder: Path) -> str:
    """Return which version wrote a run, as far as files of an unknown schema tell."""
    try:
        packages = read_json(folder / _ENVIRONMENT_FILE, dict[str, Any], _REMEDY)["machine"]["packages"]
        version = short(str(packages["benchsuite"]))
    except (RecordError, KeyError, TypeError):
        return said("the version of benchsuite that wrote it")
    return said("benchsuite {1} or newer, which wrote it", version)


def _write(path: Path, value: _Card | _Environment) -> None:
    write_whole(path, json.dumps(to_builtins(value), indent=2, sort_keys=True, ensure_ascii=False) + "\n")
