"""Files of JSON: read whole, or appended and read a line at a time."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar

from benchsuite.machine.files import cannot_write, write_whole
from benchsuite.machine.garbage import uncollected
from benchsuite.terms.codec import faults, from_builtins, to_builtins
from benchsuite.terms.errors import PassingError, RecordError, SchemaError
from benchsuite.terms.printable import excerpt
from benchsuite.terms.reading import decoded, is_passing, read_regular, refuse_deep, why
from benchsuite.terms.said import joined, said

T = TypeVar("T")
_TAKE_OUT = "take that line out to read the others"
# Longer integers are read as floats, which are too large for any place.
_MOST_DIGITS = 30
_BLOCK_BYTES = 1 << 16


def read_json(path: Path, kind: type[T], remedy: str, schema: int | None = None) -> T:
    """Read the one value that a file holds.

    Raises RecordError with one sentence: the file, what was found in it, and the remedy; PassingError where the file
    may be whole; or SchemaError where a `schema` is asked for and the file has another one.
    """
    try:
        data = _parsed(read_regular(path))
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        raise _unread(path, error, remedy) from None
    if schema is not None:
        found = data.get("schema") if isinstance(data, dict) else None
        if found is None:
            raise SchemaError(joined("; ", (said("{1} is damaged: it names no schema", path), remedy)))
        if found != schema or isinstance(found, bool):
            shown = excerpt(found)
            raise SchemaError(said("{1} has schema {2}, this version reads schema {3}", path, shown, schema), shown)
    return _structured(path, data, kind, remedy)


def _structured(path: Path, data: Any, kind: type[T], remedy: str) -> T:
    """Return the value of a kind that a file's JSON stands for; raises RecordError."""
    try:
        return _fitted(data, kind)
    except Exception as error:  # cattrs raises groups of whatever its hooks met.
        damaged = said("its content is damaged: {1}", _first_fault(error))
        raise RecordError(_cannot_read(path, damaged, remedy)) from None


def write_json(path: Path, value: object) -> None:
    """Write a file that `read_json` reads, whole or not at all; raises UsageError where the disk refuses."""
    write_whole(path, json.dumps(to_builtins(value), indent=1) + "\n")


@dataclass(frozen=True)
class _Kept:
    """What a cache keeps: a value, and the SHA-256 over its JSON."""

    sha256: str
    kept: Any


def read_kept(path: Path, kind: type[T], remedy: str) -> T:
    """Read what `write_kept` wrote; raises as `read_json` does, and RecordError for content that was altered."""
    entry = read_json(path, _Kept, remedy)
    if _digest(entry.kept) != entry.sha256:
        raise RecordError(_cannot_read(path, said("its content was altered since it was kept"), remedy))
    return _structured(path, entry.kept, kind, remedy)


def write_kept(path: Path, value: object) -> None:
    """Write a value under the digest of its content, which `read_kept` holds it against; raises UsageError."""
    kept = to_builtins(value)
    write_whole(path, json.dumps({"sha256": _digest(kept), "kept": kept}, indent=1) + "\n")


def _digest(kept: Any) -> str:
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


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

    def append(self, *values: T) -> tuple[str, ...]:
        """Append a line a value, hand them to the disk before returning, and return what was noted.

        What a killed process left of its last line is cut off first, with a note. Raises RecordError where the disk
        refuses; the lines before it stay.
        """
        # No figure is NaN, and no other reader of JSON would take one.
        lines = [json.dumps(self.encode(value), separators=(",", ":"), allow_nan=False) for value in values]
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab+") as file:
                cut = _cut_unterminated(file)
                file.write("".join(f"{line}\n" for line in lines).encode())
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
            *lines, rest = read_regular(self.path).split(b"\n")
        except (OSError, ValueError, MemoryError) as error:
            raise _unread(self.path, error) from None
        dropped = said("{1}: dropped an unterminated last line of {2} characters", self.path, len(rest))
        with uncollected():
            values = tuple([self._value(number, line) for number, line in enumerate(lines, 1)])
        return values, (dropped,) if rest else ()

    def _value(self, number: int, line: bytes) -> T:
        place = said("{1}, line {2}", self.path, number)
        try:
            data = _parsed(line)
            if not isinstance(data, dict):
                raise ValueError("an object was expected")
        except (ValueError, RecursionError):
            raise RecordError(_damaged(place, said("{1}: {2}", self.misfit, excerpt(line)))) from None
        try:
            return self.decode(data) if self.decode else _fitted(data, self.kind)
        except SchemaError as error:
            raise SchemaError(said("{1}: {2}", place, error.sentence), error.found) from None
        except RecordError as error:
            raise RecordError(_damaged(place, str(error))) from None
        except Exception as error:  # cattrs raises groups of whatever its hooks met.
            raise RecordError(_damaged(place, said("{1}: {2}", self.misfit, _first_fault(error)))) from None


def _parsed(content: bytes) -> Any:
    """Return what JSON stands for; NaN and infinities are read, and fit nowhere. Raises ValueError with a sentence."""
    text = decoded(content)
    refuse_deep(text)
    try:
        return json.loads(text, parse_int=_whole)
    except RecursionError:
        raise ValueError(said("it is nested too deeply")) from None
    except ValueError as error:
        raise ValueError(said("it is not JSON: {1}", error)) from None


def _whole(digits: str) -> int | float:
    # Integers of thousands of digits take seconds, and Python refuses them without saying where they stand.
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)


def _fitted(data: Any, kind: type[T]) -> T:
    if is_dataclass(kind) and not isinstance(data, dict):
        raise TypeError("an object was expected")
    return from_builtins(data, kind)


def _unread(path: Path, error: Exception, remedy: str = "") -> RecordError:
    """Return the error for a file that could not even be read; a remedy is for what is damaged."""
    if is_passing(error):
        denied = isinstance(error, PermissionError)
        way_out = said("make it readable") if denied else said("try again")
        return PassingError(_cannot_read(path, why(error), way_out))
    return RecordError(_cannot_read(path, why(error), remedy))


def _cannot_read(path: Path, reason: str, remedy: str) -> str:
    return said("cannot read {1}: {2}", path, joined("; ", filter(None, (reason, remedy))))


def _damaged(place: str, found: str) -> str:
    return said("{1}: {2}", place, joined("; ", (found, _TAKE_OUT)))


def _first_fault(error: Exception) -> str:
    first, *others = faults(error)
    return said("{1} and {2} more", first, len(others)) if others else first


def _cut_unterminated(file: BinaryIO) -> int:
    """Remove what a killed process left of its last line, and return how long that was."""
    end = file.seek(0, os.SEEK_END)
    if end == 0:
        return 0
    file.seek(end - 1)
    if file.read(1) == b"\n":
        return 0
    whole, start, newline = 0, end, -1
    while start and newline < 0:
        start = max(0, start - _BLOCK_BYTES)
        file.seek(start)
        newline = file.read(_BLOCK_BYTES).rfind(b"\n")
        whole = start + newline + 1
    file.truncate(whole)
    return end - whole
