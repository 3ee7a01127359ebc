"""What TensorRT's engine inspector says of an engine's convolutions, in the JSON of 10.x and of 11.x."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchsuite.terms.absence import Absent
from benchsuite.terms.errors import SessionError
from benchsuite.terms.said import said

# 10.x tells a tensor's type at the end of a sentence on its layout; 11.x has a key of its own, in two spellings.
_TYPE_KEYS = ("DataType", "Datatype", "Format/Datatype")
_TYPES = {
    "int8": "int8",
    "fp16": "fp16",
    "half": "fp16",
    "bf16": "bf16",
    "bfloat16": "bf16",
    "fp32": "fp32",
    "float": "fp32",
    "fp8": "fp8",
}
_WORDS = re.compile(r"[A-Za-z]+\d*")
_ONNX_NODE = re.compile(r"\[ONNX Layer: ([^\]]+)\]")
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Inspected:
    """Convolutions by precision, and each precision's share of their multiply-adds; `layers` counts the engine's."""

    layers: int
    convolutions: Mapping[str, int]
    mac_shares: Mapping[str, float]

    @property
    def compute(self) -> str:
        """Return the precision of most multiply-adds."""
        return max(self.mac_shares, key=lambda name: self.mac_shares[name])

    @property
    def int8_mac_share(self) -> float | Absent:
        return self.mac_shares.get("int8") or Absent("the engine's inspector shows no convolution with INT8 weights")


def inspect(text: str, macs: Mapping[str, int]) -> Inspected:
    """Read the inspector's JSON; `macs` are the multiply-adds of each ONNX convolution by its node's name.

    TensorRT fuses and renames: a layer computes the nodes that its metadata lists, or else those that its name joins
    with ` + ` and ` || `. A convolution that no layer owns counts as of unknown precision. Raises SessionError for an
    engine that was built without details.
    """
    layers = json.loads(text)["Layers"]
    if any(isinstance(layer, str) for layer in layers):
        raise SessionError(said("the engine tells only its layers' names: build it with profiling verbosity DETAILED"))
    found: dict[str, str] = {}
    for layer in layers:
        for node in _nodes(layer):
            # A reformat that moves a convolution's input names it too, and computes nothing.
            if node in macs and not layer.get("LayerType", "").lower().startswith(("reformat", "constant", "signal")):
                found[node] = _precision(layer)
    counts = Counter(found.get(node, UNKNOWN) for node in macs)
    total = sum(macs.values())
    shares = {name: sum(it for node, it in macs.items() if found.get(node, UNKNOWN) == name) / total for name in counts}
    return Inspected(len(layers), dict(sorted(counts.items())), shares)


def _nodes(layer: Mapping[str, Any]) -> list[str]:
    listed = _ONNX_NODE.findall(str(layer.get("Metadata", "")))
    return listed or re.split(r" \+ | \|\| ", str(layer.get("Name", "")))


def _precision(layer: Mapping[str, Any]) -> str:
    """Return the precision of a layer's weights, or of its first input where it does not tell its weights."""
    weights = layer.get("Weights")
    if isinstance(weights, Mapping) and "Type" in weights:
        return _type(str(weights["Type"]))
    inputs = layer.get("Inputs") or [{}]
    return next((_type(str(inputs[0][key])) for key in _TYPE_KEYS if key in inputs[0]), UNKNOWN)


def _type(text: str) -> str:
    """Return the type that a text names: `Thirty-two wide channel vectorized row major Int8 format` is int8."""
    words = [word.lower() for word in _WORDS.findall(text)]
    return next((_TYPES[word] for word in reversed(words) if word in _TYPES), UNKNOWN)
