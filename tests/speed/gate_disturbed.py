"""The gate's self-test beside other work: one loop pinned to each core, busy for 50 ms and idle for 50 ms.

`python tests/speed/gate_disturbed.py --aa 20 --backend onnx --precision fp32 --imgsz 320` takes the options of
`benchsuite selftest` and keeps its suites in reports/disturbed, apart from those of an undisturbed machine.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import time

_PHASE_S = 0.05


def disturb(core: int) -> None:
    """Take every other 50 ms of one core."""
    os.sched_setaffinity(0, {core})
    while True:
        until = time.perf_counter() + _PHASE_S
        while time.perf_counter() < until:
            pass
        time.sleep(_PHASE_S)


def main() -> int:
    """Run the self-test while the loops run."""
    loops = [
        multiprocessing.Process(target=disturb, args=(core,), daemon=True) for core in sorted(os.sched_getaffinity(0))
    ]
    for loop in loops:
        loop.start()
    command = [
        sys.executable,
        "-m",
        "benchsuite",
        "selftest",
        "--report",
        "reports/disturbed",
        *sys.argv[1:],
    ]
    try:
        return subprocess.run(command).returncode
    finally:
        for loop in loops:
            loop.terminate()


if __name__ == "__main__":
    sys.exit(main())
