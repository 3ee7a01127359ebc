"""Started where something is missing, benchsuite says in one sentence what to do."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from benchsuite import __version__
from benchsuite.terms.installation import REQUIRED

ROOT = Path(__file__).resolve().parents[2]
# Hides a package from the imports that follow.
_WITHOUT = "import sys; sys.modules[{name!r}] = None; "


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Python code beside this checkout."""
    environment = {"PATH": "", "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=folder, env=environment)


def test_version_is_told(tmp_path: Path) -> None:
    """`python -m benchsuite --version` says the version, as the command does."""
    found = run(
        "import runpy, sys; sys.argv[1:] = ['--version']; runpy.run_module('benchsuite', run_name='__main__')", tmp_path
    )
    assert (found.returncode, found.stdout) == (0, f"benchsuite {__version__}\n")


def test_missing_packages_are_one_sentence_of_the_command(tmp_path: Path) -> None:
    """The packages, the interpreter and the remedy are named; the exit code is that of a wrong call."""
    code = "sys.modules['psutil'] = None; sys.argv[1:] = ['doctor']; import runpy; "
    found = run(_WITHOUT.format(name="typer") + code + "runpy.run_module('benchsuite', run_name='__main__')", tmp_path)
    assert found.returncode == 2
    (said,) = found.stderr.splitlines()
    assert f"needs psutil, typer, which {sys.executable} does not have: use the interpreter of the environment" in said


@pytest.mark.parametrize("hidden", ["numpy", "benchsuite"])
def test_pytest_says_what_is_missing(hidden: str, tmp_path: Path) -> None:
    """`pytest bench/ --backend=trt` without benchsuite, or without what it needs, is a usage error."""
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "conftest.py").write_text((ROOT / "bench" / "conftest.py").read_text())
    hide = _WITHOUT.format(name="numpy") if hidden == "numpy" else "import sys; sys.path = [p for p in sys.path if p]; "
    finder = (
        "import importlib.util as u; find = u.find_spec; "
        "u.find_spec = lambda name, *rest: None if name == 'benchsuite' else find(name, *rest); "
    )
    code = (
        hide
        + (finder if hidden == "benchsuite" else "")
        + "import pytest; sys.exit(pytest.main(['bench/', '--backend=trt']))"
    )
    found = run(code, tmp_path)
    assert found.returncode == pytest.ExitCode.USAGE_ERROR
    said = [line for line in found.stderr.splitlines() if line]
    assert len(said) == 1
    assert sys.executable in said[0]
    assert "use the interpreter of the environment that" in said[0]


def test_what_every_run_imports_is_looked_for() -> None:
    """Whatever the package imports is looked for at the start, but for runtimes, exporters and extras."""
    imported = set()
    for path in (ROOT / "benchsuite").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.partition(".")[0])
    ours = imported - set(sys.stdlib_module_names) - {"benchsuite"}
    of_runtimes = {"cuda", "ncnn", "onnxruntime", "openvino", "tensorrt", "torch"}
    of_exporters = {"ml_dtypes", "nncf", "onnx", "onnxslim", "ultralytics"}
    # They come with others that are looked for, or only some figures and old Pythons need them.
    with_others = {"markupsafe", "pyarrow", "ruptures", "tomli", "tomllib"}
    # Nothing but what makes weights lighter needs them, and it says so.
    of_optimize = {"optuna", "torch_pruning"}
    assert ours - of_runtimes - of_exporters - with_others - of_optimize == set(REQUIRED) - {"pytest_benchmark"}


def test_page_on_installing_names_what_the_project_asks_for() -> None:
    """Runtime by runtime, the page's commands bring all that the plain installation does, in no other versions."""
    tomllib = pytest.importorskip("tomllib")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = {it.name: it.specifier for it in map(Requirement, project["dependencies"])}
    section = (ROOT / "docs" / "installing.md").read_text().partition("## One runtime only")[2].partition("\n## ")[0]
    commands = re.findall(r"pip install ((?:[^`\n]|\\\n)+)", section.replace("\\\n", " "))
    words = [word for command in commands for word in shlex.split(command) if re.match(r"[a-z]", word)]
    named = {it.name: it.specifier for it in map(Requirement, (word for word in words if "://" not in word))}
    # Ultralytics brings NumPy and Pillow, and the text says who needs tomli.
    assert asked.keys() - named.keys() == {"numpy", "pillow", "tomli"}
    assert named.keys() - asked.keys() == {"torchvision"}
    assert all(specifier == asked[name] for name, specifier in named.items() if specifier and name in asked)
