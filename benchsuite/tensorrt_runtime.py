"""TensorRT and TensorRT for RTX behind one interface: which of the two is here, and how either builds an engine.

Networks are strongly typed, which TensorRT 11 always is and 10.12 can be: precision is what the ONNX file says.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchsuite.errors import BuildError

ENGINE_FILE = "model.engine"


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


def installed_flavours(packages: Mapping[str, str]) -> tuple[Flavour, ...]:
    """Return the TensorRTs among installed packages, the one to prefer first."""
    return tuple(it for it in FLAVOURS if any(name in packages for name in it.distributions))


def build_engine(flavour: Flavour, source: Path, target: Path) -> str:
    """Build the engine of an ONNX file whose shapes are fixed, and return the version that built it.

    Raises BuildError with the parser's or the builder's own message.
    """
    try:
        trt = importlib.import_module(flavour.module)
    except (ImportError, OSError) as error:
        raise BuildError(f"{flavour.name} is installed and cannot be loaded: {error}") from None
    messages: list[str] = []
    logger = _collecting_logger(trt, messages)
    builder = trt.Builder(logger)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse_from_file(str(source)):
        raise BuildError(f"{flavour.name} {trt.__version__} cannot read the ONNX file: {_rejection(parser)}")
    config = builder.create_builder_config()
    # Else the inspector knows only the layers' names, and nothing could be proved.
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
    # On Ampere and newer GPUs "FP32" would be TF32 otherwise.
    config.clear_flag(trt.BuilderFlag.TF32)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        why = messages[0] if messages else "it gave no message"
        raise BuildError(f"{flavour.name} {trt.__version__} built no engine: {why}")
    target.write_bytes(memoryview(plan))
    return str(trt.__version__)


def _rejection(parser: Any) -> str:
    """Return the parser's first error in one line, with the node that it is about."""
    if not parser.num_errors:
        return "the parser gave no message"
    error = parser.get_error(0)
    # What follows is about a missing GPU, and where a check stands in the parser's own source helps nobody here.
    lines = [line.strip() for line in error.desc().splitlines() if line.strip()]
    text = re.sub(r"\s*In \w+ at \S+\)?", "", " ".join(lines[:2]))
    return f"node {error.node_name()} ({error.node_operator()}): {text}"


def _collecting_logger(trt: Any, messages: list[str]) -> Any:
    class Logger(trt.ILogger):  # type: ignore[misc]
        """Keeps errors; everything else is TensorRT talking to itself."""

        def __init__(self) -> None:
            trt.ILogger.__init__(self)

        def log(self, severity: Any, message: str) -> None:
            if severity in (trt.ILogger.Severity.ERROR, trt.ILogger.Severity.INTERNAL_ERROR):
                messages.append(message.splitlines()[0])

    return Logger()
