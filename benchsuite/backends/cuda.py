"""Memory, copies, clocks and graphs of one CUDA device, through cuda-python or PyTorch, whichever is installed."""

from __future__ import annotations

import ctypes
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from benchsuite.terms.errors import SessionError
from benchsuite.terms.said import said

# <cuda_runtime_api.h>: only these two are asked for by number.
_OUT_OF_MEMORY, _DRIVER_TOO_OLD = 2, 35
_HINTS = {
    _OUT_OF_MEMORY: said(
        "the GPU has not enough free memory: end what else runs there, or use a smaller --batch or --imgsz"
    ),
    100: said("CUDA sees no device: check CUDA_VISIBLE_DEVICES and what nvidia-smi lists"),
}


@dataclass(frozen=True)
class Buffer:
    """The same array twice: page-locked on the host, and on the device at `pointer`; `owner` keeps both alive."""

    host: npt.NDArray[np.float32]
    pointer: int
    owner: Any = None


class Cuda(Protocol):
    """One stream of one device, which is never the default stream: TensorRT would add synchronisation there."""

    name: str

    @property
    def stream(self) -> int:
        """Return the stream's handle."""
        ...

    def buffer(self, shape: Sequence[int]) -> Buffer:
        """Reserve float32 memory on host and device."""
        ...

    def copy_in(self, buffer: Buffer) -> None:
        """Start copying to the device."""
        ...

    def copy_out(self, buffer: Buffer) -> None:
        """Start copying to the host."""
        ...

    def mark(self, number: int) -> None:
        """Note the time on the device when everything before it has ended; `number` is 0 to 3."""
        ...

    def between_ns(self, first: int, second: int) -> int:
        """Return the time between two marks that have been reached."""
        ...

    def graph(self, work: Callable[[], None]) -> Callable[[], None]:
        """Capture what `work` puts on the stream, and return what launches that again."""
        ...

    def synchronize(self) -> None:
        """Wait for everything on the stream."""
        ...


def open_cuda(spin: bool) -> Cuda:
    """Return the first visible device; waiting for it keeps a core busy if `spin`. Raises SessionError."""
    if importlib.util.find_spec("cuda") and importlib.util.find_spec("cuda.bindings"):
        return CudaPython(spin)
    if importlib.util.find_spec("torch"):
        return CudaTorch()
    raise SessionError(
        said("running on a GPU needs cuda-python or torch, and neither is installed: pip install cuda-python")
    )


class CudaPython:
    """The CUDA runtime through cuda-python."""

    name = "cuda-python"

    def __init__(self, spin: bool) -> None:
        from cuda.bindings import runtime

        self._cuda = runtime
        # The default waits as it sees fit; waits that differ would make two machines' figures differ.
        flag = runtime.cudaDeviceScheduleSpin if spin else runtime.cudaDeviceScheduleBlockingSync
        self._check(runtime.cudaSetDeviceFlags(flag))
        self._check(runtime.cudaSetDevice(0))
        self._stream = self._check(runtime.cudaStreamCreateWithFlags(runtime.cudaStreamNonBlocking))
        self._events = [self._check(runtime.cudaEventCreate()) for _ in range(4)]

    @property
    def stream(self) -> int:
        return int(self._stream)

    def buffer(self, shape: Sequence[int]) -> Buffer:
        size_bytes = int(np.prod(shape)) * 4
        address = self._check(self._cuda.cudaHostAlloc(size_bytes, self._cuda.cudaHostAllocDefault))
        pointer = self._check(self._cuda.cudaMalloc(size_bytes))
        there = (ctypes.c_float * (size_bytes // 4)).from_address(int(address))
        return Buffer(np.ctypeslib.as_array(there).reshape(shape), int(pointer), there)

    def copy_in(self, buffer: Buffer) -> None:
        self._copy(buffer.pointer, buffer.host.ctypes.data, buffer, self._cuda.cudaMemcpyKind.cudaMemcpyHostToDevice)

    def copy_out(self, buffer: Buffer) -> None:
        self._copy(buffer.host.ctypes.data, buffer.pointer, buffer, self._cuda.cudaMemcpyKind.cudaMemcpyDeviceToHost)

    def mark(self, number: int) -> None:
        self._check(self._cuda.cudaEventRecord(self._events[number], self._stream))

    def between_ns(self, first: int, second: int) -> int:
        ms: float = self._check(self._cuda.cudaEventElapsedTime(self._events[first], self._events[second]))
        return round(ms * 1e6)

    def graph(self, work: Callable[[], None]) -> Callable[[], None]:
        mode = self._cuda.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        self._check(self._cuda.cudaStreamBeginCapture(self._stream, mode))
        work()
        captured = self._check(self._cuda.cudaStreamEndCapture(self._stream))
        ready = self._check(self._cuda.cudaGraphInstantiate(captured, 0))
        return lambda: self._check(self._cuda.cudaGraphLaunch(ready, self._stream))

    def synchronize(self) -> None:
        self._check(self._cuda.cudaStreamSynchronize(self._stream))

    def _copy(self, target: int, source: int, buffer: Buffer, kind: Any) -> None:
        self._check(self._cuda.cudaMemcpyAsync(target, source, buffer.host.nbytes, kind, self._stream))

    def _check(self, answer: tuple[Any, ...]) -> Any:
        """Return what a call answered beside its error code; raises SessionError for any code but success."""
        code = int(answer[0])
        if code:
            raise SessionError(self._sentence(code))
        return answer[1] if len(answer) > 1 else None

    def _sentence(self, code: int) -> str:
        if code == _DRIVER_TOO_OLD:
            driver, runtime = (
                call()[1] for call in (self._cuda.cudaDriverGetVersion, self._cuda.cudaRuntimeGetVersion)
            )
            return driver_too_old(driver, runtime)
        hint = _HINTS.get(code)
        name = self._cuda.cudaGetErrorName(self._cuda.cudaError_t(code))[1].decode()
        return said("{1}: {2}", name, hint) if hint else said("CUDA stopped with {1} (error {2})", name, code)


class CudaTorch:
    """The CUDA runtime through PyTorch."""

    name = "torch"

    def __init__(self) -> None:
        import torch

        self._torch = torch
        if not torch.cuda.is_available():
            raise SessionError(torch_without_cuda(torch))
        self._stream = torch.cuda.Stream()
        self._events = [torch.cuda.Event(enable_timing=True) for _ in range(4)]

    @property
    def stream(self) -> int:
        return int(self._stream.cuda_stream)

    def buffer(self, shape: Sequence[int]) -> Buffer:
        try:
            device = self._torch.empty(tuple(shape), dtype=self._torch.float32, device="cuda")
        except self._torch.cuda.OutOfMemoryError:
            raise SessionError(_HINTS[_OUT_OF_MEMORY]) from None
        host = self._torch.empty(tuple(shape), dtype=self._torch.float32, pin_memory=True)
        return Buffer(host.numpy(), device.data_ptr(), (host, device))

    def copy_in(self, buffer: Buffer) -> None:
        host, device = buffer.owner
        with self._torch.cuda.stream(self._stream):
            device.copy_(host, non_blocking=True)

    def copy_out(self, buffer: Buffer) -> None:
        host, device = buffer.owner
        with self._torch.cuda.stream(self._stream):
            host.copy_(device, non_blocking=True)

    def mark(self, number: int) -> None:
        self._events[number].record(self._stream)

    def between_ns(self, first: int, second: int) -> int:
        ms: float = self._events[first].elapsed_time(self._events[second])
        return round(ms * 1e6)

    def graph(self, work: Callable[[], None]) -> Callable[[], None]:
        captured = self._torch.cuda.CUDAGraph()
        with self._torch.cuda.graph(captured, stream=self._stream):
            work()

        def launch() -> None:
            with self._torch.cuda.stream(self._stream):
                captured.replay()

        return launch

    def synchronize(self) -> None:
        self._stream.synchronize()


def driver_too_old(driver: int, runtime: int) -> str:
    """Say that a driver is too old for this CUDA runtime; versions as CUDA has them: 13050 for 13.5, 0 for none."""
    if driver == 0:
        return said("no NVIDIA driver is loaded, and running on a GPU needs one: nvidia-smi must list the GPU")
    return said(
        "the NVIDIA driver supports CUDA {1}, and the installed runtime is CUDA {2}: update the "
        "driver, or install packages for CUDA {3}",
        _version(driver),
        _version(runtime),
        driver // 1000,
    )


def torch_without_cuda(torch: Any) -> str:
    """Say why PyTorch sees no GPU."""
    if torch.version.cuda is None:
        return said("torch {1} is a build without CUDA: install one with it, or use --device cpu", torch.__version__)
    return said(
        "torch {1} (CUDA {2}) finds no usable GPU: the driver is missing or too old for this CUDA; "
        "see what nvidia-smi says",
        torch.__version__,
        torch.version.cuda,
    )


def _version(number: int) -> str:
    return f"{number // 1000}.{number % 1000 // 10}"
