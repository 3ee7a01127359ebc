"""TensorRT and TensorRT for RTX behind one interface: which of the two is here, and how either builds an engine.

Networks are strongly typed, which TensorRT 11 always is and 10.12 can be: precision is what the ONNX file says.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchsuite.machine.files import write_whole
from benchsuite.terms.errors import BuildError, SessionError
from benchsuite.terms.said import said

if TYPE_CHECKING:
    import tensorrt

ENGINE_FILE = "model.engine"
# The builder's own default.
DEFAULT_LEVEL = 3
# No plan starts like this: a length in 4 bytes, and then JSON.
_MOST_METADATA_BYTES = 1 << 20


@dataclass(frozen=True)
class Flavour:
    """One of the two TensorRTs; `distributions` are packages that bring its `module`."""

    name: str
    module: str
    distributions: tuple[str, ...]
    builds_without_gpu: bool


TENSORRT = Flavour("TensorRT", "tensorrt", ("tensorrt", "tensorrt-cu13", "tensorrt-cu12"), False)
RTX = Flavour("TensorRT for RTX", "tensorrt_rtx_bindings", ("tensorrt-rtx-cu13-bindings",), True)
FLAVOURS = (TENSORRT, RTX)


@dataclass(frozen=True)
class EngineOptions:
    """What decides an engine beside its ONNX file.

    `batches` are the least, the usual and the most images a call, for an ONNX file whose batch is open. The file
    `timing_cache` is read and renewed: any use of one asks a GPU.
    """

    level: int = DEFAULT_LEVEL
    workspace_bytes: int | None = None
    batches: tuple[int, int, int] | None = None
    timing_cache: Path | None = None


def installed_flavours(packages: Mapping[str, str]) -> tuple[Flavour, ...]:
    """Return the TensorRTs among installed packages, the one to prefer first."""
    return tuple(it for it in FLAVOURS if any(name in packages for name in it.distributions))


def load_tensorrt(flavour: Flavour) -> Any:
    """Import a TensorRT; raises BuildError where its libraries do not load."""
    try:
        return importlib.import_module(flavour.module)
    except (ImportError, OSError) as error:
        raise BuildError(said("{1} is installed and cannot be loaded: {2}", flavour.name, error)) from None


def build_engine(flavour: Flavour, source: Path, target: Path, options: EngineOptions | None = None) -> str:
    """Build the engine of an ONNX file and return the version that built it.

    Raises BuildError with the parser's or the builder's own message.
    """
    options = options or EngineOptions()
    trt = load_tensorrt(flavour)
    messages: list[str] = []
    logger = collecting_logger(trt, messages)
    builder: tensorrt.Builder | None = trt.Builder(logger)
    if builder is None:
        raise BuildError(said("{1} {2} has no builder here: {3}", flavour.name, trt.__version__, first_of(messages)))
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser: tensorrt.OnnxParser = trt.OnnxParser(network, logger)
    if not parser.parse_from_file(str(source)):
        raise BuildError(
            said("{1} {2} cannot read the ONNX file: {3}", flavour.name, trt.__version__, _rejection(parser))
        )
    config = builder.create_builder_config()
    # Else the inspector knows only the layers' names, and nothing could be proved.
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
    # On Ampere and newer GPUs "FP32" would be TF32 otherwise.
    config.clear_flag(trt.BuilderFlag.TF32)
    config.builder_optimization_level = options.level
    if options.workspace_bytes is not None:
        config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, options.workspace_bytes)
    if options.batches is not None:
        _add_profile(builder, network, config, options.batches)
    if options.timing_cache is not None:
        _use_timings(config, options.timing_cache)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise BuildError(said("{1} {2} built no engine: {3}", flavour.name, trt.__version__, first_of(messages)))
    target.write_bytes(memoryview(plan))
    if options.timing_cache is not None:
        write_whole(options.timing_cache, bytes(memoryview(config.get_timing_cache().serialize())))
    return str(trt.__version__)


def split_engine(content: bytes) -> tuple[Mapping[str, Any], bytes]:
    """Return what Ultralytics wrote before an engine's plan (empty where nothing is), and the plan.

    Its header is the length of a JSON text in four bytes, least first, and that text.
    """
    length = int.from_bytes(content[:4], "little")
    if 0 < length <= min(_MOST_METADATA_BYTES, len(content) - 4):
        try:
            metadata = json.loads(content[4 : 4 + length])
        except ValueError:
            return {}, content
        if isinstance(metadata, dict):
            return metadata, content[4 + length :]
    return {}, content


def load_engine(
    trt: Any, flavour: Flavour, path: Path, messages: list[str]
) -> tuple[tensorrt.ICudaEngine, tensorrt.Runtime]:
    """Return the engine that lies in a file, and the runtime that must outlive it.

    Raises SessionError with TensorRT's own message: an engine runs on the kind of GPU and the version that built it.
    """
    runtime: tensorrt.Runtime = trt.Runtime(collecting_logger(trt, messages))
    engine = runtime.deserialize_cuda_engine(split_engine(path.read_bytes())[1])
    if engine is None:
        raise SessionError(
            said(
                "{1} {2} cannot load the engine: {3}; an engine runs only on the kind of GPU and the version "
                "that built it: `benchsuite cache clean`, and build it here",
                flavour.name,
                trt.__version__,
                first_of(messages),
            )
        )
    return engine, runtime


def first_of(messages: list[str]) -> str:
    """Return the first message, which names the cause; what follows is about its consequences."""
    return messages[0] if messages else said("it gave no message")


def collecting_logger(trt: Any, messages: list[str]) -> Any:
    """Return a logger that appends the first line of each error to `messages`."""

    class Logger(trt.ILogger):  # type: ignore[misc]
        """Keeps errors; everything else is TensorRT talking to itself."""

        def __init__(self) -> None:
            trt.ILogger.__init__(self)

        def log(self, severity: Any, message: str) -> None:
            if severity in (trt.ILogger.Severity.ERROR, trt.ILogger.Severity.INTERNAL_ERROR):
                messages.append(message.splitlines()[0])

    return Logger()


def sides(shape: tensorrt.Dims) -> tuple[int, ...]:
    """Return the sides of a tensor."""
    return tuple(shape[number] for number in range(len(shape)))


def _rejection(parser: tensorrt.OnnxParser) -> str:
    """Return the parser's first error in one line, with the node that it is about."""
    if not parser.num_errors:
        return said("the parser gave no message")
    error = parser.get_error(0)
    # What follows is about a missing GPU, and where a check stands in the parser's own source helps nobody here.
    lines = [line.strip() for line in error.desc().splitlines() if line.strip()]
    text = re.sub(r"\s*In \w+ at \S+\)?", "", " ".join(lines[:2]))
    return said("node {1} ({2}): {3}", error.node_name(), error.node_operator(), text)


def _add_profile(
    builder: tensorrt.Builder,
    network: tensorrt.INetworkDefinition,
    config: tensorrt.IBuilderConfig,
    batches: tuple[int, int, int],
) -> None:
    images = network.get_input(0)
    profile = builder.create_optimization_profile()
    # Any sequence of sides is taken for Dims.
    shapes: list[Any] = [(batch, *sides(images.shape)[1:]) for batch in batches]
    profile.set_shape(images.name, *shapes)
    config.add_optimization_profile(profile)


def _use_timings(config: tensorrt.IBuilderConfig, path: Path) -> None:
    cache = config.create_timing_cache(path.read_bytes() if path.is_file() else b"")
    # Timings of another GPU or version are refused and not taken for this one's; a file that was cut short makes none.
    if cache is None or not config.set_timing_cache(cache, False):
        config.set_timing_cache(config.create_timing_cache(b""), False)
