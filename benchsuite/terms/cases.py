"""What is measured: one Case is one row of every table, and its id is the same everywhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from benchsuite.terms.quantities import counted

Backend = Literal["torch", "onnx", "openvino", "trt", "ncnn"]
Precision = Literal["fp32", "fp16", "bf16", "int8"]
Head = Literal["one2many", "end2end"]

BACKENDS: tuple[Backend, ...] = get_args(Backend)
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
PLAIN = "plain"
# Other ways to run a case than the plain one, and the backend that has each.
VARIANTS: Mapping[str, Backend] = {"compile": "torch", "trtep": "onnx", "cudagraph": "trt"}
_REBUILD = re.compile(r"rebuild(\d+)")


@dataclass(frozen=True)
class Case:
    """One combination to measure; `variant` names whatever departs from the plain one, parts joined by `+`."""

    model: str
    backend: Backend
    precision: Precision
    device: str
    imgsz: int
    batch: int
    threads: int
    head: Head = "one2many"
    variant: str = ""

    @property
    def id(self) -> str:
        """Return `<model>-<backend>-<precision>-<device>-<imgsz>-b<batch>[-<variant>]`."""
        parts = [self.model, self.backend, self.precision, self.device, str(self.imgsz), f"b{self.batch}"]
        return "-".join([*parts, self.variant] if self.variant else parts)

    def has(self, variant: str) -> bool:
        """Say whether the case departs from the plain one in this way."""
        return variant in self.variant.split("+")

    @property
    def rebuild(self) -> int:
        """Return which further build of the same engine this is; 0 for the first."""
        return next((int(found[1]) for part in self.variant.split("+") if (found := _REBUILD.fullmatch(part))), 0)

    @property
    def on_gpu(self) -> bool:
        return self.device.startswith("cuda")

    @property
    def scheme(self) -> str:
        """Return backend and precision as people say them: `onnx int8`, with the variant where there is one."""
        return f"{self.backend} {self.precision}" + (f" {self.variant}" if self.variant else "")


def variant_of(head: Head, way: str = PLAIN, rebuild: int = 0) -> str:
    """Return the variant of a case with this head, run in this way, of this further build of its engine."""
    parts = (
        "end2end" if head == "end2end" else "",
        "" if way == PLAIN else way,
        f"rebuild{rebuild}" if rebuild else "",
    )
    return "+".join(filter(None, parts))


def heading(case: Case) -> str:
    """Return what cases that may be compared have in common."""
    threads = counted(case.threads, "thread")
    return f"{case.model}, {case.imgsz} px, batch {case.batch}, {threads}, {case.head} head"


def slug(stem: str) -> str:
    """Turn a file's stem into a model name that can stand in an id, where only `-` separates parts."""
    return re.sub(r"[^a-z0-9_.]", "_", stem.lower())
