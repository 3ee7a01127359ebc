"""Child process that opens one session, as a worker does, for the contract tests: runtimes clash in one process."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchsuite.backends import backend
from benchsuite.backends.interface import RunPolicy, Session
from benchsuite.machine.processes import serve
from benchsuite.terms.cases import Case
from benchsuite.terms.codec import from_builtins, to_builtins

RUNTIMES = ("torch", "ultralytics", "onnx", "onnxruntime", "openvino", "openvino_telemetry", "nncf", "ncnn", "cv2")


class Child:
    """Holds the session between requests."""

    session: Session
    on_gpu = False

    def open(self, request: dict[str, Any]) -> dict[str, Any]:
        """Open the artifact; answer the runtimes that this loaded."""
        case = from_builtins(request["case"], Case)
        self.on_gpu = case.on_gpu
        self.session = backend(case.backend).open(Path(request["artifact"]), case, RunPolicy(case.threads))
        return {"loaded": [name for name in RUNTIMES if sys.modules.get(name) is not None]}

    def run(self, request: dict[str, Any]) -> dict[str, Any]:
        """Run each of the inputs in turn, then the first one again, and keep all outputs in one file."""
        inputs = np.load(request["inputs"])
        # On a GPU a session may write over its output in the next call, elsewhere it must not.
        outputs = [np.array(self.session.run(batch), copy=self.on_gpu or None) for batch in inputs]
        np.save(request["outputs"], np.stack([*outputs, self.session.run(inputs[0])]))
        return {"type": str(outputs[0].dtype)}

    def ran(self, _: dict[str, Any]) -> dict[str, Any]:
        """Answer the proof."""
        return {"ran": to_builtins(self.session.ran())}


if __name__ == "__main__":
    child = Child()
    serve({"open": child.open, "run": child.run, "ran": child.ran})
