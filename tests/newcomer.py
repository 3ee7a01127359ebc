"""Count the files that a change takes: `python tests/newcomer.py`.

A runtime, a figure and a command that do not exist are added to a copy of the checkout, each as its own contributor
would, and the fast tests are run there: what the change forgot would fail. Counted are files of the package and of its
set-up, tests and documentation apart; more than a change's limit fails.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

RUNTIME = '''\
"""LiteRT, as far as a newcomer's first day goes: an ONNX file that is copied, and a session that is not written yet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchsuite.backends.interface import ArtifactChoices, ArtifactNeed, RunPolicy, Session
from benchsuite.backends.reasons import cpu_only, not_installed
from benchsuite.backends.schemes import chosen_scheme
from benchsuite.backends.tools import ONNX_EXPORT
from benchsuite.machine.facts import Machine
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import SessionError


class LitertBackend:
    """LiteRT."""

    name = "litert"
    packages: tuple[str, ...] = ("ai-edge-litert",)
    substitutes: Mapping[str, tuple[str, ...]] = {}
    gpu_only = False
    default_device = "cpu"
    start_s = 1.0
    colour = "#56B4E9"
    ways: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ("litert-w8",)
    methods: tuple[str, ...] = ("minmax",)
    tools: Mapping[str, tuple[str, ...]] = {
        "fp32": (*ONNX_EXPORT, "ai-edge-litert"),
        "int8": (*ONNX_EXPORT, "ai-edge-litert"),
    }
    made_from: Mapping[str, tuple[str, str]] = {"fp32": ("onnx", "fp32"), "int8": ("litert", "fp32")}

    def why_not(self, case: Case, machine: Machine) -> str | None:
        """Say why the case cannot run here."""
        if case.precision not in self.tools:
            return f"litert has no {case.precision} kernels here: use fp32"
        return cpu_only(case, "litert") or not_installed(machine, "ai-edge-litert")

    def need(self, case: Case, machine: Machine, choices: ArtifactChoices) -> ArtifactNeed:  # noqa: ARG002
        """Return the file of the case's precision."""
        calibrated = case.precision == "int8"
        scheme = chosen_scheme(choices.quant_scheme, self.schemes, self.schemes[0]) if calibrated else ""
        return ArtifactNeed("litert", case.precision, scheme, calibrated, self.tools[case.precision])

    def slow_to_load(self, case: Case) -> bool:  # noqa: ARG002
        """Say that loading takes seconds."""
        return False

    def modules(self, artifact: Path) -> tuple[str, ...]:  # noqa: ARG002
        """Name the runtime's package."""
        return ("ai_edge_litert",)

    def open(self, artifact: Path, case: Case, policy: RunPolicy) -> Session:  # noqa: ARG002
        """Load nothing yet."""
        raise SessionError("litert cannot be run yet")
'''

COMMAND = '''\
"""How many cases the options select."""

from __future__ import annotations

from collections.abc import Mapping

from benchsuite.backends.offers import recorded_packages
from benchsuite.machine.facts import read_machine
from benchsuite.machine.files import cache_root
from benchsuite.options.selection import select
from benchsuite.options.settings import parse


def count_line(given: Mapping[str, str]) -> str:
    """Return the number of selected cases in a sentence."""
    return f"{len(select(parse(given), cache_root(), read_machine(recorded_packages()))[1])} cases"
'''


@dataclass(frozen=True)
class Change:
    """What a newcomer sets out to do, and in how many files it must be possible."""

    what: str
    most_files: int
    make: Callable[[Path], None]


def insert(path: Path, before: str, text: str) -> None:
    """Put a text in front of the first place where another stands; what is not there is an error."""
    content = path.read_text()
    place = content.index(before)
    path.write_text(content[:place] + text + content[place:])


def add_runtime(root: Path) -> None:
    """Add a backend with its exporters and schemes, and the package that it needs."""
    house = root / "benchsuite"
    (house / "backends" / "litert").mkdir()
    (house / "backends" / "litert" / "__init__.py").write_text(RUNTIME)
    table = house / "backends" / "__init__.py"
    insert(table, "from benchsuite.backends.ncnn", "from benchsuite.backends.litert import LitertBackend\n")
    insert(table, ")\nBACKENDS", "    LitertBackend(),\n")
    exporters = house / "artifacts" / "exporters.py"
    insert(
        exporters, "@contextmanager\ndef _exported",
        'def _litert(order: Order) -> None:\n    (model,) = order.source.glob("model.*")\n'
        '    shutil.copyfile(model, order.folder / "model.tflite")\n\n\n',
    )  # fmt: skip
    insert(
        exporters,
        '    ("trt", "fp32", "")',
        '    ("litert", "fp32", ""): _litert,\n    ("litert", "int8", "litert-w8"): _litert,\n',
    )
    insert(root / "pyproject.toml", '    "ncnn>=', "    \"ai-edge-litert>=2.0; python_version < '3.0'\",\n")


def add_figure(root: Path) -> None:
    """Add what a worker had swapped out: measured, recorded, and shown wherever figures are."""
    house = root / "benchsuite"
    measurement = house / "measure" / "measurement.py"
    text = measurement.read_text()
    old = "    gpu_bytes: int | Absent\n"
    assert text.count(old) == 1
    reason = '# Of what younger releases measure.\nNOT_SAID = Absent("its record does not say")\n\n\n'
    text = text.replace("@dataclass(frozen=True)", reason + "@dataclass(frozen=True)", 1)
    measurement.write_text(text.replace(old, f"{old}    swapped_bytes: int | Absent = NOT_SAID\n"))
    live = house / "measure" / "live_run.py"
    text = live.read_text()
    old = "        memory = launch.memory()\n"
    assert text.count(old) == 1
    live.write_text(
        text.replace(old, "        memory = replace(launch.memory(), swapped_bytes=_swapped_bytes(launch.pid))\n")
        .replace("from dataclasses import dataclass\n", "from dataclasses import dataclass, replace\n")
        .replace("from typing import", "from pathlib import Path\nfrom typing import")
        + '\n\ndef _swapped_bytes(pid: int) -> int | Absent:\n    """Return what of a process lies on disk."""\n'
        '    try:\n        status = Path(f"/proc/{pid}/status").read_text()\n'
        '    except OSError:\n        return Absent("this system does not tell it")\n'
        '    line = next((it for it in status.splitlines() if it.startswith("VmSwap")), "")\n'
        '    return int(line.split()[1]) * 1024 if line else Absent("this system does not tell it")\n'
    )
    # At the end of the list, so that no column of a CSV moves.
    insert(
        house / "runs" / "figures.py", ")  # fmt: skip\n\n\ndef figure(",
        '    Figure(\n        "swap", "swapped memory", "memory", units.MEGABYTES,\n'
        "        lambda record: part_of(record.metrics.memory, lambda it: it.swapped_bytes),\n"
        '        Names("Swap", "swapped", csv="swapped_bytes", junit="swapped_bytes", series="swapped memory"),\n'
        '        better="less", whole=True,\n    ),\n',
    )  # fmt: skip


def add_command(root: Path) -> None:
    """Add a command that takes the options of a run."""
    commands = root / "benchsuite" / "commands"
    (commands / "count.py").write_text(COMMAND)
    insert(
        commands / "app.py", "@app.command()\n@takes_case_options(\n    *GATE, *LIMITS, *BASELINES, *CALIBRATION",
        '@app.command()\n@takes_case_options()\ndef count(given: Mapping[str, str]) -> None:\n'
        '    """Say how many cases these options select.\n\n    Example: benchsuite count --backend onnx\n    """\n'
        "    from benchsuite.commands.count import count_line\n\n    typer.echo(count_line(given))\n\n\n",
    )  # fmt: skip


CHANGES = (Change("a runtime", 4, add_runtime), Change("a figure", 3, add_figure), Change("a command", 2, add_command))
NO_PART = ("tests/", "docs/", "README", "CHANGELOG", "CONTRIBUTING")


def touched(copy: Path) -> list[str]:
    """Return the files that differ from the checkout, tests and documentation apart."""
    done = subprocess.run(
        ["git", "status", "--porcelain", "--untracked-files=all"], cwd=copy, capture_output=True, text=True, check=True
    )
    return sorted(path for line in done.stdout.splitlines() if not (path := line[3:]).startswith(NO_PART))


def checks(copy: Path) -> list[list[str]]:
    """Return what must pass in the copy."""
    python = [sys.executable, "-m"]
    return [
        [*python, "ruff", "check", "benchsuite"],
        [*python, "mypy"],
        ["lint-imports"],
        [*python, "pytest", "-q", "-n", "2"],
    ]


def main() -> int:
    """Make each change in a copy of its own and say what it took; 1 where one took too much or failed the tests."""
    failed = False
    for change in CHANGES:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "copy"
            subprocess.run(["git", "clone", "--quiet", str(ROOT), str(copy)], check=True)
            change.make(copy)
            files = touched(copy)
            failed |= len(files) > change.most_files
            print(f"{change.what}: {len(files)} files, at most {change.most_files}: {', '.join(files)}", flush=True)
            for command in checks(copy):
                done = subprocess.run(command, cwd=copy, env=_environment(copy), capture_output=True, text=True)
                lines = (done.stdout + done.stderr).strip().splitlines() or [""]
                print(f"  {' '.join(Path(word).name for word in command)}: {lines[-1]}", flush=True)
                if done.returncode:
                    failed = True
                    print("\n".join(f"    {line}" for line in lines[-40:]))
    return int(failed)


def _environment(copy: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(copy)}


if __name__ == "__main__":
    sys.exit(main())
