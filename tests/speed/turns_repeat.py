"""Run the same benchmark again and again, by turns and one case after the other, and print how far the runs agree.

`python tests/speed/turns_repeat.py 5 [pytest options]` makes five runs of each kind, in alternation, of ONNX Runtime
and OpenVINO at effort quick, and prints for every case how far its p50 and its ratio to the first case spread from run
to run (largest over smallest, less one), and of how many pairs of runs the 95 % intervals of a ratio overlap.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchsuite.measure.ranking import Ratio
from benchsuite.runs.folder import Run, read_run
from benchsuite.runs.ranking import rank
from benchsuite.terms.absence import Absent

ROOT = Path(__file__).parents[2]
COMMAND = ("-m", "pytest", "bench/", "-q", "-p", "no:cacheprovider", "-k", "latency", "--effort", "quick")
USUAL = ("--backend", "onnx,openvino")


def run(folder: Path, options: Sequence[str], turns: str) -> Run:
    """Make one run and read it."""
    words = [sys.executable, *COMMAND, *options, "--turns", turns, "--report", str(folder)]
    subprocess.run(words, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return read_run(folder / "latest")


def p50s(made: Run) -> Mapping[str, float]:
    """Return p50 in ms by the name of the case."""
    latencies = {record.row_name: record.metrics.latency for record in made.records}
    return {name: it.total_ns.p50 / 1e6 for name, it in latencies.items() if not isinstance(it, Absent)}


def ratios(made: Run, first: str) -> Mapping[str, Ratio]:
    """Return the ratio of each case's time to the first one's, with its interval, as reports quote it."""
    ranked = rank(made.records, ())
    assert not isinstance(ranked, Absent), ranked.reason
    by_name = {record.row_name: record.case.id for record in made.records if record.case.id in ranked.rows}
    return {name: ranked.speed(by_name[first], to=case_id) for name, case_id in by_name.items()}


def spread(values: Sequence[float]) -> float:
    """Return by which share the largest lies above the smallest."""
    return max(values) / min(values) - 1


def main() -> None:
    """Print a line a case, and what all come to."""
    number, options = int(sys.argv[1]) if len(sys.argv) > 1 else 5, sys.argv[2:] or list(USUAL)
    made: dict[str, list[Run]] = {"on": [], "off": []}
    with tempfile.TemporaryDirectory() as folder:
        for again in range(number):
            for turns in ("on", "off") if again % 2 else ("off", "on"):
                made[turns].append(run(Path(folder) / f"{turns}-{again}", options, turns))
                print(f"run {again + 1}, turns {turns}: {dict(p50s(made[turns][-1]))}", flush=True)
        times = {turns: [p50s(it) for it in runs] for turns, runs in made.items()}
        first = next(iter(times["on"][0]))
        quoted = [ratios(it, first) for it in made["on"]]
        noise = [it for made_by_turns in made["on"] for it in noises(made_by_turns)]
    print("noise by turns:", noise)
    print(f"{'':22}{'p50, in sequence':>18}{'ratio, in sequence':>20}{'ratio, by turns':>18}{'overlap':>9}")
    overlaps = []
    for name in times["on"][0]:
        alone = [it[name] for it in times["off"]]
        held = [it[name] / it[first] for it in times["off"]]
        pairs = list(combinations([it[name] for it in quoted], 2))
        meet = [one.low <= other.high and other.low <= one.high for one, other in pairs]
        if name != first:
            overlaps += meet
        by_turns = spread([it[name].times for it in quoted])
        print(f"{name:22}{spread(alone):18.1%}{spread(held):20.1%}{by_turns:18.1%}{sum(meet):6}/{len(meet)}")
    print(f"intervals of two runs overlap in {statistics.fmean(overlaps):.1%} of {len(overlaps)} pairs")


def noises(made: Run) -> Sequence[str]:
    """Return what the machine was like."""
    from benchsuite.runs.ranking import noise_of

    return [sentence for it in noise_of(made.records) for sentence in it.sentences]


if __name__ == "__main__":
    main()
