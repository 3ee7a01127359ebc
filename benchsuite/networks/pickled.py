"""What a PyTorch file pickles, read as data: nothing in it is run."""

from __future__ import annotations

import io
import pickletools
import zipfile
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

# The pickle holds a network's structure without its weights: 2 MB for the largest there is.
_LARGEST_BYTES = 32 << 20
_MOST_OPCODES = 1_000_000
# PyTorch compresses nothing.
_MOST_GROWTH = 20
_ENCRYPTED = 0x1
# The pickle that files of PyTorch before 1.6 begin with; those of protocol, system, object and keys follow.
_LEGACY_MARK = b"\x80\x02\x8a\n" + 0x1950A86A20F9469CFC6C.to_bytes(10, "little") + b"."
_DAMAGED = "it is damaged or no PyTorch checkpoint"
# What zipfile raises for a file that is cut, encrypted, altered or compressed by a method that there is not.
_UNREADABLE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError, NotImplementedError)
_TEXTS = ("SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE")
_PUTS, _GETS = ("MEMOIZE", "BINPUT", "LONG_BINPUT"), ("BINGET", "LONG_BINGET")


@dataclass(frozen=True)
class Pickled:
    """The classes that a pickle names, as `module name`, and which of them its outermost object is; empty for none."""

    classes: frozenset[str]
    outermost: str


def read_pickled(path: Path) -> Pickled | str:
    """Return what a .pt file pickles, or what is wrong with it in a few words."""
    if zipfile.is_zipfile(path):
        return _read_archive(path)
    try:
        with path.open("rb") as file:
            return _read_legacy(file)
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    except ValueError:
        return _DAMAGED


def _read_archive(path: Path) -> Pickled | str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if any(name.endswith("/constants.pkl") for name in names):
                return "it is a TorchScript archive, an export and no checkpoint"
            members = archive.infolist()
            if any(member.flag_bits & _ENCRYPTED for member in members):
                return "it is encrypted"
            packed_bytes, unpacked_bytes = path.stat().st_size, sum(member.file_size for member in members)
            if unpacked_bytes > _MOST_GROWTH * packed_bytes:
                return f"its {packed_bytes:,} bytes unpack to {unpacked_bytes:,}, as no network's do"
            info = archive.getinfo(next(name for name in names if name.endswith("data.pkl")))
            if info.file_size > _LARGEST_BYTES:
                return f"its pickle has {info.file_size:,} bytes, far more than any network needs"
            return _found(io.BytesIO(archive.read(info)))
    except (*_UNREADABLE, StopIteration):
        return _DAMAGED


def _read_legacy(file: IO[bytes]) -> Pickled | str:
    """Read the file of a PyTorch before 1.6: pickles one behind another, then the weights."""
    if file.read(len(_LEGACY_MARK)) != _LEGACY_MARK:
        return _DAMAGED
    _, _, found, _ = (_found(file) for _ in range(4))
    return found


def _found(pickle: IO[bytes]) -> Pickled:
    named = list(_classes(pickle))
    return Pickled(frozenset(name for name, _ in named), next((name for name, outermost in named if outermost), ""))


def _classes(pickle: IO[bytes]) -> Iterator[tuple[str, bool]]:
    """Yield each class that a pickle names, and whether it is what the pickle begins with."""
    # What was pushed last, empty for all that is no text: in newer pickles two texts name a class.
    pushed = deque(["", ""], maxlen=2)
    memo: dict[int, str] = {}
    begun = False
    for number, (opcode, argument, _) in enumerate(pickletools.genops(pickle)):
        if number > _MOST_OPCODES:
            raise ValueError("no checkpoint has so many parts")
        if opcode.name in _PUTS:
            memo[len(memo) if argument is None else argument] = pushed[-1]
            continue
        text = (
            str(argument) if opcode.name in _TEXTS else memo.get(int(argument or 0), "") if opcode.name in _GETS else ""
        )
        if opcode.name in ("GLOBAL", "INST"):
            yield str(argument), not begun
        elif opcode.name == "STACK_GLOBAL":
            yield " ".join(pushed), not begun
        begun = begun or not (text or opcode.name in ("PROTO", "FRAME"))
        pushed.append(text)
