"""What is measured: one Case is one row of every table, and its id is the same everywhere."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
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
_REBUILD = re.compile(r"rebuild([1-9][0-9]{0,8})")
_ID = re.compile(
    r"(?P<model>[^-]+)-(?P<backend>[^-]+)-(?P<precision>[^-]+)-(?P<device>[^-]+)-(?P<imgsz>[^-]+)-b(?P<batch>[1-9][0-9]{0,8})"
    r"(?:-(?P<variant>.+))?"
)
# Of 255 bytes that file systems give a name, what a written file's own ending and the rest of an id leave to a model's.
_LONGEST_MODEL_BYTES = 210
_LONGEST_FILE_BYTES = 240


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

    @cached_property
    def id(self) -> str:
        """Return `<model>-<backend>-<precision>-<device>-<imgsz>-b<batch>[-<variant>]`."""
        parts = [self.model, self.backend, self.precision, self.device, str(self.imgsz), f"b{self.batch}"]
        return "-".join([*parts, self.variant] if self.variant else parts)

    @classmethod
    def parse(cls, text: str, threads: int = 1) -> Case:
        """Return the case of an id, which does not hold its threads; raises UsageError."""
        # Some keyboards and shells write accents as characters of their own.
        found = _ID.fullmatch(unicodedata.normalize("NFC", text))
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
    def file_name(self) -> str:
        """Return the id as files are named by it, before their endings."""
        return _within(self.id.replace(":", "_"), _LONGEST_FILE_BYTES)

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


def group_of(case: Case) -> str:
    """Return what tells apart the cases that must not be ranked against each other, but for their data."""
    return f"{case.model}, {case.imgsz} px, batch {case.batch}, {case.device}, {case.threads} threads, {case.head}"


def heading(case: Case) -> str:
    """Return what cases that may be compared have in common."""
    threads = counted(case.threads, "1 thread", "{1} threads")
    head = said("one-to-many head") if case.head == "one2many" else said("end2end head")
    return said("{1}, {2} px, batch {3}, {4}, {5}", case.model, case.imgsz, case.batch, threads, head)


def slug(stem: str) -> str:
    """Turn a file's stem into a model name that can stand in an id, where only `-` separates parts.

    Letters and digits of every script stay, in lower case. Where anything else that is not ASCII had to go, or the end
    of a very long name, a digest tells the name from others that would be left with the same.
    """
    text = unicodedata.normalize("NFC", unicodedata.normalize("NFC", stem).lower())
    name = "".join(character if _stays(character) else "_" for character in text)
    lost = any(not character.isascii() for character in text if not _stays(character))
    return _within(f"{name}_{_digest(text)}" if lost else name, _LONGEST_MODEL_BYTES)


def _stays(character: str) -> bool:
    """Say whether a character is a letter, a digit, a mark over one, `_` or `.`."""
    if character.isascii():
        return character.isalnum() or character in "_."
    # The marks that choose how a letter or a picture is drawn cannot be seen.
    drawing = "VARIATION SELECTOR" in unicodedata.name(character, "")
    return character.isalnum() or (unicodedata.category(character) in ("Mn", "Mc") and not drawing)


def _within(name: str, most_bytes: int) -> str:
    """Return a name, with a digest in place of its end where it is longer than that in UTF-8."""
    encoded = name.encode()
    if len(encoded) <= most_bytes:
        return name
    ending = f"_{_digest(name)}"
    return encoded[: most_bytes - len(ending)].decode(errors="ignore") + ending


def _digest(text: str) -> str:
    # A file's name need not be text: what is none stands as lone surrogates.
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:8]
