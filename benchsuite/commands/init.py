"""The files that people need to use benchsuite from a repository of their own."""

from __future__ import annotations

from pathlib import Path

from benchsuite.compare.tolerances import TOLERANCES_FILE, write_default_tolerances
from benchsuite.machine.files import template_folder, write_whole
from benchsuite.terms.errors import UsageError

_FILES = ("conftest.py", "baselines/README.md")


def scaffold(folder: Path) -> tuple[Path, ...]:
    """Write the files; raises UsageError, before anything is written, where one of them is there already."""
    template = template_folder()
    sources = {name: template / name for name in _FILES}
    sources |= {f"bench/{path.name}": path for path in sorted((template / "bench").glob("test_*.py"))}
    names = (*sources, f"baselines/{TOLERANCES_FILE}")
    taken = [name for name in names if (folder / name).exists()]
    if taken:
        raise UsageError(f"init {folder}: {', '.join(taken)} exist already; choose another folder or remove them.")
    for name, source in sources.items():
        write_whole(folder / name, source.read_text(encoding="utf-8"))
    write_default_tolerances(folder / "baselines")
    return tuple(folder / name for name in names)
