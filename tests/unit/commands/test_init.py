"""What `init` writes into a repository, what it renews, and what it leaves alone."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchsuite.commands import init
from benchsuite.commands.init import LINE, closing_lines, scaffold
from benchsuite.terms.errors import UsageError

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def newer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a repository that has been set up, and a release of which one more benchmark has another text."""
    repository = tmp_path / "repository"
    scaffold(repository)
    template = tmp_path / "template"
    shutil.copytree(ROOT / "bench", template / "bench", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "baselines", template / "baselines")
    for name in ("test_latency.py", "test_memory.py"):
        with (template / "bench" / name).open("a") as file:
            file.write("# newer\n")
    monkeypatch.setattr(init, "template_folder", lambda: template)
    return repository


def test_update_renews_what_nobody_changed(newer: Path) -> None:
    """A file as it was written becomes the newer one, a changed one stays, and each is named."""
    changed = newer / "bench" / "test_memory.py"
    changed.write_text("mine")
    (newer / "bench" / "test_size.py").unlink()
    lines = scaffold(newer, update=True)
    assert lines == (
        f"renewed {newer / 'bench' / 'test_latency.py'}",
        f"left {changed} alone: it was changed by hand",
        f"wrote {newer / 'bench' / 'test_size.py'}",
    )
    assert (newer / "bench" / "test_latency.py").read_text().endswith("# newer\n")
    assert changed.read_text() == "mine"
    assert scaffold(newer, update=True) == lines[1:2]


def test_update_knows_what_was_written_before_digests_were_kept(newer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without digests, benchmarks of the first state are renewed; its conftest.py at the root goes too."""
    (newer / "bench" / ".written").unlink()
    former = newer / "conftest.py"
    former.write_text('pytest_plugins = ["benchsuite.plugin"]\n')
    lines = scaffold(newer, update=True)
    assert f"renewed {newer / 'bench' / 'test_latency.py'}" in lines
    assert former.exists()
    monkeypatch.setattr(init, "_FORMER_CONFTESTS", {hashlib.sha256(former.read_bytes()).hexdigest()})
    (line,) = scaffold(newer, update=True)
    assert line.startswith(f"removed {former}: ")
    assert not former.exists()


@pytest.mark.parametrize("update", [False, True])
def test_conftest_of_somebody_else_gets_a_line_to_add(update: bool, tmp_path: Path) -> None:
    """A conftest.py in bench/ stays as it is; the line that loads the plugin from it is printed on its own."""
    conftest = tmp_path / "bench" / "conftest.py"
    conftest.parent.mkdir()
    conftest.write_text("mine")
    lines = scaffold(tmp_path, update)
    assert f"left {conftest} alone: add this line to it" in lines
    assert f"    {LINE}" in lines
    assert conftest.read_text() == "mine"
    conftest.write_text(f"{LINE}\n")
    assert f"left {conftest} alone: it loads the plugin" in scaffold(tmp_path, update=True)


def test_file_that_cannot_be_read_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written over what nobody could look into."""
    scaffold(tmp_path)

    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    monkeypatch.setattr(init, "_contents", lambda: {"bench/test_size.py": b""})
    with pytest.raises(UsageError, match=r"cannot read .*test_size\.py: Permission denied; make it readable"):
        scaffold(tmp_path, update=True)


def test_what_to_commit_and_what_to_run_is_told(tmp_path: Path) -> None:
    """The hidden file is named once it is written, and a renewal that has nothing to do says so."""
    (tmp_path / "pytest.ini").write_text("")
    commit = "commit it with the others, --update knows by it what nobody changed"
    written = f"wrote {tmp_path / 'bench' / '.written'}: {commit}"
    now_run = "Now run: pytest bench/ --model YOUR.pt --data YOUR.yaml"
    assert closing_lines(tmp_path, scaffold(tmp_path), False) == (written, now_run)
    again = scaffold(tmp_path, update=True)
    assert closing_lines(tmp_path, again, True) == ("nothing to do: all is as this release writes it",)


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("pytest.ini", "", True),
        ("pyproject.toml", "", True),
        ("tox.ini", "[pytest]\n", True),
        ("tox.ini", "[tox]\n", False),
        ("setup.cfg", "[tool:pytest]\n", True),
        ("setup.py", "", False),
    ],
)
def test_missing_root_of_pytest_is_told(tmp_path: Path, name: str, text: str, found: bool) -> None:
    """It is said exactly where pytest's own root would depend on which paths a command names."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / name).write_text(text)
    folder, elsewhere = tmp_path / "mine" / "repository", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    told = closing_lines(folder, ("left bench/conftest.py alone: it loads the plugin",), True)
    assert [line.startswith(f"pytest finds no pytest.ini or pyproject.toml for {folder}: ") for line in told] == (
        [] if found else [True]
    )
    line = [sys.executable, "-m", "pytest", "--collect-only", "-p", "no:cacheprovider", str(folder), str(elsewhere)]
    header = subprocess.run(line, cwd=folder, capture_output=True, text=True).stdout
    assert f"rootdir: {tmp_path / 'mine' if found else tmp_path}\n" in header
