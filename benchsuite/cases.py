"""What is measured: one Case is one row of every table, and its id is the same everywhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

Backend = Literal["torch", "onnx", "openvino", "trt", "ncnn"]
Precision = Literal["fp32", "fp16", "bf16", "int8"]
Head = Literal["one2many", "end2end"]

BACKENDS: tuple[Backend, ...] = get_args(Backend)
PRECISIONS: tuple[Precision, ...] = get_args(Precision)


@dataclass(frozen=True)
class Case:
    """One combination to measure; `variant` names whatever departs from the plain combination."""

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

    @property
    def scheme(self) -> str:
        """Return backend and precision as people say them: `onnx int8`, with the variant where there is one."""
        return f"{self.backend} {self.precision}" + (f" {self.variant}" if self.variant else "")


def head_variant(head: Head) -> str:
    """Return the variant of a case that departs from the plain one by nothing but its head."""
    return "end2end" if head == "end2end" else ""


def heading(case: Case) -> str:
    """Return what cases that may be compared have in common."""
    return f"{case.model}, {case.imgsz} px, batch {case.batch}, {case.threads} threads, {case.head} head"


def slug(stem: str) -> str:
    """Turn a file's stem into a model name that can stand in an id, where only `-` separates parts."""
    return re.sub(r"[^a-z0-9_.]", "_", stem.lower())
