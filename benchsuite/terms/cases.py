"""What is measured: one Case is one row of every table, and its id is the same everywhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

from benchsuite.terms.errors import UsageError
from benchsuite.terms.input_size import InputSize
from benchsuite.terms.numbers import AtLeastOne
from benchsuite.terms.printable import short
from benchsuite.terms.said import counted, said

Precision = Literal["fp32", "fp16", "bf16", "int8"]
Head = Literal["one2many", "end2end"]

PRECISIONS: tuple[Precision, ...] = get_args(Precision)
PLAIN = "plain"
# Ways to run other than the plain one, as they stand in ids; each backend says which of them it has.
WAYS = ("compile", "trtep", "cudagraph")
_END2END = "end2end"
_REBUILD = re.compile(r"rebuild([1-9][0-9]{0,5})")
_ID = re.compile(
    r"(?P<model>[^-]+)-(?P<backend>[^-]+)-(?P<precision>[^-]+)-(?P<device>[^-]+)-(?P<imgsz>[^-]+)-b(?P<batch>[1-9][0-9]{0,5})"
    r"(?:-(?P<variant>.+))?"
)


@dataclass(frozen=True)
class Case:
    """One combination to measure.

    `way` is how it is run where that is not the plain one, `rebuild` which further build of the same engine it is (0
    for the first), `scheme` what a study compares: an INT8 scheme, or how it was calibrated.
    """

    model: str
    backend: str
    precision: Precision
    device: str
    imgsz: InputSize
    batch: AtLeastOne
    threads: AtLeastOne
    head: Head = "one2many"
    way: str = ""
    rebuild: int = 0
    scheme: str = ""

    @property
    def id(self) -> str:
        """Return `<model>-<backend>-<precision>-<device>-<imgsz>-b<batch>[-<variant>]`."""
        parts = [self.model, self.backend, self.precision, self.device, str(self.imgsz), f"b{self.batch}"]
        return "-".join([*parts, self.variant] if self.variant else parts)

    @classmethod
    def parse(cls, text: str, threads: int = 1) -> Case:
        """Return the case of an id, which does not hold its threads; raises UsageError."""
        found = _ID.fullmatch(text)
        precision = next((name for name in PRECISIONS if found and name == found["precision"]), None)
        try:
            imgsz = InputSize.parse(found["imgsz"]) if found else None
        except ValueError:
            imgsz = None
        if found is None or precision is None or imgsz is None:
            raise UsageError(
                f"{short(text)} is no id of a case: it must read model-backend-precision-device-imgsz-bBATCH, as in "
                "yolo26n-onnx-int8-cpu-640-b1; `benchsuite cases` prints the ids."
            )
        variant = Variant.parse(found["variant"] or "")
        return cls(
            found["model"], found["backend"], precision, found["device"], imgsz, int(found["batch"]), threads,
            variant.head, variant.way, variant.rebuild, variant.scheme,
        )  # fmt: skip

    @property
    def variant(self) -> str:
        """Return all that departs from the plain case, as ids end in it and files hold it; empty for the plain one."""
        return str(Variant(self.head, self.way, self.rebuild, self.scheme))

    @property
    def on_gpu(self) -> bool:
        return self.device.startswith("cuda")

    @property
    def row_name(self) -> str:
        """Return backend and precision as people say them: `onnx int8`, with the variant where there is one."""
        return f"{self.backend} {self.precision}" + (f" {self.variant}" if self.variant else "")


@dataclass(frozen=True)
class Variant:
    """The last part of an id: `end2end+cudagraph+rebuild2-qdq-u8s8` names each departure from the plain case."""

    head: Head = "one2many"
    way: str = ""
    rebuild: int = 0
    scheme: str = ""

    @classmethod
    def parse(cls, text: str) -> Variant:
        """Read a variant; what names no head, way or rebuild is a scheme."""
        first, _, rest = text.partition("-")
        words = first.split("+")
        if not all(word == _END2END or word in WAYS or _REBUILD.fullmatch(word) for word in words):
            return cls(scheme=text)
        return cls(
            head="end2end" if _END2END in words else "one2many",
            way=next((word for word in words if word in WAYS), ""),
            rebuild=next((int(found[1]) for word in words if (found := _REBUILD.fullmatch(word))), 0),
            scheme=rest,
        )

    def __str__(self) -> str:
        flags = (
            _END2END if self.head == "end2end" else "",
            self.way,
            f"rebuild{self.rebuild}" if self.rebuild else "",
        )
        return "-".join(filter(None, ("+".join(filter(None, flags)), self.scheme)))


def heading(case: Case) -> str:
    """Return what cases that may be compared have in common."""
    threads = counted(case.threads, "1 thread", "{1} threads")
    head = said("one2many head") if case.head == "one2many" else said("end2end head")
    return said("{1}, {2} px, batch {3}, {4}, {5}", case.model, case.imgsz, case.batch, threads, head)


def slug(stem: str) -> str:
    """Turn a file's stem into a model name that can stand in an id, where only `-` separates parts."""
    return re.sub(r"[^a-z0-9_.]", "_", stem.lower())
