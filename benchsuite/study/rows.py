"""What a study found: one row for each way to run a model, kept as JSON beside the readings behind it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from benchsuite.backends.interface import Ran
from benchsuite.detect.bootstrap import MapLoss
from benchsuite.detect.parity import Parity
from benchsuite.machine.facts import Machine
from benchsuite.machine.files import write_whole
from benchsuite.machine.json_files import read_json, write_json
from benchsuite.study.timed import Readings, Timed
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import RecordError
from benchsuite.terms.said import Sentence

STUDY_FILE = "study.json"
_READINGS_FILE = "readings.json"
SCHEMA = 1
Kind = Literal["precision", "schemes", "calibration"]
NOT_TIMED = Absent("it was not timed")


@dataclass(frozen=True)
class Built:
    """The artifact of a row."""

    sha256: str
    bytes: int
    recipe_digest: str
    calibration_images: int


@dataclass(frozen=True)
class StudyRow:
    """One way to run a model; `loss` and `timed` are against `reference`, the FP32 row of the same runtime.

    `reason` says why there are no figures, and `conflict` how what ran contradicts the row's name.
    """

    case: Case
    scheme: str
    method: str
    reference: str
    reason: Sentence = ""
    conflict: Sentence = ""
    built: Built | Absent = field(default_factory=lambda: Absent("nothing was built"))
    ran: Ran | Absent = field(default_factory=lambda: Absent("did not run"))
    map50_95: float | Absent = field(default_factory=lambda: Absent("was not evaluated"))
    loss: MapLoss | Absent = field(default_factory=lambda: Absent("was not evaluated"))
    parity: Parity | Absent = field(default_factory=lambda: Absent("was not evaluated"))
    timed: Timed | Absent = NOT_TIMED

    @property
    def name(self) -> str:
        return self.case.id


@dataclass(frozen=True)
class CalibrationPoint:
    """One size of calibration set under one method: mAP over the drawn subsets, and what it took.

    Seconds are those of observing the images and of quantising by what was observed. `reason` says why a subset has no
    mAP, `map50_95` has those that were scored.
    """

    model: str
    size: int
    method: str
    map50_95: tuple[float, ...]
    fp16_map50_95: float | Absent
    observe_s: float
    quantise_s: float
    peak_bytes: int
    timed: Timed | Absent
    reason: Sentence = ""


@dataclass(frozen=True)
class Study:
    """A finished study; `data` is the name of the data.yaml, of which `images` were evaluated."""

    kind: Kind
    command: str
    finished: str
    machine: Machine
    effort: str
    data: str
    images: int
    rows: tuple[StudyRow, ...]
    points: tuple[CalibrationPoint, ...] = ()
    schema: int = SCHEMA


def save_study(folder: Path, study: Study, readings: Mapping[str, Readings]) -> None:
    """Write a study and the readings of its rows, in ns, a list a launch, into its folder."""
    write_whole(folder / _READINGS_FILE, json.dumps(readings) + "\n")
    write_json(folder / STUDY_FILE, study)


def read_studies(root: Path) -> tuple[tuple[Study, ...], tuple[str, ...]]:
    """Return the studies under a report folder, the newest first, and a sentence for each that cannot be read."""
    found, damage = [], []
    for path in sorted(root.glob(f"study-*/{STUDY_FILE}"), key=lambda path: path.parent.name[-15:], reverse=True):
        try:
            found.append(read_json(path, Study, "run the study again", SCHEMA))
        except RecordError as error:
            damage.append(str(error))
    return tuple(found), tuple(damage)
