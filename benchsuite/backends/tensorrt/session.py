"""A TensorRT engine on a GPU."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchsuite.backends.cuda import Buffer, Cuda
from benchsuite.backends.interface import DeviceTimes, FloatArray, Ran
from benchsuite.backends.outputs import check_output
from benchsuite.backends.tensorrt.engine_files import EngineAccount
from benchsuite.backends.tensorrt.flavours import ENGINE_FILE, first_of, load_engine, sides
from benchsuite.backends.tensorrt.inspector import inspect
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import SessionError
from benchsuite.terms.said import said

if TYPE_CHECKING:
    import tensorrt


def open_engine(trt: Any, account: EngineAccount, artifact: Path, case: Case, cuda: Cuda) -> TensorrtSession:
    """Load an artifact's engine onto the device of `cuda`, with buffers for the case's batch.

    Raises SessionError for an engine of another GPU or version, a batch outside its profile, or want of memory.
    """
    flavour = account.flavour
    messages: list[str] = []
    engine, runtime = load_engine(trt, flavour, artifact / ENGINE_FILE, messages)
    context = engine.create_execution_context()
    if context is None:
        raise SessionError(said("{1} could not make the engine ready to run: {2}", flavour.name, first_of(messages)))
    names = [engine.get_tensor_name(number) for number in range(engine.num_io_tensors)]
    (images,) = (name for name in names if engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT)
    output = next(name for name in names if name != images)
    for name in (images, output):
        if engine.get_tensor_dtype(name) != trt.DataType.FLOAT:
            raise SessionError(
                said("the engine's {1} is not FP32: build it from an ONNX file with FP32 in- and outputs", name)
            )
    shape = sides(engine.get_tensor_shape(images))
    if -1 in shape:
        shape = (case.batch, *shape[1:])
        _check_profile(engine, images, case.batch)
        context.set_input_shape(images, shape)
    if shape != (case.batch, 3, *case.imgsz.shape):
        raise SessionError(
            said("{1} asks for another input than the engine's {2}: build it for this case", case.id, shape)
        )
    out_shape = sides(context.get_tensor_shape(output))
    check_output(out_shape, case)
    buffers = cuda.buffer(shape), cuda.buffer(out_shape)
    for name, buffer in zip((images, output), buffers, strict=True):
        context.set_tensor_address(name, buffer.pointer)
    return TensorrtSession(trt, account, (context, engine, runtime), buffers, cuda, case.way == "cudagraph")


class TensorrtSession:
    """An engine that is ready to run; `run` returns the page-locked output, which the next call overwrites."""

    def __init__(
        self,
        trt: Any,
        account: EngineAccount,
        loaded: tuple[tensorrt.IExecutionContext, tensorrt.ICudaEngine, tensorrt.Runtime],
        buffers: tuple[Buffer, Buffer],
        cuda: Cuda,
        use_graph: bool,
    ) -> None:
        self._trt = trt
        self._flavour = account.flavour
        self._macs = account.macs
        # The context needs the engine, and the engine its runtime, as long as it lives.
        self._context, self._engine, self._runtime = loaded
        self._images, self._output = buffers
        self._cuda = cuda
        self._use_graph = use_graph
        self._launch: Callable[[], None] = self._first_launch if use_graph else self._enqueue

    def run(self, batch: FloatArray) -> FloatArray:
        """Run one batch."""
        self._images.host[...] = batch
        self._cuda.copy_in(self._images)
        self._launch()
        self._cuda.copy_out(self._output)
        self._cuda.synchronize()
        return self._output.host

    def run_marked(self, batch: FloatArray) -> DeviceTimes:
        """Run one batch and return the device's own times of its three parts."""
        self._images.host[...] = batch
        self._cuda.mark(0)
        self._cuda.copy_in(self._images)
        self._cuda.mark(1)
        self._launch()
        self._cuda.mark(2)
        self._cuda.copy_out(self._output)
        self._cuda.mark(3)
        self._cuda.synchronize()
        return DeviceTimes(*(self._cuda.between_ns(number, number + 1) for number in range(3)))

    def ran(self) -> Ran:
        """Read the engine's layers from its inspector."""
        inspector = self._engine.create_engine_inspector()
        inspector.execution_context = self._context
        found = inspect(inspector.get_engine_information(self._trt.LayerInformationFormat.JSON), self._macs)
        kernels = {f"Conv {name}": count for name, count in found.convolutions.items()}
        return Ran(
            runtime=f"{self._flavour.name} {self._trt.__version__}",
            compute=found.compute,
            storage=found.compute,
            kernels=kernels,
            settings={
                "account": "of the engine inspector",
                "layers": str(found.layers),
                "stream": "its own",
                "host_memory": "page-locked",
                "memory_by": self._cuda.name,
                "cuda_graph": "on" if self._use_graph else "off",
                "tf32": "off",
            },
            int8_mac_share=found.int8_mac_share,
        )

    def _enqueue(self) -> None:
        if not self._context.execute_async_v3(self._cuda.stream):
            raise SessionError(said("{1} did not start the engine", self._flavour.name))

    def _first_launch(self) -> None:
        # What TensorRT does once for a shape must not be captured.
        self._enqueue()
        self._cuda.synchronize()
        self._launch = self._cuda.graph(self._enqueue)


def _check_profile(engine: tensorrt.ICudaEngine, images: str, batch: int) -> None:
    least, _, most = (int(shape[0]) for shape in engine.get_tensor_profile_shape(images, 0))
    if not least <= batch <= most:
        raise SessionError(
            said(
                "the engine's profile takes {1} to {2} images a call, and batch {3} was asked for: use "
                "--trt-batches {4},{5},{6}",
                least,
                most,
                batch,
                min(least, batch),
                batch,
                max(most, batch),
            )
        )
