"""Measure what the harness adds: python tests/speed/overhead.py [launches]

First the median time of a call to a session that does nothing. Then p50 of ONNX Runtime FP32 as a worker measures it in
its turns, and as a bare loop does in the same ones: both processes are loaded, the one that has no turn is stopped, and
each begins its turn with a call that does not count. Prints the ratio with Student's 95 % interval over launches.
"""

from __future__ import annotations

import json
import math
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchsuite.measure.effort import ROTATING_INPUTS
from benchsuite.measure.launch import Launch, worker_environment
from benchsuite.measure.lock import measuring_lock
from benchsuite.measure.ranking import level_interval
from benchsuite.measure.sampling import Pipeline, timed_call
from benchsuite.measure.turns import TURN_NS
from benchsuite.networks.weights import BUNDLED
from benchsuite.options.chosen import Options
from benchsuite.options.settings import parse
from benchsuite.runs.preparation import Preparation
from benchsuite.runs.site import open_site
from benchsuite.terms.cases import Case
from benchsuite.terms.input_size import InputSize

ROUNDS = 8
# About.
CALL_NS = 50e6

# What somebody would write by hand: no benchsuite in this process but for the inputs' letterboxing.
BARE_LOOP = """
import json, sys, time
import numpy as np, onnxruntime as ort
model, inputs, threads = sys.argv[1], np.load(sys.argv[2]), int(sys.argv[3])
options = ort.SessionOptions()
options.intra_op_num_threads = threads
options.inter_op_num_threads = 1
options.add_session_config_entry("session.set_denormal_as_zero", "1")
session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
name = session.get_inputs()[0].name
batches = [np.ascontiguousarray(x[None]) for x in inputs]
calls = 0
for line in sys.stdin:
    session.run(None, {name: batches[calls % len(batches)]})
    times = []
    end = time.perf_counter_ns() + int(line)
    while time.perf_counter_ns() < end:
        batch = batches[calls % len(batches)]
        calls += 1
        start = time.perf_counter_ns()
        session.run(None, {name: batch})
        times.append(time.perf_counter_ns() - start)
    print(json.dumps(times), flush=True)
"""


def empty_call_ns() -> float:
    """Return the median time of a call that does nothing, as a turn clocks it."""
    nothing = Pipeline(lambda item: item, lambda batch: batch, lambda output, item: output)
    return statistics.median(timed_call(nothing, None, time.perf_counter_ns)[1] for _ in range(100_000))


class BareLoop:
    """The loop that somebody would write by hand, in a process that has turns like a worker."""

    def __init__(self, model: Path, inputs: Path, options: Options, folder: Path) -> None:
        environment = {**os.environ, **worker_environment(options.policy, folder, gpu="")}
        self._process = subprocess.Popen(
            [sys.executable, "-c", BARE_LOOP, str(model), str(inputs), str(options.threads)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip

    def turn(self) -> list[int]:
        """Return the durations of a turn's calls in ns."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.send_signal(signal.SIGCONT)
        self._process.stdin.write(f"{TURN_NS}\n")
        self._process.stdin.flush()
        found: list[int] = json.loads(self._process.stdout.readline())
        self._process.send_signal(signal.SIGSTOP)
        return found

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


def main() -> None:
    """Print both figures."""
    print(f"a session that does nothing: {empty_call_ns():.0f} ns a call (median)")
    launches = int(sys.argv[1]) if len(sys.argv) > 1 else 24
    options = parse({"effort": "quick"})
    case = Case(BUNDLED, "onnx", "fp32", "cpu", InputSize.square(640), 1, options.threads)
    with tempfile.TemporaryDirectory() as scratch, measuring_lock(print):
        folder = Path(scratch)
        setup = Preparation(replace(open_site(options, print)[0], folder=folder)).subject(case).setup
        inputs = folder / "inputs.npy"
        np.save(inputs, np.concatenate([_letterboxed(path) for path in setup.images[:ROTATING_INPUTS]]))
        (model,) = Path(setup.artifact.folder).glob("*.onnx")
        logs = []
        for number in range(launches):
            worker, bare = Launch(case, setup, options.policy), BareLoop(model, inputs, options, folder)
            worker.open()
            worker.turn(TURN_NS, 3, 1, CALL_NS)
            worker.pause()
            bare.turn()
            rounds = []
            for _ in range(ROUNDS):
                medians = [0.0, 0.0]
                for arm in np.random.default_rng(number).permutation(2):
                    medians[arm] = _inference_ns(worker) if arm == 0 else statistics.median(bare.turn())
                rounds.append(math.log(medians[0] / medians[1]))
            worker.kill()
            bare.kill()
            logs.append(statistics.median(rounds))
            print(f"{number + 1:3}  ratio {math.exp(logs[-1]):.4f}", flush=True)
        low, high = level_interval([math.exp(log) for log in logs])
        mean = math.exp(statistics.fmean(logs))
        print(f"ratio worker / bare loop: {mean:.4f}, 95 % interval over {launches} launches {low:.4f} to {high:.4f}")


def _inference_ns(worker: Launch) -> float:
    worker.resume()
    turned = worker.turn(TURN_NS, 3, 1, CALL_NS)
    worker.pause()
    return statistics.median(row[1] for row in turned.ns)


def _letterboxed(path: Path) -> np.ndarray:
    from benchsuite.data.images import read_image
    from benchsuite.data.letterbox import preprocess

    return preprocess([read_image(path)], InputSize.square(640))[0]


if __name__ == "__main__":
    main()
