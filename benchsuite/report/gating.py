"""A gate on a terminal of 80 columns: what is known of each case while it runs, and what came out."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchsuite.compare.findings import Finding, Verdict
from benchsuite.gate.judging import TAILS, Judgement
from benchsuite.gate.loop import Status
from benchsuite.gate.session import GateResult
from benchsuite.gate.verdicts import DECIDING, percent
from benchsuite.report.failures import sentence
from benchsuite.report.terminal import aligned, fit_id
from benchsuite.terms.printable import printable_lines
from benchsuite.terms.said import counted

_HEARTBEAT_S = 60
# Of case, blocks, change and its interval; a verdict takes what it needs.
_WIDTHS = (36, 3, 7, 13, 0)
_HEADINGS = ("case", "blk", "change", "95 % interval", "verdict")
_ORDER: tuple[Verdict, ...] = (
    "MISSING", "REGRESSED", "OVER_LIMIT", "NOT_COMPARABLE", "INCONCLUSIVE", "IMPROVED", "PASS",
)  # fmt: skip


def status_line(status: Status) -> str:
    """Return a case's blocks so far, the candidate's change with its 95 % interval, and the verdict."""
    judgement = status.judgements[0]
    # Throughput is judged by the time that an image takes, which grows where it falls.
    name = status.subject.case_id if status.subject.metric == "latency" else f"{status.subject.case_id} ms/img"
    change = interval = ""
    if judgement.ratio is not None:
        change = f"{percent(judgement.ratio)} %"
        if judgement.interval is not None:
            interval = " to ".join(map(percent, judgement.interval))
    if status.failed_arm:
        verdict = "MISSING"
    elif status.done:
        it = worst(status)
        # The change beside it is that of the first test.
        verdict = it.decision if it.metric == judgement.metric else f"{it.decision} {it.metric}"
    else:
        verdict = "…"
    return aligned((fit_id(name, _WIDTHS[0]), str(status.blocks), change, interval, verdict), _WIDTHS, " ")


def _heading() -> str:
    return aligned(_HEADINGS, _WIDTHS, " ")


def worst(status: Status) -> Judgement:
    """Return the judgement of a subject that matters most; tails that show nothing say nothing."""
    order = ("REGRESSED", "INCONCLUSIVE", "IMPROVED", "PASS")
    telling = [it for it in status.judgements if it.metric not in TAILS or it.decision == "REGRESSED"]
    return min(telling or status.judgements, key=lambda it: order.index(it.decision))


class GateProgress:
    """Shows statuses as they change: a table that redraws itself on a terminal, a line a decided case elsewhere."""

    def __init__(self, say: Callable[[str], None], terminal: bool) -> None:
        self._say = say
        self._told: set[str] = set()
        self._spoke_at = time.monotonic()
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

            lines = [_heading(), *map(status_line, statuses)]
            self._live.update(Text(printable_lines("\n".join(lines))), refresh=True)
            return
        now = time.monotonic()
        if now - self._spoke_at > _HEARTBEAT_S:
            self._spoke_at = now
            done = sum(status.done for status in statuses)
            blocks = sum(status.blocks for status in statuses)
            self._say(f"gate: {done} of {len(statuses)} rows decided after {blocks} blocks")
        for status in statuses:
            key = f"{status.subject.case_id} {status.subject.metric}"
            if status.done and key not in self._told:
                if not self._told:
                    self._say(_heading())
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
        lines += ["", f"{finding.case_id}", f"  {finding.verdict}  {finding.title}", *sentence(finding.sentence)]
    lines += ["", *result.notes] if result.notes else []
    counts = Counter(case_verdicts(result.findings).values())
    seconds = ""
    if result.outcome:
        rounds = counted(result.outcome.sweeps, "1 round", "{1} rounds")
        seconds = f" in {result.outcome.elapsed_s:.0f} s, {rounds}"
    shown = ", ".join(f"{counts[verdict]} {verdict}" for verdict in _ORDER if counts[verdict])
    return [*lines, "", f"gate: {counted(counts.total(), '1 case', '{1} cases')}: {shown}{seconds}"]


def case_verdicts(findings: Sequence[Finding]) -> Mapping[str, Verdict]:
    """Return the verdict of each case that matters most; what cannot be compared beside its timing is a remark."""
    verdicts: dict[str, Verdict] = {}
    for finding in findings:
        remark = finding.verdict in ("NOT_COMPARABLE", "INCONCLUSIVE") and finding.metric not in DECIDING
        # A changed size is no improvement of what the case does.
        improved = finding.verdict == "IMPROVED" and finding.metric not in DECIDING
        verdict: Verdict = "PASS" if remark or improved else finding.verdict
        known = verdicts.get(finding.case_id, "PASS")
        verdicts[finding.case_id] = min(known, verdict, key=_ORDER.index)
    return verdicts
