"""The check on a GPU machine, as far as a machine without one can tell: its wheels, its commands, what it leaves."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from check import wheel_names
from commands import call, environment
from figures import gpu_lines
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from results import FILES, Results

from benchsuite.backends.interface import DeviceTimes
from benchsuite.machine.nvml import GpuState
from benchsuite.measure.gpu_use import gpu_use
from benchsuite.runs.folder import point_latest, read_run
from benchsuite.terms.absence import Absent
from benchsuite.testing import make_case, make_record, make_run, write_run

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
LIST = (HERE / "wheels.txt").read_text()
WHEELS = {wheel.name: wheel for wheel in map(Requirement, filter(lambda line: line[:1].isalpha(), LIST.splitlines()))}
# The machine that the wheels are for.
TARGET = {
    "python_version": "3.12", "python_full_version": "3.12.3", "sys_platform": "linux", "platform_system": "Linux",
    "platform_machine": "x86_64", "os_name": "posix", "implementation_name": "cpython", "extra": "",
}  # fmt: skip
# Without the variables of these tests, so that what is started finds its modules itself.
PLAIN = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"PYTHON": sys.executable}


def noted(kind: str) -> set[str]:
    """Return the packages that the list's comments of one kind name."""
    lines = [line.partition(": ") for line in LIST.splitlines()]
    return {name for head, _, names in lines if head == f"# {kind}" for name in names.split()}


def needed(requirements: list[str]) -> Iterator[tuple[str, Requirement]]:
    """Yield the requirements that apply on that machine, by name."""
    for requirement in map(Requirement, requirements):
        if requirement.marker is None or requirement.marker.evaluate(TARGET):
            yield canonicalize_name(requirement.name), requirement


def test_wheels_cover_what_benchsuite_and_they_themselves_need() -> None:
    """Every need is a wheel of the same versions, or named as there, or named as left out; none is two of these."""
    tomllib = pytest.importorskip("tomllib")
    there, left_out = noted("there"), noted("left out")
    known = WHEELS.keys() | there | left_out
    assert len(known) == len(WHEELS) + len(there) + len(left_out)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for name, requirement in needed(project["dependencies"]):
        assert name in known
        assert name not in WHEELS or WHEELS[name].specifier == requirement.specifier
    for wheel in WHEELS:
        own = {name for name, _ in needed(importlib.metadata.requires(wheel) or [])}
        assert not own - known, wheel


def test_readme_lists_the_wheels() -> None:
    """The README's table and the check itself read the same packages as pip."""
    section = (HERE / "README.md").read_text().partition("## The wheels")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall("`(.+?)`", row)} == WHEELS.keys()
    assert set(wheel_names(LIST)) == WHEELS.keys()


@pytest.mark.slow
def test_what_is_left_out_is_not_imported() -> None:
    """The bundled network runs, and the page's and the plugin's code loads, without any package that is left out."""
    modules = importlib.metadata.packages_distributions()
    hidden = {module for module, names in modules.items() if {*map(canonicalize_name, names)} & noted("left out")}
    assert {"openvino", "ncnn", "matplotlib"} <= hidden
    code = f"""
import sys
sys.modules.update(dict.fromkeys({sorted(hidden)}))
import torch
import benchsuite.commands.report, benchsuite.plugin.session, benchsuite.report.page
from pathlib import Path
from benchsuite.artifacts.builder import describe_checkpoint
from benchsuite.networks.weights import BUNDLED, resolve
weights = resolve([BUNDLED], Path())[0].path
assert describe_checkpoint({{"weights": weights}})["heads"] == ["one2many", "end2end"]
from benchsuite.report.drawing import library
assert library()
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_shell_reads_the_script() -> None:
    """`run.sh` has no fault that bash finds without running it, and can be started."""
    subprocess.run(["bash", "-n", str(HERE / "run.sh")], check=True)
    told = subprocess.run([HERE / "run.sh", "--help"], capture_output=True, text=True, check=True, env=PLAIN)
    assert "--rehearse" in told.stdout


def test_command_is_heard_and_ends_in_time() -> None:
    """Each line is heard as it comes; a command that outlasts its limit is ended, with what it has started."""
    lines: list[str] = []
    code = "import subprocess; print('begun', flush=True); subprocess.run(['sleep', '60'])"
    started = time.monotonic()
    assert call([sys.executable, "-c", code], PLAIN, 1.0, lines.append) is None
    assert time.monotonic() - started < 20
    assert lines[0] == "begun"
    assert call([sys.executable, "-c", "raise SystemExit(7)"], PLAIN, 60, lines.append) == 7


def test_commands_see_neither_home_nor_registries(tmp_path: Path) -> None:
    """What asks for the home folder is given another one, and pip is told that there is no index."""
    code = "import os, pathlib, tempfile; print(pathlib.Path.home(), tempfile.gettempdir(), os.environ['PIP_NO_INDEX'])"
    lines: list[str] = []
    call([sys.executable, "-c", code], environment(tmp_path), 60, lines.append)
    # The measuring lock lies in the machine's own folder for temporary files.
    assert lines == [f"{tmp_path / 'home'} {tempfile.gettempdir()} 1"]


def test_folder_is_a_run_at_every_moment(tmp_path: Path) -> None:
    """Records of several runs are joined while the last of them still writes one, and a run's folder comes out."""
    first, second = make_record(make_case()), make_record(make_case(imgsz=320))
    results = Results(tmp_path / "out", ["bench", "compile"])
    for name, record, state in (("bench", first, "finished"), ("compile", second, "interrupted")):
        run = make_run([record], state=state, command=f"pytest {name}", options={"effort": "quick", "imgsz": name})
        folder = write_run(tmp_path / name, run)
        point_latest(tmp_path / name, folder)
        results.follow(tmp_path / name)
        results.refresh()
    with (folder / "records.jsonl").open("a") as file:
        file.write('{"schema": 1, "ca')
    results.refresh()
    results.write_table()
    results.close()
    joined = read_run(tmp_path / "out")
    assert joined.records == (first, second)
    assert joined.selected_ids == (first.case.id, second.case.id)
    assert (joined.command, joined.state) == ("pytest bench && pytest compile", "interrupted")
    assert joined.options == {"effort": "quick"}
    assert {path.name for path in (tmp_path / "out").iterdir()} <= set(FILES)
    assert (tmp_path / "out" / "table.txt").read_text().endswith("\nthe check was cut off\n")


def test_figures_of_a_gpu_name_what_is_absent(tmp_path: Path) -> None:
    """A case on a GPU gets its figures, each with its reason where there is none; a case on the CPU gets no line."""
    state = GpuState(1980, 2619, 41, Absent("not told"), 1_000, ("power brake",), (5, 9))
    on_gpu = make_record(make_case(device="cuda:0"))
    use = gpu_use(state, replace(state, energy_mj=5_000), 8, 5, [DeviceTimes(1_000_000, 2_500_000, 3_000)])
    on_gpu = replace(on_gpu, metrics=replace(on_gpu.metrics, gpu=use))
    written = write_run(tmp_path, make_run([on_gpu, make_record(make_case())])) / "records.jsonl"
    lines = list(gpu_lines([json.loads(line) for line in written.read_text().splitlines()]))
    assert lines[0] == on_gpu.case.id
    text = "\n".join(lines)
    assert "1980, before 1980; power brake" in text
    assert "absent: not told" in text
    assert "energy J a call     0.5" in text
    assert "others: [9]" in text
    assert "compute  p50 ms     2.500 of 1 calls" in text
    assert sum(not line.startswith(" ") for line in lines) == 1
