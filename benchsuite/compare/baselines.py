"""Promoted runs: what a machine's figures were when somebody accepted them.

`baselines/<machine>/<model>.json` holds an entry per case, head and thread count: the recipe that makes its
artifact again, the deterministic figures last accepted, and the median latency of up to 20 promoted sessions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchsuite.compare.entries import Entry, with_scheme
from benchsuite.machine.facts import Machine, differences
from benchsuite.machine.json_files import read_json
from benchsuite.terms.cases import slug
from benchsuite.terms.codec import to_builtins
from benchsuite.terms.errors import BaselineError, RecordError, SchemaError, UsageError
from benchsuite.terms.printable import short

BASELINE_SCHEMA = 1
_LINE_WIDTH = 140


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


def names(root: Path) -> tuple[str, ...]:
    """Return the machines that have a folder of baselines."""
    return tuple(sorted({path.parent.name for path in root.glob("*/*.json")}))


def find(root: Path, machine_name: str | None, machine: Machine) -> Path | None:
    """Return the folder of this machine's baselines, or None where there is none.

    A name that was given must exist (BaselineError). Without one it is the folder of this fingerprint, else that
    of the same processors with the fewest differences: a changed governor must not make a baseline vanish.
    """
    if machine_name:
        folder = root / checked_name(machine_name)
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


def checked_name(name: str) -> str:
    """Return a machine's name that can be a folder's; raises UsageError for others."""
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


def text_of(baseline: ModelBaseline) -> str:
    """Return what a model's file holds."""
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
