"""What a comparison found, and the command that measures it again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchsuite.machine.json_files import read_json, write_json
from benchsuite.networks.names import ask_for
from benchsuite.options.settings import IN_CASE_IDS, SETTINGS
from benchsuite.runs import figures
from benchsuite.terms.cases import Case
from benchsuite.terms.said import Sentence

# OVER_LIMIT belongs to service goals, which know no baseline; the others compare.
Verdict = Literal["PASS", "REGRESSED", "IMPROVED", "INCONCLUSIVE", "NOT_COMPARABLE", "MISSING", "OVER_LIMIT"]
FINDINGS_FILE = "findings.json"
# What is found about a case and not about a figure.
_OF_CASES = {"waiver": "waiver", "case": "the whole case"}
# Options that say where results go and not what is measured.
_ABOUT_RESULTS = ("report", "resume", "max_map_drop", "lang")
_SWITCHES = {setting.name for setting in SETTINGS if setting.switch}


@dataclass(frozen=True)
class Finding:
    """One metric of one case against its baseline or limit; values are texts with their unit."""

    case_id: str
    metric: str
    verdict: Verdict
    baseline: Sentence
    current: Sentence
    allowed: Sentence
    sentence: Sentence
    fails: bool = False
    environment: tuple[Sentence, ...] = ()
    rerun: str = ""
    accept: str = ""

    @property
    def title(self) -> str:
        """Return the metric's name as people say it."""
        titles = (figure.title for figure in figures.FIGURES if self.metric in (figure.key, figure.limit))
        return _OF_CASES.get(self.metric) or next(titles, self.metric)

    @property
    def breaks_a_limit(self) -> bool:
        """Say whether it is about a limit that its run was given; an expired waiver is none."""
        return self.verdict == "OVER_LIMIT" and self.metric != "waiver"

    @property
    def about_detections(self) -> bool:
        """Say whether it is about what the network detects, which no speed makes up for."""
        return self.metric in answered_by("accuracy") | answered_by("parity")


def answered_by(metric: str) -> frozenset[str]:
    """Return the metrics of findings that the bench test of a measured metric answers for."""
    own = (name for it in figures.FIGURES if it.metric == metric for name in (it.key, it.limit) if name)
    # A case has no test of its own.
    return frozenset((*own, *(_OF_CASES if metric == "latency" else ())))


def rerun_line(case: Case, effort: str, options: Mapping[str, str], command: Sequence[str] = ()) -> str:
    """Return the command that measures one case again, under the options that decide what is measured.

    `options` maps option names, without dashes in front, to the texts that the user gave; `command` stands for pytest.
    """
    decided = {
        "case": case.id,
        "model": ask_for(case.model, options.get("model", "")),
        "threads": str(case.threads),
        "effort": effort,
    }
    left_out = (*_ABOUT_RESULTS, *IN_CASE_IDS, *(("quant_scheme",) if case.scheme else ()))
    kept = {name: text for name, text in options.items() if text and name not in left_out and name not in decided}
    words = list(command) or ["pytest", "bench/"]
    for name, text in {**decided, **kept}.items():
        words.append(f"--{name.replace('_', '-')}")
        words += [] if name in _SWITCHES else [text]
    return shlex.join(words)


def write_findings(folder: Path, findings: Sequence[Finding]) -> None:
    """Keep a run's findings beside its records, so that its report can be written again."""
    write_json(folder / FINDINGS_FILE, list(findings))


def read_findings(folder: Path) -> tuple[Finding, ...]:
    """Read a run's findings; none were written for a run that did not finish. Raises RecordError."""
    path = folder / FINDINGS_FILE
    if not path.exists():
        return ()
    return read_json(path, tuple[Finding, ...], "remove that file to show the run without its verdicts")
