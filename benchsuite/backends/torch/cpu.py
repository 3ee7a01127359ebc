"""PyTorch on the CPU."""

from __future__ import annotations

import os
from typing import Any

from benchsuite.backends.interface import FloatArray, Ran
from benchsuite.backends.outputs import check_output
from benchsuite.backends.torch.account import account
from benchsuite.terms.cases import Case


class TorchSession:
    """A network in PyTorch on the CPU."""

    def __init__(self, model: Any, dtype: Any, case: Case, flushes_denormals: bool) -> None:
        import torch

        self._flushes_denormals = flushes_denormals
        self._model = model
        self._forward = torch.compile(model) if case.way == "compile" else model
        self._dtype = dtype
        self._case = case
        # Known after the first call: running once to find out would add that call to the loading time.
        self._shape: Any = None
        self._inference_mode = torch.inference_mode
        self._from_numpy = torch.from_numpy
        self._layout = torch.channels_last

    def run(self, batch: FloatArray) -> FloatArray:
        """Run one batch."""
        with self._inference_mode():
            images = self._from_numpy(batch).to(self._dtype, memory_format=self._layout)
            prediction = self._forward(images)[0]
        if prediction.shape != self._shape:
            check_output(tuple(prediction.shape), self._case)
            self._shape = prediction.shape
        output: FloatArray = prediction.numpy()
        return output

    def ran(self) -> Ran:
        """Read the types and layouts of the weights, and PyTorch's switches."""
        import torch

        settings = {
            "threads": str(torch.get_num_threads()),
            "interop_threads": str(torch.get_num_interop_threads()),
            "mkldnn": str(torch.backends.mkldnn.is_available() and torch.backends.mkldnn.enabled),
            "float32_matmul_precision": torch.get_float32_matmul_precision(),
            "cpu_capability": torch.backends.cpu.get_cpu_capability(),
            "denormals_flushed": str(self._flushes_denormals),
            "wait_policy": os.environ.get("OMP_WAIT_POLICY", "OpenMP's default"),
        }
        return account(self._model, self._case, settings)
