"""What BF16 gives for the float rest of an OpenVINO INT8 model: `python tests/speed/openvino_rest.py FP32 INT8`.

Both arguments are model.xml files (`benchsuite cache list` names the folders of built artifacts). FP32 and BF16 of the
one, and INT8 with its rest in FP32 and in BF16 of the other, take turns in random order; medians and ratios to FP32.
"""

from __future__ import annotations

import random
import sys
import time

import numpy as np

from benchsuite.backends.openvino.package import openvino
from benchsuite.machine.facts import usable_cores

ROUNDS = 30


def main() -> int:
    """Print milliseconds a call and the ratio to FP32."""
    fp32, int8 = sys.argv[1:3]
    core = openvino.Core()
    ways = {
        "fp32": (fp32, "f32"),
        "bf16": (fp32, "bf16"),
        "int8, rest fp32": (int8, "f32"),
        "int8, rest bf16": (int8, "bf16"),
    }
    requests = {}
    for name, (model, hint) in ways.items():
        settings = {
            "INFERENCE_NUM_THREADS": usable_cores(),
            "NUM_STREAMS": 1,
            "INFERENCE_PRECISION_HINT": hint,
            "ENABLE_CPU_PINNING": False,
        }
        requests[name] = core.compile_model(model, "CPU", settings).create_infer_request()
    shape = tuple(core.read_model(fp32).input(0).shape)
    images = np.random.default_rng(0).random(shape, np.float32)
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name in random.sample(list(ways), len(ways)):
            requests[name].infer([images])
            began = time.perf_counter()
            requests[name].infer([images])
            requests[name].infer([images])
            seconds[name].append((time.perf_counter() - began) / 2)
    for name, taken in seconds.items():
        ratio = np.median(np.array(taken) / np.array(seconds["fp32"]))
        print(f"{name:16} {np.median(taken) * 1e3:6.1f} ms  {ratio:.2f} x fp32")
    return 0


if __name__ == "__main__":
    sys.exit(main())
