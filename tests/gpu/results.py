"""The folder of a check: at every moment it holds whatever is known by then."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree

TABLE, LOG, JUNIT = "table.txt", "log.txt", "junit.xml"
RECORDS, RUN, ENVIRONMENT, PAGE, SUMMARY = "records.jsonl", "run.json", "environment.json", "index.html", "summary.md"
FILES = (TABLE, LOG, JUNIT, RECORDS, RUN, ENVIRONMENT, PAGE, SUMMARY)
# A library that repeats a warning at every call must not fill the disk.
_LOG_BYTES = 8 << 20
_WIDTH = 100

Outcome = Literal["not reached", "running", "ran", "skipped", "failed"]


@dataclass
class Step:
    """One row of the table; `detail` says what was found, or why nothing was."""

    name: str
    outcome: Outcome = "not reached"
    seconds: float = 0.0
    detail: str = ""


class Results:
    """Says every line on the terminal and in the log, and makes one run's folder of several runs'."""

    def __init__(self, folder: Path, steps: Iterable[str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            (folder / name).unlink(missing_ok=True)
        self.folder = folder
        self.steps = {name: Step(name) for name in steps}
        self.verdict = "the check was cut off"
        self._log = (folder / LOG).open("w", encoding="utf-8", buffering=1)
        self._logged_bytes = 0
        self._reports: list[Path] = []
        self._suites = ElementTree.Element("testsuites")

    def say(self, line: str = "") -> None:
        """Print a line and log it."""
        print(line, flush=True)
        self._logged_bytes += len(line) + 1
        if self._logged_bytes < _LOG_BYTES:
            self._log.write(line + "\n")

    def close(self) -> None:
        """Close the log."""
        self._log.close()

    def table(self) -> Iterator[str]:
        """Yield a row a step, and the verdict."""
        for step in self.steps.values():
            label = f"{step.name:10}{step.outcome:13}{step.seconds:5.0f} s  "
            yield from textwrap.wrap(
                step.detail or "-",
                _WIDTH,
                initial_indent=label,
                subsequent_indent=" " * len(label),
                break_on_hyphens=False,
            )
        yield ""
        yield self.verdict

    def write_table(self) -> None:
        """Write the table as it stands."""
        self._put(TABLE, "\n".join(self.table()) + "\n")

    def follow(self, reports: Path) -> None:
        """Let `refresh` also look at the run that will be below `reports`."""
        self._reports.append(reports)

    def refresh(self) -> None:
        """Join what the runs have written so far: whole records, and a card that says what all of them did."""
        runs = [reports / "latest" for reports in self._reports if (reports / "latest" / RUN).is_file()]
        if not runs:
            return
        self._put(RECORDS, "".join(_whole_lines(run / RECORDS) for run in runs))
        cards = [json.loads((run / RUN).read_text(encoding="utf-8")) for run in runs]
        joined = {
            **cards[0],
            "command": " && ".join(card["command"] for card in cards),
            "selected_ids": [case_id for card in cards for case_id in card["selected_ids"]],
            "state": next((card["state"] for card in cards if card["state"] != "finished"), "finished"),
            "options": dict(sorted(set.intersection(*(set(card["options"].items()) for card in cards)))),
        }
        self._put(RUN, json.dumps(joined, indent=2, sort_keys=True) + "\n")
        self._put(ENVIRONMENT, (runs[0] / ENVIRONMENT).read_text(encoding="utf-8"))

    def records(self) -> list[dict[str, Any]]:
        """Return all records so far."""
        return [json.loads(line) for line in _whole_lines(self.folder / RECORDS).splitlines()]

    def copy_run(self, folder: Path) -> None:
        """Copy the joined run, with all samples, to where its page can be made."""
        for reports in self._reports:
            if (reports / "latest" / "samples").is_dir():
                shutil.copytree(reports / "latest" / "samples", folder / "samples", dirs_exist_ok=True)
        for name in (RECORDS, RUN, ENVIRONMENT):
            shutil.copyfile(self.folder / name, folder / name)

    def take_page(self, folder: Path) -> None:
        """Take page and summary from where they were made."""
        for name in (PAGE, SUMMARY):
            self._put(name, (folder / name).read_text(encoding="utf-8"))

    def add_tests(self, report: Path) -> list[ElementTree.Element]:
        """Add one pytest's JUnit file to the check's and return its tests; none where pytest could not write it."""
        if not report.is_file():
            return []
        suites = ElementTree.parse(report).getroot()
        self._suites.extend(suites)
        self._put(JUNIT, ElementTree.tostring(self._suites, encoding="unicode"))
        return list(suites.iter("testcase"))

    def _put(self, name: str, text: str) -> None:
        """Write a file of the folder so that whoever reads it finds the old text or the new one."""
        path, scratch = self.folder / name, self.folder / f".{name}"
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            scratch.write_text(text, encoding="utf-8")
            scratch.replace(path)


def _whole_lines(path: Path) -> str:
    """Return a file's lines without one that is still being written."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return text[: text.rfind("\n") + 1]
