"""A gate on a terminal of 80 columns: what is known of each case while it runs, and what came out."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import Any

from benchsuite.findings import WIDTH, Finding
from benchsuite.gate.loop import Status
from benchsuite.gate.session import GateResult


def status_line(status: Status) -> str:
    """Return one subject's blocks so far, its ratio with its 95 % interval, and its verdict."""
    judgement = status.judgements[0]
    name = status.subject.case_id if status.subject.metric == "latency" else f"{status.subject.case_id} img/s"
    ratio = interval = ""
    if judgement.ratio is not None:
        ratio = f"{judgement.ratio:.3f}"
        if judgement.interval is not None:
            interval = "{:.3f}–{:.3f}".format(*judgement.interval)
    if status.failed_arm:
        verdict = "MISSING"
    elif status.done:
        verdict = worst(status)
    else:
        verdict = "…"
    shown = name if len(name) <= 41 else f"{name[:40]}…"
    return f"{shown:<41} {status.blocks:>3} {ratio:>6} {interval:>13} {verdict}"


def worst(status: Status) -> str:
    """Return the verdict of a subject's tests that matters most; tails that show nothing say nothing."""
    decisions = [
        judgement.decision
        for judgement in status.judgements
        if judgement.metric not in ("p95", "p99") or judgement.decision == "REGRESSED"
    ]
    order = ("REGRESSED", "INCONCLUSIVE", "IMPROVED", "PASS")
    return min(decisions, key=order.index, default="PASS")


class GateProgress:
    """Shows statuses as they change: a table that redraws itself on a terminal, a line a decided case elsewhere."""

    def __init__(self, say: Callable[[str], None], terminal: bool) -> None:
        self._say = say
        self._told: set[str] = set()
        self._live: Any = None
        if terminal:
            from rich.live import Live

            # Drawn between blocks only: a thread that redraws would run while a case is timed.
            self._live = Live(auto_refresh=False)
            self._live.start()

    def show(self, statuses: Sequence[Status]) -> None:
        """Show where each subject stands."""
        if self._live is not None:
            from rich.text import Text

            heading = f"{'case':<41} {'blk':>3} {'ratio':>6} {'95 %':>13} verdict"
            self._live.update(Text("\n".join([heading, *map(status_line, statuses)])), refresh=True)
            return
        for status in statuses:
            key = f"{status.subject.case_id} {status.subject.metric}"
            if status.done and key not in self._told:
                self._told.add(key)
                self._say(status_line(status))

    def close(self) -> None:
        """Leave the last picture where it stands."""
        if self._live is not None:
            self._live.stop()


def result_lines(result: GateResult) -> list[str]:
    """Return what did not pass, each with its sentence and the line that measures it again, then the counts."""
    lines: list[str] = []
    for finding in result.findings:
        if finding.verdict in ("PASS", "IMPROVED") or finding.fails:
            continue
        lines += ["", f"{finding.case_id}", f"  {finding.verdict}  {finding.title}", *_wrapped(finding.sentence)]
    lines += ["", *result.notes] if result.notes else []
    counts = {verdict: sum(it.verdict == verdict for it in result.findings) for verdict in _order(result.findings)}
    seconds = f" in {result.outcome.elapsed_s:.0f} s, {result.outcome.sweeps} sweeps" if result.outcome else ""
    lines += ["", "gate: " + ", ".join(f"{number} {verdict}" for verdict, number in counts.items()) + seconds]
    return lines


def _order(findings: Sequence[Finding]) -> list[str]:
    known = ("REGRESSED", "MISSING", "OVER_LIMIT", "NOT_COMPARABLE", "INCONCLUSIVE", "IMPROVED", "PASS")
    return [verdict for verdict in known if any(finding.verdict == verdict for finding in findings)]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)
