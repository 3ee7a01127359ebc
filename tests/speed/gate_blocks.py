"""How the spread of d depends on how a block is divided: many short readings against few long ones.

`python tests/speed/gate_blocks.py 40` launches two equal arms 40 times for each way, all ways interleaved, and prints
standard deviation and scaled median deviation of d, and seconds to launch and to measure.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from benchsuite.gate.blocks import Block, Stream
from benchsuite.gate.loop import launch_order, reading_order
from benchsuite.gate.pair import Pair
from benchsuite.measure.readings import LatencyWorker, Plan, Side
from benchsuite.options.settings import parse
from benchsuite.runs.preparation import Preparation
from benchsuite.runs.runner import Runner
from benchsuite.runs.site import open_site

CASES = (("onnx", "fp32", "320"), ("onnx", "int8", "320"), ("openvino", "int8", "640"), ("onnx", "fp32", "640"))
QUADS = (1, 2, 4, 6)
# Calls of each arm in a block, spread over its readings.
_CALLS_S = 0.2


def sides(folder: Path) -> list[Side]:
    """Prepare the cases, their artifacts built where needed."""
    found = []
    for backend, precision, imgsz in CASES:
        options = parse({"backend": backend, "precision": precision, "imgsz": imgsz})
        site, (case,) = open_site(options, print)
        runner = Runner(Preparation(replace(site, folder=folder)))
        found.append(Side(case, runner.case_run(case).subject.setup))
        runner.finish_open()
        runner.close()
    return found


def main() -> None:
    """Measure and print a line for each case and number of readings."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    coins = random.Random()
    taken: dict[tuple[str, int], list[Block]] = {}
    with tempfile.TemporaryDirectory() as folder:
        subjects = sides(Path(folder))
        for _ in range(repeats):
            for side in coins.sample(subjects, len(subjects)):
                for quads in coins.sample(QUADS, len(QUADS)):
                    launched = launch_order(coins)
                    with Pair({"A": side, "B": side}, launched, LatencyWorker) as pair:
                        call_s = pair.plan().expected_s / pair.plan().calls
                        calls = max(2, round(_CALLS_S / (2 * quads) / call_s))
                        order = reading_order(coins, quads)
                        it = pair.take(order, Plan(calls, quads, calls * call_s))
                    block = Block(
                        Stream(side.case.id), 1, order, launched, it.readings, it.peak_bytes, {}, "", it.launch_ns,
                        it.block_ns, it.calls_ns,
                    )  # fmt: skip
                    taken.setdefault((side.case.id, quads), []).append(block)
    for (case_id, quads), blocks in sorted(taken.items()):
        ds = [block.d for block in blocks]
        spread = 1.4826 * statistics.median(abs(d) for d in ds)
        launch_s, block_s = (
            statistics.median(getattr(b, name) for b in blocks) / 1e9 for name in ("launch_ns", "block_ns")
        )
        share = 1 - sum(b.calls_ns for b in blocks) / sum(b.block_ns for b in blocks)
        print(
            f"{case_id:40} {4 * quads:>2} readings: sd {statistics.pstdev(ds) * 100:.2f} %, median deviation "
            f"{spread * 100:.2f} %, launch {launch_s:.2f} s, block {block_s:.2f} s, harness {share * 100:.1f} %"
        )


if __name__ == "__main__":
    main()
