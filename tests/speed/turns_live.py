"""Time one artifact under two names, and once more with a slowdown, and count what turns prove of them.

`python tests/speed/turns_live.py 40 [standard] [320]` makes 40 timings of ONNX Runtime FP32 at that effort and size.
Two rows are the same, of which neither may be proved faster, and in the third every call waits a tenth longer, which
should be proved. Prints a line a timing, and the rates with their exact 95 % intervals.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchsuite.measure.effort import EFFORTS
from benchsuite.measure.launch import Launch
from benchsuite.measure.lock import measuring_lock
from benchsuite.measure.measurement import Cold
from benchsuite.measure.ranking import Ranking
from benchsuite.measure.readings import Side
from benchsuite.measure.timing import timings
from benchsuite.measure.turns import TakenTurn, Turns, take_turns
from benchsuite.networks.weights import BUNDLED
from benchsuite.options.settings import parse
from benchsuite.report.selftest import rate
from benchsuite.runs.preparation import Preparation
from benchsuite.runs.site import open_site
from benchsuite.terms.cases import Case
from benchsuite.terms.input_size import InputSize

SLOWDOWN = 0.10
SAME, AGAIN, SLOWED = "same", "again", "slowed"


class Silent:
    """Keeps nothing."""

    def first_launch(self, case_id: str, launch: Launch, cold: Cold) -> None: ...

    def round_ended(self, turns: Sequence[TakenTurn], done: int, of: int) -> None: ...


def main() -> None:
    """Print a line a timing, and the rates."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    effort = EFFORTS[sys.argv[2] if len(sys.argv) > 2 else "standard"]
    side_px = int(sys.argv[3]) if len(sys.argv) > 3 else 320
    turns = Turns(effort.launches, effort.rounds)
    options = parse({"effort": effort.name, "imgsz": str(side_px)})
    case = Case(BUNDLED, "onnx", "fp32", "cpu", InputSize.square(side_px), 1, options.threads)
    told_apart = proved = contended = 0
    with tempfile.TemporaryDirectory() as scratch, measuring_lock(print):
        site = replace(open_site(options, print)[0], folder=Path(scratch))
        setup = Preparation(site).subject(case).setup
        sides = {name: Side(case, setup, SLOWDOWN if name == SLOWED else 0.0) for name in (SAME, AGAIN, SLOWED)}
        for again in range(number):
            taken = take_turns(sides, turns, again, Silent())
            told = timings("live", taken, turns, (), 0)
            ranking = Ranking({name: it.together.launches for name, it in told.items()})
            apart = ranking.proved_faster(SAME, AGAIN) or ranking.proved_faster(AGAIN, SAME)
            found = ranking.proved_faster(SAME, SLOWED)
            same, slowed = ranking.ratio(AGAIN, to=SAME), ranking.ratio(SLOWED, to=SAME)
            noise = told[SAME].together.noise
            contended += noise.contention
            told_apart += apart and not noise.contention
            proved += found and not noise.contention
            print(
                f"{again + 1:3}  same {same.times:.3f} ({same.low:.3f}–{same.high:.3f}){' APART' if apart else ''}"
                f"  slowed {slowed.times:.3f} ({slowed.low:.3f}–{slowed.high:.3f}){'' if found else ' NOT PROVED'}"
                f"  {'; '.join(noise.sentences)}",
                flush=True,
            )
    print(f"two rows that are the same were told apart: {rate(told_apart, number - contended)}")
    print(f"a slowdown of {SLOWDOWN:.0%} was proved: {rate(proved, number - contended)}")
    print(f"timings under contention: {contended}")


if __name__ == "__main__":
    main()
