"""Time `import benchsuite` and `pytest bench/ --collect-only -q`: python tests/speed/startup.py"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAUNCHES = 20


def seconds(*arguments: str) -> float:
    """Return how long one launch of Python takes with these arguments."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    """Interleave bare launches with importing ones, and print medians."""
    bare, importing, collecting = [], [], []
    for number in range(LAUNCHES):
        bare.append(seconds("-c", "pass"))
        importing.append(seconds("-c", "import benchsuite"))
        if number % 4 == 0:
            collecting.append(seconds("-m", "pytest", "bench/", "--collect-only", "-q"))
    added = statistics.median(importing) - statistics.median(bare)
    print(f"import benchsuite adds {added * 1e3:.1f} ms (medians of {LAUNCHES} launches)")
    print(f"collecting takes {statistics.median(collecting):.2f} s (median of {len(collecting)})")


if __name__ == "__main__":
    main()
