"""A TensorRT engine, and what the ONNX file behind it asks for: all that is known of one that never ran."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchsuite.absence import Absent
from benchsuite.backends.interface import Ran
from benchsuite.backends.onnx import ONNX_PRECISIONS
from benchsuite.codec import from_builtins, to_builtins
from benchsuite.quantize.onnx_symmetric import read_qdq
from benchsuite.tensorrt_runtime import ENGINE_FILE, Flavour, build_engine

_PROOF_FILE = "proof.json"


def write_engine(flavour: Flavour, source: Path, folder: Path, precision: str) -> None:
    """Build the engine of an ONNX file into a folder, and keep beside it what that file asks for."""
    import onnx

    version = build_engine(flavour, source, folder / ENGINE_FILE)
    model = onnx.load(source)
    ran = replace(
        _int8_account(model) if precision == "int8" else _float_account(model),
        runtime=f"{flavour.name} {version}, built and not run",
        settings={"account": "of the ONNX file, strongly typed", "tf32": "off"},
    )
    (folder / _PROOF_FILE).write_text(json.dumps(to_builtins(ran), indent=1) + "\n")


def read_proof(folder: Path) -> Ran:
    """Return the account that `write_engine` kept."""
    return from_builtins(json.loads((folder / _PROOF_FILE).read_text()), Ran)


def _float_account(model: Any) -> Ran:
    types = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    found = Counter(ONNX_PRECISIONS[types[node.input[1]]] for node in model.graph.node if node.op_type == "Conv")
    precision = found.most_common(1)[0][0]
    return Ran("", precision, precision, {f"Conv {name}": count for name, count in sorted(found.items())})


def _int8_account(model: Any) -> Ran:
    graph = read_qdq(model)
    kernels = {"Conv fp32": graph.float_convolutions, "Conv int8": graph.integer_convolutions}
    share = graph.int8_mac_share or Absent("no convolution stands between Q/DQ pairs")
    return Ran("", "int8", "int8", kernels, {}, share)
