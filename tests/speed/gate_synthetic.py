"""Gate thousands of synthetic suites under each kind of noise and print the rates of verdicts with exact intervals.

`python tests/speed/gate_synthetic.py 200` runs 200 suites of four cases for each noise and ratio.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchsuite.gate.blocks import Stream
from benchsuite.gate.loop import Loop, Outcome
from benchsuite.gate.suite import plan_tests
from benchsuite.options.settings import defaults
from benchsuite.report.selftest import rate
from tests.support.streams import NOISES, SyntheticSource

CASES = ("one", "two", "three", "four")
RATIOS = (1.0, 1.01, 1.03, 1.05, 1.10)


def gate(noise: str, ratio: float, seed: int) -> Outcome:
    """Run one suite whose cases all have the same ratio."""
    source = SyntheticSource(NOISES[noise], dict.fromkeys(CASES, ratio), seed)
    tests = plan_tests(CASES, defaults().gate)
    control = Stream(CASES[0], control=True)
    return Loop(tests, control, 180, source, random.Random(seed), clock=source.clock).run()


def main() -> None:
    """Print a line for each noise and ratio, and the false alarms of all suites at or below the margin."""
    suites = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    false = {1.0: 0, 1.01: 0}
    contaminated = 0
    for noise in NOISES:
        for ratio in RATIOS:
            found: Counter[str] = Counter()
            blocks: list[int] = []
            alarms = 0
            for seed in range(suites):
                outcome = gate(noise, ratio, seed)
                verdicts = [judgement for status in outcome.statuses for judgement in status.judgements]
                alarms += any(judgement.decision in ("REGRESSED", "IMPROVED") for judgement in verdicts)
                found.update(status.judgements[0].decision for status in outcome.statuses)
                blocks += [status.blocks for status in outcome.statuses]
                contaminated += outcome.contaminated
            if ratio in false:
                false[ratio] += alarms
            blocks.sort()
            shares = ", ".join(f"{name} {count / found.total() * 100:.1f} %" for name, count in found.most_common())
            print(f"{noise:17} ×{ratio:<5} {shares}; blocks {blocks[len(blocks) // 2]} (most {blocks[-1]})", flush=True)
    for ratio, alarms in false.items():
        print(f"suites with a false alarm at ×{ratio}: {rate(alarms, suites * len(NOISES))}")
    print(f"suites called contaminated: {rate(contaminated, suites * len(NOISES) * len(RATIOS))}")


if __name__ == "__main__":
    main()
