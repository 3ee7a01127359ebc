"""Where an ONNX detector's time goes, in milliseconds a call by kernel: `python tests/speed/onnx_kernels.py A.onnx …`.

Profiling lengthens calls, so compare shares; one thread, so that kernels do not overlap. `benchsuite cache list` names
the folders of built artifacts, and --quant-scheme qdq-u8s8-silu8 builds the one with SiLU in integers.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import onnxruntime

CALLS = 12
SHOWN = 8


def milliseconds_by_kernel(model: str) -> Counter[str]:
    """Run the model on noise and add up what the runtime's profile says of each kind of kernel."""
    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "profile")
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        images = session.get_inputs()[0]
        values = np.random.default_rng(0).random(images.shape, np.float32)
        for _ in range(CALLS):
            session.run(None, {images.name: values})
        events = json.loads(Path(session.end_profiling()).read_text())
    found: Counter[str] = Counter()
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            found[event["args"]["op_name"]] += event["dur"] / 1000 / CALLS
    return found


def main() -> int:
    """Print the longest kernels of each model."""
    for model in sys.argv[1:]:
        found = milliseconds_by_kernel(model)
        kernels = ", ".join(f"{kind} {ms:.2f}" for kind, ms in found.most_common(SHOWN))
        print(f"{model}: {found.total():.1f} ms in all: {kernels}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
