"""A file of JSON is read as what it should hold, or told in one sentence; a line is appended whole or not at all."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from benchsuite.machine.json_files import Lines, read_json, read_kept, write_json, write_kept
from benchsuite.terms.absence import Absent
from benchsuite.terms.errors import PassingError, RecordError, SchemaError
from benchsuite.terms.reading import MOST_RECORDED_BYTES


@dataclass(frozen=True)
class Shelf:
    """Something to keep."""

    name: str
    width_mm: int | Absent
    schema: int = 1


SHELF = Shelf("left", Absent("nobody measured it"))
TEXT = '{"name": "left", "width_mm": 300}'


def lines_of(path: Path) -> Lines[Shelf]:
    """Return a file of shelves."""
    return Lines(path, Shelf, "not a shelf")


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """A value comes back equal, its absences with their reasons."""
    path = tmp_path / "made" / "shelf.json"
    write_json(path, SHELF)
    assert read_json(path, Shelf, "build it again") == SHELF


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (None, "No such file or directory"),
        (b"", "it is not JSON: Expecting value: line 1 column 1 (char 0)"),
        (b'{"name": "le', "it is not JSON: Unterminated string starting at: line 1 column 10 (char 9)"),
        (b"[" * 100_000, "it is nested more than 100 deep"),
        (b'{"name": "' + b"[" * 101 + b'"}', "required field missing @ $.width_mm"),
        (b'{"name": "\xff"}', "it is not UTF-8 text"),
        (
            b'{"name": "left", "width_mm": "wide"}',
            "a whole number was expected, found 'wide' @ $.width_mm",
        ),
        (b'{"name": "left"}', "required field missing @ $.width_mm"),
        (b'{"colour": "red"}', "required field missing @ $.name and 2 more"),
        (b'["left", 300]', "an object was expected"),
        (b"null", "an object was expected"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(tmp_path: Path, content: bytes | None, found: str) -> None:
    """It names the file, what was found in it, to the field, and what to do."""
    path = tmp_path / "shelf.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RecordError) as caught:
        read_json(path, Shelf, "build it again")
    sentence = str(caught.value)
    assert sentence.startswith(f"cannot read {path}: ")
    assert found in sentence
    assert sentence.endswith("; build it again")
    assert "\n" not in sentence


def test_folder_in_place_of_a_file_is_said(tmp_path: Path) -> None:
    """A folder is no file, whatever the system calls the error."""
    with pytest.raises(RecordError, match="it is a folder; build it again"):
        read_json(tmp_path, Shelf, "build it again")
    with pytest.raises(RecordError, match="it is a folder"):
        lines_of(tmp_path).read()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"name": 3, "schema": 2}', "has schema 2, this version reads schema 1: install the version of benchsuite"),
        (TEXT, "is damaged: it names no schema; build it again"),
        ("[]", "is damaged: it names no schema; build it again"),
    ],
)
def test_another_schema_is_told_before_what_it_holds(tmp_path: Path, text: str, message: str) -> None:
    """A file of a schema to come is not called damaged: what reads it is named."""
    path = tmp_path / "shelf.json"
    path.write_text(text)
    with pytest.raises(SchemaError, match=message):
        read_json(path, Shelf, "build it again", schema=1)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ('"123"', "a whole number was expected, found '123'"),
        ("1.5", "a whole number was expected, found 1.5"),
        ("true", "a whole number was expected, found True"),
        ("NaN", "a whole number was expected, found nan"),
        ("1e999", "a whole number was expected, found inf"),
        ("9" * 5_000, "a whole number was expected, found inf"),
        ('"\\ud800\\u001b[2J"', "a whole number was expected, found '\\ud800\\x1b[2J'"),
        ('"' + "x" * 100_000 + '"', "a whole number was expected, found '" + "x" * 80 + "…'"),
        ("[1]", "a whole number was expected, found a list"),
    ],
)
def test_value_of_another_type_is_refused_with_its_key(tmp_path: Path, value: str, found: str) -> None:
    """Nothing is turned into a number that is none, and what was found is short and can be printed."""
    path = tmp_path / "shelf.json"
    path.write_text(f'{{"name": "left", "width_mm": {value}}}')
    with pytest.raises(RecordError) as caught:
        read_json(path, Shelf, "build it again")
    assert str(caught.value).endswith(f"its content is damaged: {found} @ $.width_mm; build it again")


def test_only_regular_files_of_a_sane_size_are_read(tmp_path: Path) -> None:
    """A pipe that nobody writes into, a device without end and a huge file are said to be that, at once."""
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(MOST_RECORDED_BYTES + 1)
    for path, found in (
        (tmp_path / "pipe", "it is no regular file"),
        (Path("/dev/zero"), "it is no regular file"),
        (tmp_path / "huge", "it is larger than 200 MB"),
    ):
        with pytest.raises(RecordError, match=found):
            read_json(path, Shelf, "build it again")
        with pytest.raises(RecordError, match=found):
            lines_of(path).read()


@pytest.mark.parametrize("number", [errno.EIO, errno.EMFILE, errno.ENOMEM])
def test_error_that_may_pass_is_not_called_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """A disk or a system that hands nothing out just now says nothing about the file."""
    path = tmp_path / "shelf.json"
    write_json(path, SHELF)

    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("os.open", refuse)
    with pytest.raises(PassingError, match=f"cannot read {path}: {os.strerror(number)}; try again"):
        read_json(path, Shelf, "build it again")


def test_kept_value_is_held_against_its_digest(tmp_path: Path) -> None:
    """What was kept is read; a value that was altered, and a file without a digest, are not."""
    path = tmp_path / "shelf.json"
    write_kept(path, SHELF)
    assert read_kept(path, Shelf, "it is made again") == SHELF
    path.write_text(path.read_text().replace("left", "right"))
    with pytest.raises(RecordError, match="its content was altered since it was kept; it is made again"):
        read_kept(path, Shelf, "it is made again")
    write_json(path, SHELF)
    with pytest.raises(RecordError, match="it is made again"):
        read_kept(path, Shelf, "it is made again")


@pytest.mark.parametrize("torn", [b'{"name":"le', '{"name":"\N{SNOWMAN}'.encode()[:-1], b"{}"])
def test_line_of_a_killed_writer_is_dropped_then_cut_off_and_said(tmp_path: Path, torn: bytes) -> None:
    """Whatever stands after the last newline is no line: reading notes it, appending removes it."""
    lines = lines_of(tmp_path / "shelves.jsonl")
    assert lines.append(SHELF) == ()
    with lines.path.open("ab") as file:
        file.write(torn)
    dropped = f"{lines.path}: dropped an unterminated last line of {len(torn)} characters"
    assert lines.read() == ((SHELF,), (dropped,))
    cut = f"{lines.path}: cut off an unterminated last line of {len(torn)} characters"
    assert lines.append(Shelf("right", 4)) == (cut,)
    assert lines.read() == ((SHELF, Shelf("right", 4)), ())


def test_line_is_on_the_disk_before_it_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole line has been written when the disk is asked to keep it, so a power cut takes none that was told."""
    lines = lines_of(tmp_path / "shelves.jsonl")
    kept: list[bytes] = []
    monkeypatch.setattr("os.fsync", lambda _: kept.append(lines.path.read_bytes()))
    lines.append(SHELF)
    assert kept == [lines.path.read_bytes()]


def test_file_that_is_torn_before_its_first_newline_starts_anew(tmp_path: Path) -> None:
    """Where not even one line was finished, the next is the first."""
    lines = lines_of(tmp_path / "shelves.jsonl")
    lines.path.write_bytes(b'{"na')
    assert len(lines.append(SHELF)) == 1
    assert lines.read() == ((SHELF,), ())


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b"broken", "not a shelf: 'broken'"),
        (b"", "not a shelf: ''"),
        (b"[]", "not a shelf: '[]'"),
        (b'{"name": "left", "width_mm": NaN}', "not a shelf: "),
        (b"\xff", "not a shelf: "),
        (
            b'{"name": "left", "width_mm": "wide"}',
            "not a shelf: a whole number was expected, found 'wide' @ $.width_mm",
        ),
    ],
)
def test_damaged_line_is_named_by_its_number(tmp_path: Path, line: bytes, found: str) -> None:
    """A line in the middle that is none is an error that says which, what it holds and what to do."""
    path = tmp_path / "shelves.jsonl"
    path.write_bytes(TEXT.encode() + b"\n" + line + b"\n" + TEXT.encode() + b"\n")
    with pytest.raises(RecordError) as caught:
        lines_of(path).read()
    sentence = str(caught.value)
    assert sentence.startswith(f"{path}, line 2: {found}")
    assert sentence.endswith("; take that line out to read the others")


def test_what_decoding_refuses_keeps_its_place_and_kind(tmp_path: Path) -> None:
    """A caller's own refusals are told with file and line, and a schema's stays one."""

    def decode(data: dict[str, Any]) -> Shelf:
        if data["name"] == "new":
            raise SchemaError("shelf schema 2 found, this version reads schema 1", 2)
        raise RecordError("its width cannot be")

    path = tmp_path / "shelves.jsonl"
    path.write_text(TEXT + "\n")
    lines = Lines(path, Shelf, "not a shelf", decode=decode)
    with pytest.raises(RecordError, match="line 1: its width cannot be; take that line out"):
        lines.read()
    path.write_text('{"name": "new"}\n')
    with pytest.raises(SchemaError, match=r"line 1: shelf schema 2 found.* reads schema 1: install") as caught:
        lines.read()
    assert caught.value.found == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full to stand for a full disk")
def test_full_disk_is_one_sentence() -> None:
    """A disk that takes no more is an error that names the file and what to do."""
    with pytest.raises(RecordError, match="cannot write /dev/full: No space left on device; free some space"):
        lines_of(Path("/dev/full")).append(SHELF)
