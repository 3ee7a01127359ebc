"""How an artifact is made; two equal recipes make the same artifact."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from benchsuite.backends.tools import NAMED_LATER
from benchsuite.terms.cases import Head
from benchsuite.terms.codec import to_builtins
from benchsuite.terms.input_size import InputSize


@dataclass(frozen=True)
class Calibration:
    """Which images set the quantisation ranges and how; `images_sha256` covers their bytes in order."""

    images_sha256: str
    size: int
    method: str


@dataclass(frozen=True)
class Recipe:
    """Everything that decides an artifact's bytes.

    `format` is torch, onnx, openvino, ncnn or trt; `precision` that of the stored weights (a BF16 row of OpenVINO
    loads an fp32 artifact), or "observed" for what calibration saw; `scheme` names a quantisation scheme, empty for
    none; `tools` maps each package and each step of benchsuite's own that takes part to its version; `build` holds
    what else decides the bytes: an open batch, and for an engine the GPU, its driver and the builder's options.
    """

    format: str
    precision: str
    weights_sha256: str
    head: Head
    imgsz: InputSize
    batch: int
    scheme: str = ""
    calibration: Calibration | None = None
    tools: Mapping[str, str] = field(default_factory=dict)
    build: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Return the first 16 hex digits of the SHA-256 over all fields in a fixed order.

        Left out are an empty `build`, and steps that are as they were before recipes named them.
        """
        fields = to_builtins(self)
        fields["tools"] = {name: text for name, text in self.tools.items() if NAMED_LATER.get(name) != text}
        if not self.build:
            # Recipes were written without it before there was a GPU.
            del fields["build"]
        text = json.dumps(fields, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def known_tools(self) -> Mapping[str, str]:
        """Return `tools` with the steps that the recipe is older than."""
        return {**NAMED_LATER, **self.tools}


@dataclass(frozen=True)
class Artifact:
    """The folder that a runtime loads; sha256 covers its files, bytes those of them that it loads."""

    recipe: Recipe
    folder: str
    sha256: str
    bytes: int
