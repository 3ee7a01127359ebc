"""Files of JSON: read whole, or appended and read a line at a time."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar

from benchsuite.machine.files import cannot_write, write_whole
from benchsuite.terms.codec import faults, from_builtins, to_builtins
from benchsuite.terms.errors import RecordError, SchemaError
from benchsuite.terms.said import joined, said

T = TypeVar("T")
_TAKE_OUT = "take that line out to read the others"


def read_json(
    path: Path, kind: type[T], remedy: str, schema: int | None = None, passed_over: Collection[str] = ()
) -> T:
    """Read the one value that a file holds; keys that are `passed_over` are left out of it.

    Raises RecordError with one sentence: the file, what was found in it, and the remedy; or SchemaError where a
    `schema` is asked for and the file has another one.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RecordError(_cannot_read(path, _why_no_json(path, error), remedy)) from None
    if schema is not None:
        found = data.get("schema") if isinstance(data, dict) else None
        if found is None:
            raise SchemaError(joined("; ", (said("{1} is damaged: it names no schema", path), remedy)))
        if found != schema:
            raise SchemaError(said("{1} has schema {2}, this version reads schema {3}", path, found, schema), found)
    if isinstance(data, dict):
        data = {key: value for key, value in data.items() if key not in passed_over}
    try:
        return _fitted(data, kind)
    except Exception as error:  # cattrs raises groups of whatever its hooks met.
        damaged = said("its content is damaged: {1}", _first_fault(error))
        raise RecordError(_cannot_read(path, damaged, remedy)) from None


def write_json(path: Path, value: object) -> None:
    """Write a file that `read_json` reads, whole or not at all; raises UsageError where the disk refuses."""
    write_whole(path, json.dumps(to_builtins(value), indent=1) + "\n")


@dataclass(frozen=True)
class Lines(Generic[T]):
    """A file that holds one value a line.

    A line that holds none is told as `misfit`. `encode` and `decode` take the codec's place where a line holds more
    than the value.
    """

    path: Path
    kind: type[T]
    misfit: str
    encode: Callable[[T], Any] = to_builtins
    decode: Callable[[dict[str, Any]], T] | None = None

    def append(self, value: T) -> tuple[str, ...]:
        """Append one line, hand it to the disk before returning, and return what was noted.

        What a killed process left of its last line is cut off first, with a note. Raises RecordError where the disk
        refuses; the lines before it stay.
        """
        # No figure is NaN, and no other reader of JSON would take one.
        line = json.dumps(self.encode(value), separators=(",", ":"), allow_nan=False)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab+") as file:
                cut = _cut_unterminated(file)
                file.write(line.encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise RecordError(cannot_write(self.path, error)) from None
        return (said("{1}: cut off an unterminated last line of {2} characters", self.path, cut),) if cut else ()

    def read(self) -> tuple[tuple[T, ...], tuple[str, ...]]:
        """Return the values, and a note where an unterminated last line was dropped.

        Raises RecordError, or SchemaError where `decode` does, which names the first damaged line by its number.
        """
        try:
            *lines, rest = self.path.read_bytes().split(b"\n")
        except OSError as error:
            raise RecordError(said("cannot read {1}: {2}", self.path, _why_no_json(self.path, error))) from None
        dropped = said("{1}: dropped an unterminated last line of {2} characters", self.path, len(rest))
        return tuple(self._value(number, line) for number, line in enumerate(lines, 1)), (dropped,) if rest else ()

    def _value(self, number: int, line: bytes) -> T:
        place = said("{1}, line {2}", self.path, number)
        try:
            data = json.loads(line.decode(), parse_constant=_refuse)
            if not isinstance(data, dict):
                raise ValueError("an object was expected")
        except (ValueError, RecursionError):
            found = said("{1}: {2}", self.misfit, repr(line[:80].decode(errors="replace")))
            raise RecordError(_damaged(place, found)) from None
        try:
            return self.decode(data) if self.decode else _fitted(data, self.kind)
        except SchemaError as error:
            raise SchemaError(said("{1}: {2}", place, error.sentence), error.found) from None
        except RecordError as error:
            raise RecordError(_damaged(place, str(error))) from None
        except Exception as error:  # cattrs raises groups of whatever its hooks met.
            raise RecordError(_damaged(place, said("{1}: {2}", self.misfit, _first_fault(error)))) from None


def _fitted(data: Any, kind: type[T]) -> T:
    if is_dataclass(kind) and not isinstance(data, dict):
        raise TypeError("an object was expected")
    return from_builtins(data, kind)


def _cannot_read(path: Path, why: str, remedy: str) -> str:
    return said("cannot read {1}: {2}", path, joined("; ", (why, remedy)))


def _damaged(place: str, found: str) -> str:
    return said("{1}: {2}", place, joined("; ", (found, _TAKE_OUT)))


def _why_no_json(path: Path, error: Exception) -> str:
    if path.is_dir():
        return said("it is a folder")
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if isinstance(error, UnicodeDecodeError):
        return said("it is not UTF-8 text")
    return said("it is not JSON: {1}", error)


def _first_fault(error: Exception) -> str:
    first, *others = faults(error)
    return said("{1} and {2} more", first, len(others)) if others else first


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no figure")


def _cut_unterminated(file: BinaryIO) -> int:
    """Remove what a killed process left of its last line, and return how long that was."""
    end = file.seek(0, os.SEEK_END)
    if end == 0:
        return 0
    file.seek(end - 1)
    if file.read(1) == b"\n":
        return 0
    file.seek(0)
    whole = file.read().rfind(b"\n") + 1
    file.truncate(whole)
    return end - whole
