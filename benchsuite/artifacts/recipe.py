"""How an artifact is made; two equal recipes make the same artifact."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from benchsuite.cases import Head


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
    none; `tools` maps each package that takes part to its version.
    """

    format: str
    precision: str
    weights_sha256: str
    head: Head
    imgsz: int
    batch: int
    scheme: str = ""
    calibration: Calibration | None = None
    tools: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Return the first 16 hex digits of the SHA-256 over all fields in a fixed order."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Artifact:
    """The folder that a runtime loads; sha256 and bytes cover its files, without the recipe beside them."""

    recipe: Recipe
    folder: str
    sha256: str
    bytes: int
