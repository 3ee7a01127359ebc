"""Whatever a file or an option holds is read or refused in one sentence, and nothing reads files past the fuzzer."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest

import benchsuite
from tests.fuzz.loaders import FILES, TEXTS
from tests.fuzz.mutations import mutate_text

PACKAGE = Path(benchsuite.__file__).parent
# What reads a file; `benchsuite.terms.reading` alone opens one.
PRIMITIVES = {
    "read_regular",
    "read_text",
    "read_toml",
    "read_yaml",
    "read_json",
    "read_kept",
    "read_arrays",
    "ZipFile",
    "Lines",
}
# Methods and functions that open files themselves, past sizes, pipes and devices.
_PAST = {"read_text", "read_bytes", "loadtxt", "fromfile", "memmap"}
_LOADING = {"np", "numpy", "json", "tomllib", "pickle"}
# Where files are opened otherwise, and why nobody else's damage gets there.
KNOWN = {
    "terms/reading.py": "it is the one that does",
    "terms/gaps.py": "reads the package's own source",
    "commands/init.py": "copies the package's own template",
    "report/deployment.py": "asks the installation for its list of files",
    "report/step_summary.py": "reads the summary that this run has just written",
    "machine/facts.py": "asks the system",
    "machine/memory.py": "asks the system",
    "machine/cpu_times.py": "asks the system",
    "machine/cpu_state.py": "asks the system",
    "machine/control_groups.py": "asks the system",
    "machine/processes.py": "reads the tail of a child's own log",
    "machine/json_files.py": "appends to the file it cuts a torn line from",
    "measure/lock.py": "reads who holds the lock",
    "measure/timed_case.py": "digests samples that it has just written",
    "networks/weights.py": "digests weights, block by block",
    "networks/ncnn_network.py": "reads an artifact, whose bytes have been checked",
    "artifacts/digests.py": "digests artifacts and images",
    "data/truth.py": "looks at an image as Pillow does, and takes whatever that raises",
    "networks/pickled.py": "reads checkpoints, which are fuzzed by check_checkpoint",
    "backends/onnx/cuda.py": "reads a profile that the runtime has just written",
    "backends/ncnn/__init__.py": "reads an artifact, whose bytes have been checked",
    "backends/tensorrt/flavours.py": "reads an artifact, whose bytes have been checked, and the builder's own cache",
}
# Functions that read by a primitive and are not fuzzed, and why.
UNFUZZED = {
    "read_texts": "reads the package's own translations",
    "_turns_file": "appends to the turns of the run that is going on, and never reads them",
    "_samples": "reads samples of the run that is going on; report.samples reads those of others",
}


def _functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                yield path.relative_to(PACKAGE).as_posix(), node


def _called(node: ast.AST) -> Iterator[str]:
    for call in ast.walk(node):
        if isinstance(call, ast.Call):
            yield call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _opens(node: ast.FunctionDef) -> bool:
    """Say whether a function opens a file to read it by anything but a primitive."""
    for call in ast.walk(node):
        if not isinstance(call, ast.Call):
            continue
        modes = [it.value for it in (*call.args, *(kw.value for kw in call.keywords)) if isinstance(it, ast.Constant)]
        reading = not any(isinstance(mode, str) and set(mode) & set("wax") and len(mode) <= 3 for mode in modes)
        if isinstance(call.func, ast.Name) and call.func.id == "open" and reading:
            return True
        if isinstance(call.func, ast.Attribute):
            of_path = call.func.attr == "open" and any(mode in ("r", "rb", "ab+", "r+b") for mode in modes)
            loads = call.func.attr == "load" and getattr(call.func.value, "id", "") in _LOADING
            if of_path or loads or call.func.attr in _PAST:
                return True
    return False


def test_only_known_places_open_files_themselves() -> None:
    """Everything else reads by what refuses pipes, devices and too much."""
    opening = {path for path, node in _functions() if _opens(node)}
    assert opening <= KNOWN.keys()
    assert {path for path in KNOWN if not (PACKAGE / path).is_file()} == set()


def test_every_function_that_reads_a_file_is_fuzzed(tmp_path: Path) -> None:
    """Reading each loader's own file comes by every function of the package that calls what reads files."""
    reading = {
        (path, node.name) for path, node in _functions() if set(_called(node)) & PRIMITIVES and path not in KNOWN
    } | {("networks/weights.py", "check_checkpoint")}
    came_by: set[tuple[str, str]] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(str(PACKAGE)):
            came_by.add((Path(frame.f_code.co_filename).relative_to(PACKAGE).as_posix(), frame.f_code.co_name))

    for number, loader in enumerate(FILES):
        folder = tmp_path / str(number)
        folder.mkdir()
        path = loader.make(folder)
        sys.setprofile(note)
        try:
            loader.read(path)
        finally:
            sys.setprofile(None)
    assert {it for it in reading - came_by if it[1] not in UNFUZZED} == set()


def test_mutations_of_a_text_are_the_same_for_the_same_seed() -> None:
    """An input's number is enough to make it again."""
    import random

    assert mutate_text("p95=50ms", random.Random(3)) == mutate_text("p95=50ms", random.Random(3))
    assert len({loader.name for loader in (*FILES, *TEXTS)}) == len(FILES) + len(TEXTS)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory and time are Linux's")
def test_damage_is_read_or_refused_in_a_sentence() -> None:
    """Of a hundred damaged inputs a loader none ends in an error that is not the package's own, takes two seconds or
    500 MB.
    """
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.run", "--inputs", "100"],
        cwd=PACKAGE.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
