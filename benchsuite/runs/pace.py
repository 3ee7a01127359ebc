"""How fast this machine has been in earlier runs, for a guess at how long the next one takes."""

from __future__ import annotations

import statistics
from pathlib import Path

from benchsuite.measure.effort import EFFORTS
from benchsuite.options.estimate import estimate_s
from benchsuite.runs.folder import RUN_FILE, read_run
from benchsuite.terms.errors import BenchsuiteError

_RUNS_LOOKED_AT = 5
_MOST_LISTED = 200


def pace(root: Path, fingerprint: str) -> float | None:
    """Return how many times as long as guessed the last runs on a machine took, building apart; None without any."""
    folders = sorted((path.parent for path in root.glob(f"*/{RUN_FILE}")), reverse=True)[:_MOST_LISTED]
    found: list[float] = []
    for folder in folders:
        if folder.is_symlink() or len(found) == _RUNS_LOOKED_AT:
            continue
        try:
            run = read_run(folder)
        except BenchsuiteError:
            # A damaged run tells nothing, and is no business of the one that starts.
            continue
        cases = [record.case for record in run.records if record.outcome == "measured"]
        if run.took_s and cases and run.machine.fingerprint == fingerprint and run.effort in EFFORTS:
            found.append(run.took_s / estimate_s(cases, EFFORTS[run.effort]))
    return statistics.median(found) if found else None
