"""Kill small runs at random moments and count what that costs: records, orphans, scratch.

    python tests/kills/run.py --kills 40

Each run builds what it measures. Half of them are killed within the first second of a builder, the others anywhere in
the time that a whole run takes.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
_BENCH = (
    "-m", "pytest", "bench/", "--backend", "onnx,ncnn", "--precision", "fp32,int8", "--imgsz", "64", "--effort",
    "quick", "-p", "no:cacheprovider", "-k", "latency or accuracy",
)  # fmt: skip
_MARK = "BENCHSUITE_KILLED_RUN"
_ORPHANS_AFTER_S = 2.0
# A partial file is scratch once it is an hour old.
_AGE_S = 7200


@dataclass(frozen=True)
class Cost:
    """What killed runs cost: each entry tells one loss."""

    kills: int = 0
    ended_before: int = 0
    lost: tuple[str, ...] = ()
    torn: tuple[str, ...] = ()
    orphans: tuple[str, ...] = ()
    scratch: tuple[str, ...] = ()

    def __add__(self, other: Cost) -> Cost:
        parts = (getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__)
        return Cost(*parts)

    def __str__(self) -> str:
        lines = [
            f"{self.kills} runs killed ({self.ended_before} had ended before): {len(self.lost)} records lost, "
            f"{len(self.torn)} torn, {len(self.orphans)} orphans after {_ORPHANS_AFTER_S:g} s, "
            f"{len(self.scratch)} pieces of scratch after `benchsuite cache clean`"
        ]
        return "\n".join([*lines, *self.lost, *self.torn, *self.orphans, *self.scratch])


@dataclass(frozen=True)
class Place:
    """A project, a cache and a folder for temporary files of their own."""

    folder: Path
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def cache(self) -> Path:
        return self.folder / "cache"

    @property
    def temporary(self) -> Path:
        return self.folder / "tmp"

    @property
    def output(self) -> Path:
        return self.folder / "output"

    @property
    def environment(self) -> Mapping[str, str]:
        own = {
            "BENCHSUITE_CACHE": str(self.cache), "BENCHSUITE_LOCK": str(self.folder / "lock"), "TMPDIR":
            str(self.temporary), "HOME": str(self.folder), "PYTHONPATH": str(ROOT), _MARK: self.mark,
        }  # fmt: skip
        return {name: text for name, text in os.environ.items() if not name.startswith("PYTEST")} | own


def kill_runs(kills: int, seed: int, folder: Path, whole_run_s: float | None = None) -> Iterator[Cost]:
    """Kill so many runs in a folder that is theirs, and yield what each cost.

    How long one takes that is not killed is measured first, unless it is given.
    """
    from benchsuite.commands.init import scaffold
    from benchsuite.testing import draw_small_data

    place, chance = Place(folder), random.Random(seed)
    place.temporary.mkdir(parents=True)
    scaffold(folder)
    data = draw_small_data(folder / "data")
    if whole_run_s is None:
        started = time.monotonic()
        _start(place, data).wait()
        whole_run_s = time.monotonic() - started
        print(f"a whole run takes {whole_run_s:.0f} s", flush=True)
        yield _cost_of_ended(place)
    for number in range(kills):
        run = _start(place, data)
        if number % 2 == 0:
            _wait_for_builder(run, chance.randint(1, 3))
            time.sleep(chance.uniform(0, 1))
        else:
            with suppress(subprocess.TimeoutExpired):
                run.wait(chance.uniform(0, whole_run_s))
        ended = run.poll() is not None
        run.kill()
        run.wait()
        yield replace(_cost_of_ended(place), kills=1, ended_before=int(ended))


def _start(place: Place, data: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, *_BENCH, "--data", str(data), "--calib", str(data)]
    with place.output.open("wb") as file:
        return subprocess.Popen(command, cwd=place.folder, env=place.environment, stdout=file, stderr=subprocess.STDOUT)


def _cost_of_ended(place: Place) -> Cost:
    time.sleep(_ORPHANS_AFTER_S)
    orphans = tuple(_marked(place.mark))
    for orphan in orphans:
        orphan.kill()
    cost = _records_cost(place, place.output.read_text(errors="replace"))
    names = tuple(f"orphan {' '.join(orphan.info['cmdline'])[:200]}" for orphan in orphans)
    return replace(cost, orphans=names, scratch=tuple(_scratch_after_clean(place)))


def _wait_for_builder(run: subprocess.Popen[bytes], number: int) -> None:
    """Wait until the run starts its first, second, third builder, or ends."""
    builders: set[int] = set()
    while run.poll() is None and len(builders) < number:
        time.sleep(0.01)
        with suppress(psutil.Error):
            for child in psutil.Process(run.pid).children():
                if "benchsuite.artifacts.builder" in child.cmdline():
                    builders.add(child.pid)


def _marked(mark: str) -> Iterator[psutil.Process]:
    for process in psutil.process_iter(["cmdline", "environ", "status"]):
        alive = process.info["status"] != psutil.STATUS_ZOMBIE
        if alive and (process.info["environ"] or {}).get(_MARK) == mark:
            yield process


def _records_cost(place: Place, output: str) -> Cost:
    """Hold what the run said it had measured against what can be read back."""
    from benchsuite.runs import records
    from benchsuite.terms.errors import RecordError

    found: set[str] = set()
    torn = []
    for path in (place.folder / "reports").glob("2*/records.jsonl"):
        try:
            found |= {record.case.id for record in records.read(path)[0]}
        except RecordError as error:
            torn.append(f"torn {error}")
        path.rename(path.with_suffix(".seen"))
    told = {word for line in output.splitlines() for word in line.split()[:1] if word.endswith("-b1")}
    return Cost(lost=tuple(f"lost {case}" for case in sorted(told - found)), torn=tuple(torn))


def _scratch_after_clean(place: Place) -> Iterator[str]:
    """Clean the cache as a user would hours later, and yield what is left of what was unfinished."""
    past = time.time() - _AGE_S
    for path in (*place.cache.rglob("*"), *place.temporary.rglob("*")):
        os.utime(path, (past, past), follow_symlinks=False)
    subprocess.run(
        [sys.executable, "-m", "benchsuite", "cache", "clean"],
        cwd=place.folder, env=place.environment, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    for path in place.cache.glob("*/*"):
        if path.name.startswith("."):
            yield f"scratch {path}"
    for path in place.temporary.iterdir():
        yield f"scratch {path}"


def main() -> None:
    """Kill runs and print what they cost; the exit code is 1 where that is anything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seed", type=int, default=26)
    options = parser.parse_args()
    total = Cost()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        for cost in kill_runs(options.kills, options.seed, Path(folder) / "runs"):
            total += cost
            print(f"{total.kills:3}  {cost}", flush=True)
    print(f"\n{total}")
    sys.exit(bool(total.lost or total.torn or total.orphans or total.scratch))


if __name__ == "__main__":
    main()
