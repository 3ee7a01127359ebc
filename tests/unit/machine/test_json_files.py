"""A file of JSON is read as what it should hold, or told in one sentence; a line is appended whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from benchsuite.machine.json_files import Lines, read_json, write_json
from benchsuite.terms.absence import Absent
from benchsuite.terms.errors import RecordError, SchemaError


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
        (b"[" * 100_000, "it is not JSON: "),
        (b'{"name": "\xff"}', "it is not UTF-8 text"),
        (
            b'{"name": "left", "width_mm": "wide"}',
            "expected int | benchsuite.terms.absence.Absent @ $.width_mm",
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


def test_keys_of_others_are_passed_over_only_where_they_are_named(tmp_path: Path) -> None:
    """A key that an older version wrote may be left out; any other is a misfit."""
    path = tmp_path / "shelf.json"
    path.write_text('{"name": "left", "width_mm": 300, "colour": "red"}')
    assert read_json(path, Shelf, "build it again", passed_over=("colour",)) == Shelf("left", 300)
    with pytest.raises(RecordError, match="colour"):
        read_json(path, Shelf, "build it again")


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
            "not a shelf: invalid value for type, expected int | benchsuite.terms.absence.Absent @ $.width_mm",
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
