"""A stand-in for TensorRT 10 or 11 and a GPU, for logic that no TensorRT exercises where there is no GPU."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from enum import Enum, IntEnum
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchsuite.backends.cuda import Buffer

IMAGES, OUTPUT = (2, 3, 32, 32), (2, 84, 21)
PLAN = b"ftrt plan of the fake"
OTHER_VERSION = "The engine plan file is not compatible with this version of TensorRT"


class FakeCuda:
    """A device whose memory is arrays, and whose clock moves by 1000 ns a mark."""

    name = "fake"
    stream = 7

    def __init__(self) -> None:
        self.device: dict[int, Any] = {}
        self.done: list[str] = []
        self._marks: dict[int, int] = {}

    def buffer(self, shape: Sequence[int]) -> Buffer:
        pointer = 1 + len(self.device)
        self.device[pointer] = np.zeros(shape, np.float32)
        return Buffer(np.zeros(shape, np.float32), pointer)

    def copy_in(self, buffer: Buffer) -> None:
        self.done.append("in")
        self.device[buffer.pointer][...] = buffer.host

    def copy_out(self, buffer: Buffer) -> None:
        self.done.append("out")
        buffer.host[...] = self.device[buffer.pointer]

    def mark(self, number: int) -> None:
        self._marks[number] = 1000 * number * number

    def between_ns(self, first: int, second: int) -> int:
        return self._marks[second] - self._marks[first]

    def graph(self, work: Callable[[], None]) -> Callable[[], None]:
        self.done.append("capture")
        work()
        return lambda: (self.done.append("graph"), work())[0]

    def synchronize(self) -> None:
        self.done.append("wait")


class FakeEngine:
    """An engine with one input and one output; -1 in `images` makes the batch open, from 1 to 4 images."""

    num_io_tensors = 2

    def __init__(self, trt: FakeTensorrt) -> None:
        self._trt = trt

    def get_tensor_name(self, number: int) -> str:
        return ("images", "output0")[number]

    def get_tensor_mode(self, name: str) -> Any:
        return self._trt.TensorIOMode.INPUT if name == "images" else self._trt.TensorIOMode.OUTPUT

    def get_tensor_dtype(self, name: str) -> Any:
        return self._trt.dtype

    def get_tensor_shape(self, name: str) -> Sequence[int]:
        return self._trt.images if name == "images" else OUTPUT

    def get_tensor_profile_shape(self, name: str, profile: int) -> Any:
        return [(batch, 3, 32, 32) for batch in (1, 2, 4)]

    def create_execution_context(self) -> Any:
        return FakeContext(self._trt) if self._trt.memory_left else None

    def create_engine_inspector(self) -> Any:
        return SimpleNamespace(get_engine_information=lambda form: self._trt.information)


class FakeContext:
    """Writes the mean of the images into every number of the output."""

    def __init__(self, trt: FakeTensorrt) -> None:
        self._trt = trt
        self._addresses: dict[str, int] = {}

    def set_input_shape(self, name: str, shape: Sequence[int]) -> None:
        self._trt.input_shapes.append(tuple(shape))

    def get_tensor_shape(self, name: str) -> Sequence[int]:
        return OUTPUT

    def set_tensor_address(self, name: str, pointer: int) -> None:
        self._addresses[name] = pointer

    def execute_async_v3(self, stream: int) -> bool:
        device = self._trt.cuda.device
        self._trt.cuda.done.append(f"run on {stream}")
        device[self._addresses["output0"]][...] = device[self._addresses["images"]].mean()
        return self._trt.starts


class FakeTensorrt:
    """The module `tensorrt` as far as benchsuite uses it; `version` is 10 or 11, whose names and JSON differ."""

    class ILogger:
        Severity = Enum("Severity", ["INTERNAL_ERROR", "ERROR", "WARNING"])

        def __init__(self) -> None:
            pass

    DataType = Enum("DataType", ["FLOAT", "HALF"])
    TensorIOMode = Enum("TensorIOMode", ["INPUT", "OUTPUT"])
    LayerInformationFormat = Enum("LayerInformationFormat", ["ONELINE", "JSON"])
    ProfilingVerbosity = Enum("ProfilingVerbosity", ["LAYER_NAMES_ONLY", "DETAILED"])
    MemoryPoolType = Enum("MemoryPoolType", ["WORKSPACE"])

    class NetworkDefinitionCreationFlag(IntEnum):
        STRONGLY_TYPED = 1

    def __init__(self, version: int) -> None:
        self.__version__ = f"{version}.1.0"
        old = ["FP16", "BF16", "INT8"] if version == 10 else []
        self.BuilderFlag = Enum("BuilderFlag", ["TF32", *old])  # type: ignore[misc]
        self.cuda = FakeCuda()
        self.images: Sequence[int] = IMAGES
        self.dtype = self.DataType.FLOAT
        self.memory_left = True
        self.starts = True
        self.input_shapes: list[tuple[int, ...]] = []
        self.information = inspector_json(version, [("/model.0/conv/Conv", "FP32")])
        self.config = FakeConfig(self)
        self.plan: bytes | None = PLAN

    def Runtime(self, logger: Any) -> Any:  # noqa: N802
        return SimpleNamespace(deserialize_cuda_engine=lambda plan: self._load(plan, logger))

    def Builder(self, logger: Any) -> Any:  # noqa: N802
        return SimpleNamespace(
            create_network=lambda flags: SimpleNamespace(
                get_input=lambda number: SimpleNamespace(name="images", shape=(-1, 3, 32, 32))
            ),
            create_builder_config=lambda: self.config,
            create_optimization_profile=lambda: FakeProfile(),
            build_serialized_network=lambda network, config: self.plan,
        )

    def OnnxParser(self, network: Any, logger: Any) -> Any:  # noqa: N802
        return SimpleNamespace(parse_from_file=lambda path: True)

    def _load(self, plan: bytes, logger: Any) -> FakeEngine | None:
        if plan == PLAN:
            return FakeEngine(self)
        logger.log(self.ILogger.Severity.ERROR, f"{OTHER_VERSION}\nsecond line")
        return None


class FakeProfile:
    """Keeps the shapes that it is given."""

    def set_shape(self, name: str, least: Any, usual: Any, most: Any) -> None:
        self.shapes = (name, least, usual, most)


class FakeConfig:
    """Keeps what a build was asked for; a timing cache of `b"another GPU"` does not fit."""

    def __init__(self, trt: FakeTensorrt) -> None:
        self._trt = trt
        self.cleared: list[Any] = []
        self.pools: dict[Any, int] = {}
        self.profiles: list[FakeProfile] = []
        self.read: list[bytes] = []

    def clear_flag(self, flag: Any) -> None:
        self.cleared.append(flag)

    def set_memory_pool_limit(self, pool: Any, size_bytes: int) -> None:
        self.pools[pool] = size_bytes

    def add_optimization_profile(self, profile: FakeProfile) -> None:
        self.profiles.append(profile)

    def create_timing_cache(self, content: bytes) -> bytes:
        self.read.append(content)
        return content

    def set_timing_cache(self, cache: bytes, ignore_mismatch: bool) -> bool:
        return cache != b"another GPU" or ignore_mismatch

    def get_timing_cache(self) -> Any:
        return SimpleNamespace(serialize=lambda: self.read[-1] + b"+timings")


def inspector_json(version: int, layers: Sequence[tuple[str, str]]) -> str:
    """Write what the inspector of a TensorRT says of convolution layers, given by names and types."""
    return json.dumps(
        {
            "Layers": [_layer(version, name, kind) for name, kind in layers],
            **({"Bindings": ["images", "output0"]} if version == 10 else {"I/O Tensors": [{"Name": "images"}]}),
        }
    )


def _layer(version: int, name: str, kind: str) -> dict[str, Any]:
    if version == 10:
        tensor: dict[str, Any] = {
            "Name": "in",
            "Format/Datatype": f"Channel major {kind} format where channel % 4 == 0",
        }
    else:
        tensor = {"Name": "in", "Format": "CHANNEL_MAJOR", "DataType": kind}
    return {"Name": name, "LayerType": "CaskConvolution", "Inputs": [tensor], "Outputs": [tensor], "Metadata": ""}
