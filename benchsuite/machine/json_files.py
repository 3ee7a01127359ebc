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
        raise RecordError(f"cannot read {path}: {_why_no_json(path, error)}; {remedy}") from None
    if schema is not None:
        found = data.get("schema") if isinstance(data, dict) else None
        if found is None:
            raise SchemaError(f"{path} is damaged: it names no schema; {remedy}")
        if found != schema:
            raise SchemaError(f"{path} has schema {found}, this version reads schema {schema}", found)
    if isinstance(data, dict):
        data = {key: value for key, value in data.items() if key not in passed_over}
    try:
        return _fitted(data, kind)
    except Exception as error:  # cattrs raises groups of whatever its hooks met.
        raise RecordError(f"cannot read {path}: its content is damaged: {_first_fault(error)}; {remedy}") from None


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
        return (f"{self.path}: cut off an unterminated last line of {cut} characters",) if cut else ()

    def read(self) -> tuple[tuple[T, ...], tuple[str, ...]]:
        """Return the values, and a note where an unterminated last line was dropped.

        Raises RecordError, or SchemaError where `decode` does, which names the first damaged line by its number.
        """
        try:
            *lines, rest = self.path.read_bytes().split(b"\n")
        except OSError as error:
            raise RecordError(f"cannot read {self.path}: {_why_no_json(self.path, error)}") from None
        notes = (f"{self.path}: dropped an unterminated last line of {len(rest)} characters",) if rest else ()
        return tuple(self._value(number, line) for number, line in enumerate(lines, 1)), notes

    def _value(self, number: int, line: bytes) -> T:
        place = f"{self.path}, line {number}"
        try:
            data = json.loads(line.decode(), parse_constant=_refuse)
            if not isinstance(data, dict):
                raise ValueError("an object was expected")
        except (ValueError, RecursionError):
            found = f"{self.misfit}: {line[:80].decode(errors='replace')!r}"
            raise RecordError(f"{place}: {found}; {_TAKE_OUT}") from None
        try:
            return self.decode(data) if self.decode else _fitted(data, self.kind)
        except SchemaError as error:
            raise SchemaError(f"{place}: {error.sentence}", error.found) from None
        except RecordError as error:
            raise RecordError(f"{place}: {error}; {_TAKE_OUT}") from None
        except Exception as error:  # cattrs raises groups of whatever its hooks met.
            raise RecordError(f"{place}: {self.misfit}: {_first_fault(error)}; {_TAKE_OUT}") from None


def _fitted(data: Any, kind: type[T]) -> T:
    if is_dataclass(kind) and not isinstance(data, dict):
        raise TypeError("an object was expected")
    return from_builtins(data, kind)


def _why_no_json(path: Path, error: Exception) -> str:
    if path.is_dir():
        return "it is a folder"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8 text"
    return f"it is not JSON: {error}"


def _first_fault(error: Exception) -> str:
    first, *others = faults(error)
    return f"{first} and {len(others)} more" if others else first


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
