"""The files that people need to use benchsuite from a repository of their own."""

from __future__ import annotations

from pathlib import Path

from benchsuite.errors import UsageError
from benchsuite.files import write_whole

_FILES = ("conftest.py", "baselines/README.md", "baselines/tolerances.toml")


def scaffold(folder: Path) -> tuple[Path, ...]:
    """Write the files; raises UsageError, before anything is written, where one of them is there already."""
    sources = {name: _source() / name for name in _FILES}
    sources |= {f"bench/{path.name}": path for path in sorted((_source() / "bench").glob("test_*.py"))}
    taken = [name for name in sources if (folder / name).exists()]
    if taken:
        raise UsageError(f"init {folder}: {', '.join(taken)} exist already; choose another folder or remove them.")
    for name, source in sources.items():
        write_whole(folder / name, source.read_text(encoding="utf-8"))
    return tuple(folder / name for name in sources)


def _source() -> Path:
    """Return the folder of the originals: in an installed wheel a part of the package, in a checkout its root."""
    package = Path(__file__).parent
    installed = package / "template"
    return installed if installed.is_dir() else package.parent
