"""Check what of benchsuite needs an NVIDIA GPU, without a network and without changing the machine: see README.md."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from commands import ROOT, call, environment, start
from figures import gpu_lines
from results import Outcome, Results

HERE = Path(__file__).resolve().parent
NOTHING_ON_A_GPU = 3
LIMIT_S = 290
# Kept for the page at the end.
_RESERVE_S = 15
# Ultralytics reads its version as it is imported, and nothing else of it: where there is one, it stays.
_ONLY_WHERE_MISSING = "torchvision"
_DRAW_IMAGES = (
    "from benchsuite.machine.files import cache_root; from benchsuite.options.settings import defaults; "
    "from benchsuite.runs.images import RunData; RunData(defaults(), cache_root()).evaluated"
)
Told = tuple[Outcome, str]


class Check:
    """The steps; each returns how it ended, and what it found or why it found nothing."""

    def __init__(self, results: Results, wheels: Path, scratch: Path, rehearse: bool, limit_s: float) -> None:
        self._results = results
        self._wheels = wheels
        self._scratch = scratch
        self._rehearse = rehearse
        self._ends = time.monotonic() + limit_s
        # A step's own limit grows with the check's.
        self._patience = limit_s / LIMIT_S
        self._variables = environment(scratch)
        self._drawing: subprocess.Popen[str] | None = None
        self.no_gpu = "PyTorch and NVML could not be asked for one"

    def take(self, name: str, step: Callable[[], Told]) -> None:
        """Take one step; what goes wrong in it does not keep the next from being taken."""
        row, started = self._results.steps[name], time.monotonic()
        row.outcome = "running"
        self._results.write_table()
        self._results.say(f"\n==== {name}")
        try:
            row.outcome, row.detail = step()
        except Exception as error:  # A fault of the check itself: the other steps may still tell something.
            self._results.say(traceback.format_exc())
            row.outcome, row.detail = "failed", f"{type(error).__name__}: {error}"
        finally:
            row.seconds = time.monotonic() - started
            self._results.write_table()
        self._results.say(f"==== {name} {row.outcome} in {row.seconds:.0f} s: {row.detail}")

    def close(self) -> None:
        """End what still runs beside the steps."""
        if self._drawing is not None:
            self._drawing.kill()
            self._drawing.wait()

    def install(self) -> Told:
        """Install the wheels into a folder of their own."""
        asked = wheel_names((HERE / "wheels.txt").read_text())
        found = {_normal(path.name.partition("-")[0]): path for path in sorted(self._wheels.glob("*.whl"))}
        if _is_installed(_ONLY_WHERE_MISSING):
            asked.remove(_ONLY_WHERE_MISSING)
        missing = [name for name in asked if name not in found]
        if missing:
            return "failed", f"{self._wheels} has no wheels of {', '.join(missing)}: README.md says how to fetch them"
        # What else lies there was brought on purpose: onnxruntime-gpu, TensorRT, NCNN.
        more = [name for name in found if name not in (*asked, _ONLY_WHERE_MISSING)]
        where = ["--no-index", "--no-deps", "--no-compile", "--no-cache-dir", "--target", str(self._scratch / "site")]
        wheels = [str(found[name]) for name in (*asked, *more)]
        status = self._call(["-m", "pip", "install", "-q", *where, *wheels], 60)
        told = f"{len(asked)} wheels" + (f", and {', '.join(more)}" if more else "")
        return ("ran", told) if status == 0 else ("failed", _ended(status))

    def machine(self) -> Told:
        """Say what the machine is, and find out whether there is a GPU."""
        lines: list[str] = []
        status = self._call([str(HERE / "machine.py")], 60, lines.append)
        kind, _, told = (lines[-1] if lines else "").partition(": ")
        if status != 0 or kind not in ("gpu", "no gpu"):
            return "failed", _ended(status)
        self.no_gpu = told if kind == "no gpu" else ""
        status = self._call(["-m", "benchsuite", "doctor", "--seconds", "0"], 30)
        if not self._has_nothing:
            # Nothing is timed before the bench.
            self._drawing = start([sys.executable, "-c", _DRAW_IMAGES], self._variables, subprocess.DEVNULL)
        return ("ran", told) if status == 0 else ("failed", f"benchsuite doctor: {_ended(status)}")

    def contract(self) -> Told:
        """Hold sessions on the GPU to their contract; mAP and parity tell of torch.compile."""
        if self._has_nothing:
            return self._skipped
        report = self._scratch / "contract.xml"
        chosen = "torch-fp32-cpu and not compile" if self._rehearse else "cuda and not compile"
        # Nothing is timed here, and a session takes long to start.
        beside = ["-p", "xdist.plugin", "-n", "6", "--dist", "load"] if find_spec("xdist") else []
        asked = ["-m", "slow", "tests/contract", "-k", chosen, "-v", "--tb=short", *beside]
        status = self._pytest(asked, report, 120)
        tests = self._results.add_tests(report)
        if status == 0:
            return "ran", f"{len(tests)} sessions keep the contract"
        faults = [(test, fault) for test in tests for fault in (*test.findall("failure"), *test.findall("error"))]
        told = [f"{test.get('name')}: {_first_line(fault.get('message') or '')}" for test, fault in faults]
        return "failed", "; ".join(told) or _ended(status)

    def bench(self) -> Told:
        """Measure PyTorch; throughput takes as long as the rest, so one precision has to do."""
        precisions, size = ("fp32,bf16", "320") if self._rehearse else ("fp16,fp32,bf16", "640")
        return self._measure("bench", "torch", precisions, size, 150, "-k", f"not throughput or {precisions[:4]}")

    def compile(self) -> Told:
        """Measure what torch.compile makes."""
        precision, size = ("fp32", "320") if self._rehearse else ("fp16", "640")
        return self._measure("compile", "torch", precision, size, 120, "--variant", "compile", "-k", "not throughput")

    def others(self) -> Told:
        """Measure the other runtimes as far as they are installed; each other row says why it is not there."""
        size = "320" if self._rehearse else "640"
        return self._measure("others", "onnx,openvino,trt,ncnn", "fp32,fp16", size, 120, "-k", "not throughput")

    def vulkan(self) -> Told:
        """Measure NCNN on Vulkan, where NCNN, a loader and a driver are installed."""
        if self._rehearse:
            return "skipped", "it would take a Vulkan device"
        return self._measure("vulkan", "ncnn", "fp32", "640", 60, "-k", "not throughput", device="vulkan")

    def figures(self) -> Told:
        """Say what NVML and the device told, as the records have it."""
        if self._has_nothing:
            return self._skipped
        lines = list(gpu_lines(self._results.records()))
        for line in lines:
            self._results.say(line)
        if lines:
            return "ran", f"{sum(not line.startswith(' ') for line in lines)} cases have a GPU's figures: see log.txt"
        return ("skipped", "no case ran on a GPU") if self._rehearse else ("failed", "no case has a GPU's figures")

    def page(self) -> Told:
        """Write the page of all cases."""
        if not self._results.records():
            return "skipped", "no case was measured"
        status = self._write_page(reserve_s=0)
        return ("ran", "index.html and summary.md") if status == 0 else ("failed", _ended(status))

    @property
    def _has_nothing(self) -> bool:
        return bool(self.no_gpu) and not self._rehearse

    @property
    def _skipped(self) -> Told:
        return "skipped", f"no NVIDIA GPU: {self.no_gpu}"

    def _measure(
        self,
        name: str,
        backends: str,
        precisions: str,
        size: str,
        limit_s: float,
        *options: str,
        device: str = "cuda:0",
    ) -> Told:
        """Measure cases in a run of their own and add them to the page."""
        if self._has_nothing:
            return self._skipped
        if self._drawing is not None:
            self._drawing.wait(120)
        reports, report = self._scratch / name, self._scratch / f"{name}.xml"
        before = len(self._results.records())
        self._results.follow(reports)
        device = "cpu" if self._rehearse else device
        chosen = ["--backend", backends, "--precision", precisions, "--imgsz", size, "--device", device, *options]
        # More threads change nothing on a GPU, and throughput starts a process for each.
        threads = str(min(4, len(os.sched_getaffinity(0))))
        fixed = ["--threads", threads, "--effort", "quick", "--report", str(reports)]
        status = self._pytest(["bench/", *chosen, *fixed], report, limit_s)
        self._results.refresh()
        self._results.add_tests(report)
        for log in sorted(reports.glob("latest/logs/*.log")):
            for line in log.read_text(errors="replace").splitlines()[-40:]:
                self._results.say(f"{log.stem}: {line}")
        records = self._results.records()[before:]
        if records:
            self._write_page()
        counts = Counter(record["outcome"] for record in records)
        reasons = [
            f"{record['case']['id']} {record['outcome']}: {_first_line(_text(record['reason']))}"
            for record in records
            if record["outcome"] != "measured"
        ]
        found = [", ".join(f"{number} {outcome}" for outcome, number in counts.items()) or "no record", *reasons]
        if status != 0:
            return "failed", "; ".join([_ended(status), *found])
        return "ran" if counts["measured"] else "skipped", "; ".join(found)

    def _write_page(self, reserve_s: float = _RESERVE_S) -> int | None:
        folder = self._scratch / "gpu-check"
        folder.mkdir(exist_ok=True)
        self._results.copy_run(folder)
        status = self._call(["-m", "benchsuite", "report", str(folder)], 30, reserve_s=reserve_s)
        if status == 0:
            self._results.take_page(folder)
        return status

    def _pytest(self, arguments: Sequence[str], report: Path, limit_s: float) -> int | None:
        plugins = ["-p", "no:cacheprovider", "-p", "pytest_benchmark.plugin"]
        written = [f"--basetemp={self._scratch / 'pytest'}", f"--junitxml={report}"]
        return self._call(["-m", "pytest", *plugins, *written, *arguments], limit_s)

    def _call(
        self,
        arguments: Sequence[str],
        limit_s: float,
        hear: Callable[[str], None] = lambda _: None,
        reserve_s: float = _RESERVE_S,
    ) -> int | None:
        """Call Python, say its lines and keep the folder up to date; None where its time, or the check's, was over."""

        def heard(line: str) -> None:
            self._results.say(line)
            self._results.refresh()
            hear(line)

        left_s = min(limit_s * self._patience, self._ends - time.monotonic() - reserve_s)
        return call([sys.executable, *arguments], self._variables, left_s, heard)


def wheel_names(text: str) -> list[str]:
    """Return the packages whose wheels are asked for."""
    return [_normal(match[0]) for line in text.splitlines() if (match := re.match(r"[A-Za-z0-9._-]+", line))]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _is_installed(distribution: str) -> bool:
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _ended(status: int | None) -> str:
    return "its time was over: --limit gives more" if status is None else f"it ended with status {status}: see log.txt"


def _text(sentence: Any) -> str:
    """Return a sentence of a record, which stands there with its parts where it has some."""
    return str(sentence["text"]) if isinstance(sentence, dict) else str(sentence)


def _first_line(text: str) -> str:
    return (text.splitlines() or ["no reason was recorded"])[0]


def main() -> int:
    """Take all steps and return 0 where all went well, 1 where something failed, 3 where nothing ran on a GPU."""
    parser = argparse.ArgumentParser(prog="run.sh", description=__doc__)
    parser.add_argument("wheels", type=Path, help="folder of the wheels that tests/gpu/wheels.txt names")
    parser.add_argument("out", type=Path, nargs="?", default=ROOT / "reports" / "gpu-check", help="folder to write to")
    parser.add_argument("--rehearse", action="store_true", help="measure on the CPU, to try the check itself")
    parser.add_argument("--limit", type=float, default=LIMIT_S, metavar="S", help=f"seconds for all steps [{LIMIT_S}]")
    given = parser.parse_args()
    # `timeout` sends it: what was started is ended, and what was written for a while removed.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    steps = ("install", "machine", "contract", "bench", "others", "compile", "vulkan", "figures", "page")
    results = Results(given.out.absolute(), steps)
    with tempfile.TemporaryDirectory(prefix="benchsuite-gpu-", ignore_cleanup_errors=True) as scratch:
        check = Check(results, given.wheels.absolute(), Path(scratch), given.rehearse, given.limit)
        try:
            for name in steps:
                check.take(name, getattr(check, name))
        finally:
            check.close()
    failed = [step.name for step in results.steps.values() if step.outcome == "failed"]
    gpu = f"no NVIDIA GPU: {check.no_gpu}" if check.no_gpu else "rehearsed on the CPU" if given.rehearse else ""
    ended = f"failed: {', '.join(failed)}" if failed else "all that ran went well"
    results.verdict = "; ".join(filter(None, (gpu, ended)))
    results.write_table()
    results.say()
    for line in results.table():
        results.say(line)
    results.close()
    return 1 if failed else NOTHING_ON_A_GPU if gpu else 0


if __name__ == "__main__":
    sys.exit(main())
