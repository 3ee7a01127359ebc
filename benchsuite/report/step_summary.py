"""The summary of a GitHub job, which refuses what is larger than a megabyte."""

from __future__ import annotations

from pathlib import Path

# GitHub takes 1 MiB a step, and other steps' summaries are not ours to count.
MOST_BYTES = 1_000_000
_CUT = "\n\n*The summary was cut here: the whole one lies beside the records.*\n"


def append_step_summary(target: Path, summary: Path) -> None:
    """Append a run's summary, whose regressions come first, to a job's; cut after a whole line where it is too long."""
    text = summary.read_text(encoding="utf-8")
    room = MOST_BYTES - (target.stat().st_size if target.exists() else 0)
    if len(text.encode()) > room:
        kept = text.encode()[: max(room - len(_CUT.encode()), 0)].decode(errors="ignore")
        text = kept[: kept.rfind("\n") + 1] + _CUT
    with target.open("a", encoding="utf-8") as file:
        file.write(text)
