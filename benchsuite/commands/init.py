"""The files that people need to use benchsuite from a repository of their own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchsuite.compare.tolerances import TOLERANCES_FILE, default_tolerances_text
from benchsuite.machine.files import cannot_write, template_folder, write_whole
from benchsuite.terms.errors import UsageError

# Loads the plugin from a conftest.py of somebody else's, in any folder.
LINE = "from benchsuite.plugin.folder import *"
_PLUGIN = "benchsuite.plugin"
_CONFTEST = "bench/conftest.py"
_PACKAGE = "bench/__init__.py"
# The digest of each file as it was written, so that it can be renewed where nobody changed it.
_DIGESTS = "bench/.written"
# What fixes pytest's root by being there, and what by a section of its own.
_ROOT_FILES = ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini", "pyproject.toml")
_ROOT_SECTIONS = {"tox.ini": b"[pytest]", "setup.cfg": b"[tool:pytest]"}
# What was written before digests were kept.
_FORMER = frozenset(
    {
        "9cfe0e01ad312d8b194f3c276549ba7fb49382f1197868781dc4b931d361fa4d",  # bench/test_accuracy.py
        "63ae2a3a2185f395ad477c64e57f51162e2b4703df74b4b5e63c0a4c5389f1fd",  # bench/test_latency.py
        "c5b44decf17e72fbcfd97acb7042be690376ca65d6edfe9540db5f2de7cce1ae",  # bench/test_memory.py
        "4a3e9127e3b90cf1022b3e30898991d76b1488df9ff1ac857e5f5652d2fd0bd6",  # bench/test_proof.py
        "0c65133f7fcfef1ba3e49bf1e90d19b6f49f00c4829efed44344962070c2751e",  # bench/test_size.py
        "4077f7cc6a4415e2768537bcdaef157781f6c1921260c83e110caa4e6cc8cae9",  # bench/test_throughput.py
        "e6c74ec41303b71654ca4566aacaaa73e548b4fbb7c18127189289b48e901976",  # baselines/README.md
        "52cb22e9092f875b59b49a42f33d5498e2000aba21003654b6d714f9c9c22e23",  # baselines/tolerances.toml
    }
)
# At the repository's root, where the plugin was loaded for all of its tests.
_FORMER_CONFTESTS = frozenset(
    {
        "b766301f1ca3817120237d2125ef81e3b565e372a81b387b64038b7ae7c6cc40",
        "d1bced1c9ce3d108461acbaadb8739ee48847cbf0356aa9bb7052e6fdba4d93c",
    }
)


def scaffold(folder: Path, update: bool = False) -> tuple[str, ...]:
    """Write the files and say of each what was done; `update` renews those that nobody changed and leaves the others.

    Without it a file that is there already raises UsageError before anything is written, but for those that any
    repository may have.
    """
    contents = _contents()
    found = {name: _read(folder / name) for name in contents}
    taken = [name for name, content in found.items() if content is not None and name not in (_CONFTEST, _PACKAGE)]
    if taken and not update:
        raise UsageError(
            f"init {folder}: {', '.join(taken)} exist already; choose another folder, remove them, or let --update "
            "write what is missing and renew what was not changed by hand."
        )
    digests = _read_digests(folder)
    lines = []
    for name, content in contents.items():
        there, path = found[name], folder / name
        if there is None or (update and _digest(there) in {digests.get(name), *_FORMER}):
            if there != content:
                write_whole(path, content)
                lines.append(f"{'wrote' if there is None else 'renewed'} {path}")
            digests[name] = _digest(content)
        elif there != content:
            lines += _left_alone(name, path, there)
    write_whole(folder / _DIGESTS, "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items())))
    return (*lines, *(_without_former_conftest(folder) if update else ()))


def closing_lines(folder: Path, lines: Sequence[str], update: bool) -> tuple[str, ...]:
    """Say, below what was done, what else there is to know and to do."""
    found = []
    if any(line.startswith(("wrote ", "renewed ")) for line in lines):
        found.append(f"wrote {folder / _DIGESTS}: commit it with the others, --update knows by it what nobody changed")
    if not lines:
        found.append("nothing to do: all is as this release writes it")
    if not _has_pytest_root(folder):
        found.append(
            f"pytest finds no pytest.ini or pyproject.toml for {folder}: add one, which may be empty; else its root, "
            "where it keeps .pytest_cache, is the folder that bench/ and the paths of a command have in common"
        )
    return (*found, *(() if update else ("Now run: pytest bench/ --model YOUR.pt --data YOUR.yaml",)))


def _has_pytest_root(folder: Path) -> bool:
    """Say whether pytest finds a file that fixes its root, in this folder or above it."""
    within = folder.absolute()
    for place in (within, *within.parents):
        if any((place / name).is_file() for name in _ROOT_FILES):
            return True
        if any(section in (_read(place / name) or b"") for name, section in _ROOT_SECTIONS.items()):
            return True
    return False


def _contents() -> Mapping[str, bytes]:
    template = template_folder()
    contents = {f"bench/{path.name}": path.read_bytes() for path in sorted((template / "bench").glob("*.py"))}
    contents["baselines/README.md"] = (template / "baselines" / "README.md").read_bytes()
    contents[f"baselines/{TOLERANCES_FILE}"] = default_tolerances_text().encode()
    return contents


def _left_alone(name: str, path: Path, content: bytes) -> list[str]:
    if name == _PACKAGE:
        # Any file of that name makes a package.
        return []
    if name != _CONFTEST:
        return [f"left {path} alone: it was changed by hand"]
    if _PLUGIN.encode() in content:
        return [f"left {path} alone: it loads the plugin"]
    return [f"left {path} alone: add this line to it", "", f"    {LINE}", ""]


def _without_former_conftest(folder: Path) -> list[str]:
    path = folder / "conftest.py"
    content = _read(path)
    if content is None or _digest(content) not in _FORMER_CONFTESTS:
        return []
    try:
        path.unlink()
    except OSError as error:
        raise UsageError(cannot_write(path, error)) from None
    return [f"removed {path}: {folder / _CONFTEST} loads the plugin, for the benchmarks alone"]


def _read(path: Path) -> bytes | None:
    """Return a file's content, or None where there is none; what is no file has a content of nobody's."""
    try:
        return path.read_bytes() if path.is_file() else b"" if path.exists() else None
    except OSError as error:
        raise UsageError(f"init: cannot read {path}: {error.strerror or error}; make it readable.") from None


def _read_digests(folder: Path) -> dict[str, str]:
    lines = (_read(folder / _DIGESTS) or b"").decode(errors="replace").splitlines()
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
