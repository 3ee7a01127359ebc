"""A TensorRT engine, and what the ONNX file behind it asks for: all that is known of one that never ran."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchsuite.artifacts.recipe import Recipe
from benchsuite.backends.interface import Ran
from benchsuite.backends.onnx.loading import ONNX_PRECISIONS
from benchsuite.backends.tensorrt.engine_files import ACCOUNT_FILE, EngineAccount, write_account
from benchsuite.backends.tensorrt.flavours import (
    DEFAULT_LEVEL,
    ENGINE_FILE,
    TENSORRT,
    EngineOptions,
    Flavour,
    build_engine,
    installed_flavours,
)
from benchsuite.networks.onnx_macs import macs_by_node
from benchsuite.quantize.onnx_symmetric import read_qdq
from benchsuite.terms.absence import Absent

_TIMINGS_FILE = "timing.cache"
# Part of the artifact, and not of what the runtime loads.
BESIDE_ENGINE = (ACCOUNT_FILE, _TIMINGS_FILE)


def write_engine(recipe: Recipe, source: Path, folder: Path, timings: Path) -> None:
    """Build the engine of an ONNX file into a folder, and keep beside it what that file asks for.

    `timings` is a folder of timing caches, of which the one of this GPU and version is used and renewed.
    """
    import onnx

    (flavour,) = installed_flavours(recipe.tools)
    options = engine_options(recipe, flavour, timings)
    version = build_engine(flavour, source, folder / ENGINE_FILE, options)
    if options.timing_cache is not None:
        shutil.copyfile(options.timing_cache, folder / _TIMINGS_FILE)
    model = onnx.load(source)
    ran = replace(
        _int8_account(model) if recipe.precision == "int8" else _float_account(model),
        runtime=f"{flavour.name} {version}, built and not run",
        settings={"account": "of the ONNX file, strongly typed", "tf32": "off"},
    )
    write_account(folder, EngineAccount(flavour.name, ran, macs_by_node(model)))


def engine_options(recipe: Recipe, flavour: Flavour, timings: Path) -> EngineOptions:
    """Read what a recipe says of building; a rebuild times all tactics anew, or it would only repeat the first."""
    build = recipe.build
    batches = build.get("batches")
    least, usual, most = map(int, batches.split(",")) if batches else (0, 0, 0)
    timed = flavour == TENSORRT and "gpu" in build and "rebuild" not in build
    version = next((recipe.tools[name] for name in flavour.distributions if name in recipe.tools), "")
    parts = (flavour.module, version, build.get("gpu", ""), build.get("driver", ""))
    name = "-".join(parts).replace(" ", "_").replace("/", "_")
    return EngineOptions(
        level=int(build.get("level", DEFAULT_LEVEL)),
        workspace_bytes=int(build["workspace"]) if "workspace" in build else None,
        batches=(least, usual, most) if batches else None,
        timing_cache=timings / f"{name}.cache" if timed else None,
    )


def _float_account(model: Any) -> Ran:
    found = _float_convolutions(model)
    precision = found.most_common(1)[0][0]
    return Ran("", precision, precision, {f"Conv {name}": count for name, count in sorted(found.items())})


def _int8_account(model: Any) -> Ran:
    graph = read_qdq(model)
    found = Counter(int8=graph.integer_convolutions) + _float_convolutions(model)
    share = graph.int8_mac_share or Absent("no convolution stands between Q/DQ pairs")
    kernels = {f"Conv {name}": count for name, count in sorted(found.items())}
    return Ran("", "int8", "int8", kernels, {}, share)


def _float_convolutions(model: Any) -> Counter[str]:
    """Count the convolutions whose weights are stored as floats, by their precision."""
    types = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    return Counter(
        ONNX_PRECISIONS[types[node.input[1]]]
        for node in model.graph.node
        if node.op_type == "Conv" and node.input[1] in types
    )
