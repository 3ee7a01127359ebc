"""What a comparison found, and the command that measures it again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal

from benchsuite.machine.files import write_whole
from benchsuite.options.settings import SETTINGS
from benchsuite.terms.cases import PLAIN, VARIANTS, Case, slug
from benchsuite.terms.codec import from_builtins, to_builtins
from benchsuite.terms.errors import RecordError

# OVER_LIMIT belongs to service goals, which know no baseline; the others compare.
Verdict = Literal["PASS", "REGRESSED", "IMPROVED", "INCONCLUSIVE", "NOT_COMPARABLE", "MISSING", "OVER_LIMIT"]
FINDINGS_FILE = "findings.json"
TITLES = {
    "artifact_bytes": "artifact size",
    "params": "parameters",
    "gflops": "GFLOPs",
    "kernels": "kernel counts",
    "map50_95": "mAP50-95",
    "map50": "mAP50",
    "parity": "parity with the reference",
    "latency": "total latency",
    "memory": "peak memory",
    "accuracy": "mAP50-95",
    "throughput": "throughput",
    "p95": "95th percentile",
    "p99": "99th percentile",
    "waiver": "waiver",
    "case": "the whole case",
}
ACCURACY_METRICS = ("map50_95", "map50", "parity", "accuracy")
# Options that the case itself decides, and those that say where results go and not what is measured.
_DECIDED_BY_CASE = ("model", "backend", "precision", "device", "imgsz", "batch", "threads", "effort")
_ABOUT_RESULTS = ("report", "resume", "max_map_drop", "lang")
_SWITCHES = {setting.name for setting in SETTINGS if setting.switch}


@dataclass(frozen=True)
class Finding:
    """One metric of one case against its baseline or limit; values are texts with their unit."""

    case_id: str
    metric: str
    verdict: Verdict
    baseline: str
    current: str
    allowed: str
    sentence: str
    fails: bool = False
    environment: tuple[str, ...] = ()
    rerun: str = ""
    accept: str = ""

    @property
    def title(self) -> str:
        """Return the metric's name as people say it."""
        return TITLES.get(self.metric, self.metric)


def rerun_line(case: Case, effort: str, options: Mapping[str, str], command: Sequence[str] = ()) -> str:
    """Return the command that measures one case again, under the options that decide what is measured.

    `options` maps option names, without dashes in front, to the texts that the user gave; `command` stands for pytest.
    """
    models = [word.strip() for word in options.get("model", "").split(",")]
    decided = {
        "model": next((model for model in models if slug(PurePath(model).stem) == case.model), case.model),
        "backend": case.backend,
        "precision": case.precision,
        "device": case.device,
        "imgsz": str(case.imgsz),
        "batch": str(case.batch),
        "threads": str(case.threads),
        "effort": effort,
    }
    # Of several heads and ways to run, only the case's own.
    if "head" in options:
        decided["head"] = "end2end" if case.head == "end2end" else "auto"
    if "variant" in options:
        decided["variant"] = next((way for way in VARIANTS if case.has(way)), PLAIN)
    left_out = (*_DECIDED_BY_CASE, *_ABOUT_RESULTS, *(() if case.rebuild else ("rebuilds",)))
    kept = {name: text for name, text in options.items() if text and name not in left_out and name not in decided}
    words = list(command) or ["pytest", "bench/", "-k", case.id]
    for name, text in {**decided, **kept}.items():
        words.append(f"--{name.replace('_', '-')}")
        words += [] if name in _SWITCHES else [text]
    return shlex.join(words)


def write_findings(folder: Path, findings: Sequence[Finding]) -> None:
    """Keep a run's findings beside its records, so that its report can be written again."""
    write_whole(folder / FINDINGS_FILE, json.dumps(to_builtins(list(findings)), indent=1) + "\n")


def read_findings(folder: Path) -> tuple[Finding, ...]:
    """Read a run's findings; none were written for a run that did not finish."""
    path = folder / FINDINGS_FILE
    if not path.exists():
        return ()
    try:
        return tuple(from_builtins(item, Finding) for item in json.loads(path.read_text(encoding="utf-8")))
    except Exception as error:  # cattrs raises groups of whatever its hooks met.
        raise RecordError(f"cannot read {path}: {error}") from None
