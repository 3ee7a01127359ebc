"""What a run leaves behind: one record a case, one JSON line a record.

Schema history: 1 is the first. What was added to it since has a default, which says that the record is older; a reader
refuses a schema that it does not know.
An absent value stands in JSON as `{"absent": "reason"}` in place of the value; `terms.codec` says how sentences stand.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from benchsuite.artifacts.recipe import Recipe
from benchsuite.backends.interface import Ran
from benchsuite.backends.offers import EVERY_SCHEME, USUAL_SCHEMES
from benchsuite.backends.schemes import SchemeSearch, split_scheme
from benchsuite.machine.json_files import Lines
from benchsuite.measure.measurement import Metrics
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.codec import from_builtins, to_builtins
from benchsuite.terms.errors import RecordError, SchemaError
from benchsuite.terms.numbers import Count, Measure
from benchsuite.terms.printable import excerpt
from benchsuite.terms.said import Sentence, said

SCHEMA = 1
NO_BUILD_TIME = Absent("its record does not say")
Outcome = Literal["measured", "built", "skipped", "failed"]


@dataclass(frozen=True)
class ArtifactFacts:
    """The artifact that was measured; sha256 and bytes cover the files that the runtime loads.

    `build_s` is without what it was made from.
    """

    sha256: str
    bytes: Count
    recipe: Recipe
    recipe_digest: str
    build_s: Measure | Absent = NO_BUILD_TIME


NO_SEARCH = Absent("its INT8 scheme was not searched for")


@dataclass(frozen=True)
class Validity:
    """What stands behind the figures: warnings, the runtime's own account, the policy, how the scheme was found."""

    warnings: tuple[Sentence, ...] = ()
    ran: Ran | Absent = field(default_factory=lambda: Absent("did not run"))
    label: Sentence | Absent = field(default_factory=lambda: Absent("did not run"))
    policy: dict[str, str] = field(default_factory=dict)
    search: SchemeSearch | Absent = NO_SEARCH


@dataclass(frozen=True)
class Record:
    """Everything about one case of one run; `environment` is the machine's fingerprint."""

    case: Case
    outcome: Outcome
    reason: Sentence
    artifact: ArtifactFacts | Absent
    metrics: Metrics
    validity: Validity
    environment: str
    effort: str
    schema: int = SCHEMA

    @property
    def row_name(self) -> str:
        """Return backend and precision, and an unusual INT8 scheme though the id leaves it out, as a found one."""
        if self.case.scheme or isinstance(self.artifact, Absent):
            return self.case.row_name
        scheme = self.artifact.recipe.scheme
        unsaid = scheme in USUAL_SCHEMES or split_scheme(scheme)[0] not in EVERY_SCHEME
        return self.case.row_name if unsaid else replace(self.case, scheme=scheme).row_name


def accuracy_notes(record: Record) -> tuple[Sentence, ...]:
    """Return what is particular about the images that a record's accuracy was taken on."""
    accuracy = record.metrics.accuracy
    return () if isinstance(accuracy, Absent) else accuracy.notes


def append(path: Path, record: Record) -> tuple[str, ...]:
    """Append one record, hand it to the disk before returning, and return what was noted of the file.

    Raises RecordError where the disk refuses; the records before it stay.
    """
    return _lines(path).append(record)


def read(path: Path) -> tuple[tuple[Record, ...], tuple[str, ...]]:
    """Return the records, the last one of each case, and a sentence for an unterminated last line.

    Raises RecordError, or SchemaError for a record of another schema, with the number of the line.
    """
    found, notes = _lines(path).read()
    by_id = {record.case.id: record for record in found}
    return tuple(by_id.values()), notes


def _lines(path: Path) -> Lines[Record]:
    return Lines(path, Record, "not a record", _encoded, _decoded)


def _encoded(record: Record) -> dict[str, Any]:
    """Return the record as JSON values, the case's id beside its parts."""
    data: dict[str, Any] = to_builtins(record)
    return {**data, "case": {"id": record.case.id, **data["case"]}}


def _decoded(data: dict[str, Any]) -> Record:
    schema = data["schema"]
    if schema != SCHEMA or isinstance(schema, bool):
        found = excerpt(schema)
        raise SchemaError(said("record schema {1} found, this version reads schema {2}", found, SCHEMA), found)
    data["case"].pop("id", None)
    record = from_builtins(data, Record)
    latency = record.metrics.latency
    if not isinstance(latency, Absent) and not 0 < latency.total_ns.p50 < float("inf"):
        raise RecordError(said("damaged record: its latency is {1} ns", latency.total_ns.p50))
    return record
