"""A file is written whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from benchsuite.machine.files import cannot_write, write_whole
from benchsuite.terms.errors import UsageError


def test_file_and_its_folders_are_made(tmp_path: Path) -> None:
    """The text arrives in folders that did not exist, and nothing else lies beside it."""
    path = tmp_path / "a" / "b" / "text.md"
    write_whole(path, "größer\n")
    write_whole(path, "kleiner\n")
    assert path.read_bytes() == b"kleiner\n"
    assert [entry.name for entry in path.parent.iterdir()] == ["text.md"]


def test_others_can_read_the_file(tmp_path: Path) -> None:
    """Permissions follow the umask, as for any file that is served or committed."""
    ordinary, whole = tmp_path / "ordinary", tmp_path / "whole"
    ordinary.write_text("")
    write_whole(whole, "")
    assert stat.S_IMODE(whole.stat().st_mode) == stat.S_IMODE(ordinary.stat().st_mode)


def test_disk_that_refuses_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk gives one sentence, and leaves the old text and no rest of the new one."""
    path = tmp_path / "page.html"
    write_whole(path, "old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(UsageError, match=r"cannot write .*page\.html: No space left on device; free some space"):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["page.html"]


@pytest.mark.parametrize(
    ("number", "way_out"),
    [
        (errno.ENOSPC, "free some space there or choose a folder that can be written."),
        (errno.EDQUOT, "free some space there or choose a folder that can be written."),
        (errno.EACCES, "choose a folder that can be written."),
        (errno.EPERM, "choose a folder that can be written."),
        (errno.EROFS, "choose a folder that can be written."),
        (errno.EISDIR, "give another name, or move what is in the way."),
        (errno.ENAMETOOLONG, "give another name, or move what is in the way."),
    ],
)
def test_way_out_fits_what_the_disk_refused(tmp_path: Path, number: int, way_out: str) -> None:
    """Room mends a full disk, and nothing that stands in the way or may not be written."""
    why = os.strerror(number)
    path = tmp_path / "page.html"
    assert cannot_write(path, OSError(number, why)) == f"cannot write {path}: {why}; {way_out}"


def test_what_stands_in_the_way_is_named(tmp_path: Path) -> None:
    """A folder in the place of a file, and a file in the place of a folder, however far up."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("old")
    with pytest.raises(UsageError, match="folder: Is a directory; give another name"):
        write_whole(tmp_path / "folder", "new")
    for path in ("file/page.html", "file/further/page.html"):
        with pytest.raises(UsageError, match=f"page.html: {tmp_path}/file is no folder; give another name, or move"):
            write_whole(tmp_path / path, "new")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file", "folder"]


def test_what_is_no_file_is_written_into(tmp_path: Path) -> None:
    """A pipe gets the text and stays a pipe, as /dev/null stays what it is."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_whole(pipe, "text")
    assert os.read(reader, 100) == b"text"
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    write_whole(Path("/dev/null"), "text")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_link_stays_a_link(tmp_path: Path) -> None:
    """What a link names is replaced, not the link."""
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "page.html"
    link.symlink_to(tmp_path / "elsewhere" / "real.html")
    write_whole(link, "text")
    assert link.is_symlink()
    assert (tmp_path / "elsewhere" / "real.html").read_text() == "text"


def test_path_without_a_name_is_one_sentence() -> None:
    """An empty path is told, not shown as a traceback."""
    with pytest.raises(UsageError, match=r"cannot write \.: it names no file"):
        write_whole(Path(), "text")


def test_folder_that_is_a_file_is_one_sentence(tmp_path: Path) -> None:
    """A path through a file cannot be written, and the error names it."""
    (tmp_path / "taken").write_text("")
    with pytest.raises(UsageError, match=r"cannot write .*taken"):
        write_whole(tmp_path / "taken" / "file.txt", "text")
