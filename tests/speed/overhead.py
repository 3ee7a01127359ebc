"""Measure what the harness adds: python tests/speed/overhead.py [launches]

First the median time of a call to a session that does nothing. Then, interleaved launch by launch, p50 of ONNX
Runtime FP32 as a worker measures it and as a bare loop in a fresh process measures it, with the same session
options and inputs; prints the ratio with a distribution-free 95 % interval of its median.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchsuite.measure.effort import EFFORTS, ROTATING_INPUTS
from benchsuite.measure.launch import Launch, WorkerSetup, worker_environment
from benchsuite.measure.sampling import Pipeline, sample
from benchsuite.measure.statistics import median_interval
from benchsuite.networks.weights import BUNDLED
from benchsuite.options.chosen import Options
from benchsuite.options.settings import parse
from benchsuite.runs.preparation import Preparation
from benchsuite.runs.runner import Runner
from benchsuite.runs.site import open_site
from benchsuite.terms.cases import Case
from benchsuite.terms.input_size import InputSize

EFFORT = EFFORTS["quick"]

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
for i in range(20):
    session.run(None, {name: batches[i % len(batches)]})
times = []
end = time.perf_counter_ns() + 3_000_000_000
while time.perf_counter_ns() < end:
    batch = batches[len(times) % len(batches)]
    start = time.perf_counter_ns()
    session.run(None, {name: batch})
    times.append(time.perf_counter_ns() - start)
print(json.dumps(float(np.median(times))))
"""


def empty_call_ns() -> float:
    """Return the median time of a call that does nothing, as the sampling loop clocks it."""
    nothing = Pipeline(lambda item: item, lambda batch: batch, lambda output, item: output)
    return float(np.median(sample(nothing, [None], EFFORT).ns[:, 1]))


def main() -> None:
    """Print both figures."""
    print(f"a session that does nothing: {empty_call_ns():.0f} ns a call (median)")
    launches = int(sys.argv[1]) if len(sys.argv) > 1 else 24
    options = parse({"effort": "quick"})
    case = Case(BUNDLED, "onnx", "fp32", "cpu", InputSize.square(640), 1, options.threads)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        runner = Runner(Preparation(replace(open_site(options, print)[0], folder=folder)))
        setup = runner.case_run(case).subject.setup
        runner.abandon_open()
        inputs = folder / "inputs.npy"
        np.save(inputs, np.concatenate([_letterboxed(path) for path in setup.images[:ROTATING_INPUTS]]))
        (model,) = Path(setup.artifact.folder).glob("*.onnx")
        ratios, order = [], np.random.default_rng(0)
        for number in range(launches):
            arms = [
                lambda: _worker_p50(case, setup, options, folder),
                lambda: _bare_p50(model, inputs, options, folder),
            ]
            p50 = [0.0, 0.0]
            for arm in order.permutation(2):
                p50[arm] = arms[arm]()
            worker, bare = p50
            ratios.append(worker / bare)
            print(f"{number + 1:3}  worker {worker / 1e6:7.3f} ms  bare {bare / 1e6:7.3f} ms  ratio {ratios[-1]:.4f}")
        interval = median_interval(np.sort(np.array(ratios)))
        print(f"ratio worker / bare: median {statistics.median(ratios):.4f}, 95 % interval {interval}")


def _letterboxed(path: Path) -> np.ndarray:
    from benchsuite.data.images import read_image
    from benchsuite.data.letterbox import preprocess

    return preprocess([read_image(path)], InputSize.square(640))[0]


def _worker_p50(case: Case, setup: WorkerSetup, options: Options, folder: Path) -> float:
    launch = Launch(case, setup, options.policy)
    try:
        launch.open()
        launch.sample(EFFORT, folder / "samples.npy")
    finally:
        launch.close()
    return float(np.median(np.load(folder / "samples.npy")[:, 1]))


def _bare_p50(model: Path, inputs: Path, options: Options, folder: Path) -> float:
    import os

    environment = {**os.environ, **worker_environment(options.policy, folder, gpu="")}
    command = [sys.executable, "-c", BARE_LOOP, str(model), str(inputs), str(options.threads)]
    found = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return float(json.loads(found.stdout))


if __name__ == "__main__":
    main()
