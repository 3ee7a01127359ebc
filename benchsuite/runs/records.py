"""What a run leaves behind: one record a case, one JSON line a record.

Schema history: 1 is the first. What was added to it since has a default, which says that the record is older; a reader
refuses a schema that it does not know.
An absent value stands in JSON as `{"absent": "reason"}` in place of the value.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from benchsuite.artifacts.recipe import Recipe
from benchsuite.backends.interface import Ran
from benchsuite.backends.schemes import SchemeSearch
from benchsuite.machine.files import cannot_write
from benchsuite.measure.measurement import Metrics
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.codec import faults, from_builtins, to_builtins
from benchsuite.terms.errors import RecordError, SchemaError

SCHEMA = 1
NO_BUILD_TIME = Absent("its record does not say")
Outcome = Literal["measured", "built", "skipped", "failed"]


@dataclass(frozen=True)
class ArtifactFacts:
    """The artifact that was measured; sha256 and bytes cover the files that the runtime loads.

    `build_s` is without what it was made from.
    """

    sha256: str
    bytes: int
    recipe: Recipe
    recipe_digest: str
    build_s: float | Absent = NO_BUILD_TIME


NO_SEARCH = Absent("its INT8 scheme was not searched for")


@dataclass(frozen=True)
class Validity:
    """What stands behind the figures: warnings, the runtime's own account, the policy, how the scheme was found."""

    warnings: tuple[str, ...] = ()
    ran: Ran | Absent = field(default_factory=lambda: Absent("did not run"))
    label: str | Absent = field(default_factory=lambda: Absent("did not run"))
    policy: dict[str, str] = field(default_factory=dict)
    search: SchemeSearch | Absent = NO_SEARCH


@dataclass(frozen=True)
class Record:
    """Everything about one case of one run; `environment` is the machine's fingerprint."""

    case: Case
    outcome: Outcome
    reason: str
    artifact: ArtifactFacts | Absent
    metrics: Metrics
    validity: Validity
    environment: str
    effort: str
    schema: int = SCHEMA


def to_json(record: Record) -> str:
    """Return the record as one line of JSON, the case's id beside its parts."""
    data = to_builtins(record)
    data["case"] = {"id": record.case.id, **data["case"]}
    return json.dumps(data, separators=(",", ":"), allow_nan=False)


def from_json(line: str) -> Record:
    """Read one line; raises RecordError for another schema or a line that is no record."""
    try:
        data = json.loads(line, parse_constant=_refuse)
        schema = data["schema"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise RecordError(f"not a record: {line[:80]!r}") from None
    if schema != SCHEMA:
        raise SchemaError(f"record schema {schema} found, this version reads schema {SCHEMA}")
    try:
        data["case"].pop("id", None)
        return from_builtins(data, Record)
    except Exception as error:  # cattrs raises groups of whatever its hooks met.
        raise RecordError(f"damaged record of schema {SCHEMA}: {'; '.join(faults(error))}") from error


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no figure")


def append(path: Path, record: Record) -> None:
    """Append one record and hand it to the disk before returning; an unterminated last line is cut off first.

    Raises RecordError where the disk refuses; the records before it stay.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab+") as file:
            _cut_unterminated(file)
            file.write(to_json(record).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise RecordError(cannot_write(path, error)) from None


def read(path: Path) -> tuple[tuple[Record, ...], tuple[str, ...]]:
    """Return the records, the last one of each case, and a sentence for an unterminated last line."""
    try:
        text = path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise RecordError(f"cannot read {path}: {error}") from None
    lines = text.split("\n")
    notes = (f"{path}: dropped an unterminated last line of {len(lines[-1])} characters",) if lines[-1] else ()
    by_id = {record.case.id: record for record in _parse(path, lines[:-1])}
    return tuple(by_id.values()), notes


def _parse(path: Path, lines: Iterable[str]) -> Iterable[Record]:
    for number, line in enumerate(lines, 1):
        try:
            record = from_json(line)
            latency = record.metrics.latency
            if not isinstance(latency, Absent) and not 0 < latency.total_ns.p50 < float("inf"):
                raise RecordError(f"damaged record: its latency is {latency.total_ns.p50} ns")
            yield record
        except RecordError as error:
            raise type(error)(f"{path}, line {number}: {error}") from None


def _cut_unterminated(file: Any) -> None:
    """Remove what a killed run left of its last line, so that the next record starts on a line of its own."""
    end = file.seek(0, os.SEEK_END)
    file.seek(0)
    whole = file.read(end).rfind(b"\n") + 1
    if whole != end:
        file.truncate(whole)
    file.seek(0, os.SEEK_END)
