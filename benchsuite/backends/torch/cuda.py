"""PyTorch on a GPU."""

from __future__ import annotations

from typing import Any

from benchsuite.backends.cuda import torch_without_cuda
from benchsuite.backends.interface import DeviceTimes, FloatArray, Ran
from benchsuite.backends.outputs import check_output
from benchsuite.backends.torch.account import account
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import SessionError
from benchsuite.terms.said import said


def open_on_gpu(model: Any, dtype: Any, case: Case) -> TorchCudaSession:
    """Move a network to the one visible GPU; FP32 is FP32 there, and not TF32. Raises SessionError."""
    import torch

    if not torch.cuda.is_available():
        raise SessionError(torch_without_cuda(torch))
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    # The input never changes its shape: the fastest convolution is looked for once, while warming up.
    torch.backends.cudnn.benchmark = True
    try:
        return TorchCudaSession(model.to("cuda"), dtype, case)
    except torch.cuda.OutOfMemoryError:
        raise SessionError(_no_memory(case)) from None


class TorchCudaSession:
    """A network in PyTorch on a GPU; `run` returns page-locked memory, which the next call overwrites."""

    def __init__(self, model: Any, dtype: Any, case: Case) -> None:
        import torch

        self._torch = torch
        self._model = model
        self._forward = torch.compile(model) if case.way == "compile" else model
        self._dtype = dtype
        self._case = case
        self._stream = torch.cuda.Stream()
        self._events = [torch.cuda.Event(enable_timing=True) for _ in range(4)]
        self._images = torch.empty((case.batch, 3, *case.imgsz.shape), pin_memory=True)
        # Known after the first call: running once to find out would add that call to the loading time.
        self._output: Any = None

    def run(self, batch: FloatArray) -> FloatArray:
        """Run one batch."""
        self._images.numpy()[...] = batch
        try:
            with self._torch.inference_mode(), self._torch.cuda.stream(self._stream):
                self._copy_out(self._compute(self._copy_in()))
        except self._torch.cuda.OutOfMemoryError:
            raise SessionError(_no_memory(self._case)) from None
        self._stream.synchronize()
        output: FloatArray = self._output.numpy()
        return output

    def run_marked(self, batch: FloatArray) -> DeviceTimes:
        """Run one batch and return the device's own times of its three parts."""
        self._images.numpy()[...] = batch
        first, copied, computed, last = self._events
        with self._torch.inference_mode(), self._torch.cuda.stream(self._stream):
            first.record(self._stream)
            images = self._copy_in()
            copied.record(self._stream)
            prediction = self._compute(images)
            computed.record(self._stream)
            self._copy_out(prediction)
            last.record(self._stream)
        self._stream.synchronize()
        parts = ((first, copied), (copied, computed), (computed, last))
        return DeviceTimes(*(round(start.elapsed_time(end) * 1e6) for start, end in parts))

    def ran(self) -> Ran:
        """Read the types, layouts and places of the weights, and PyTorch's switches."""
        torch = self._torch
        tf32 = torch.backends.cuda.matmul.allow_tf32 or torch.backends.cudnn.allow_tf32
        settings = {
            "tf32": "on" if tf32 else "off",
            "cuda": str(torch.version.cuda),
            "cudnn": str(torch.backends.cudnn.version()),
            "cudnn_benchmark": str(torch.backends.cudnn.benchmark),
            "stream": "its own",
            "host_memory": "page-locked",
        }
        return account(self._model, self._case, settings)

    def _copy_in(self) -> Any:
        return self._images.to("cuda", non_blocking=True)

    def _compute(self, images: Any) -> Any:
        prediction = self._forward(images.to(self._dtype, memory_format=self._torch.channels_last))[0]
        return prediction.float()

    def _copy_out(self, prediction: Any) -> None:
        if self._output is None:
            check_output(tuple(prediction.shape), self._case)
            self._output = self._torch.empty(tuple(prediction.shape), pin_memory=True)
        self._output.copy_(prediction, non_blocking=True)


def _no_memory(case: Case) -> str:
    return said(
        "the GPU has not enough free memory for {1}: end what else runs there, or use a smaller --batch or --imgsz",
        case.id,
    )
