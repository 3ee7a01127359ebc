"""The `benchsuite` command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from benchsuite.commands.app import app
from benchsuite.compare.findings import Finding, write_findings
from benchsuite.testing import make_case, make_record, make_run, write_run
from tests.unit.commands.conftest import ROOT, Command


def every_command(group: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the words of every command and of those below it."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from every_command(command, (*words, name))
        else:
            yield (*words, name)


@pytest.mark.parametrize("words", list(every_command(get_command(app))), ids=" ".join)
def test_every_command_has_help_with_an_example(command: Command, words: tuple[str, ...]) -> None:
    """`--help` of each command shows a line that can be typed."""
    found = command(*words, "--help")
    assert found.returncode == 0
    assert f"Example: benchsuite {' '.join(words)}" in " ".join(found.stdout.split())


@pytest.mark.parametrize(
    ("words", "shown", "left_out"),
    [
        (("cases",), {"--backend", "--case", "--head", "--data", "--effort"}, {"--against", "--max-latency", "--lang"}),
        (("gate",), {"--against", "--waivers", "--alpha", "--lang"}, {"--max-latency", "--machine", "--resume"}),
        (("selftest",), {"--alpha", "--gate-budget", "--calib", "--replay"},
         {"--against", "--same-artifacts", "--gate-strict", "--waivers", "--min-map", "--baseline"}),
        (("study", "precision"), {"--precision", "--quant-scheme", "--calib-method"}, {"--alpha", "--max-memory"}),
        (("study", "schemes"), {"--data", "--calib-method"}, {"--precision", "--quant-scheme", "--gate-metrics"}),
        (("study", "calibration"), {"--sizes", "--calib"}, {"--calib-size", "--calib-method", "--quant-scheme"}),
    ],
    ids=lambda it: " ".join(it) if isinstance(it, tuple) else "",
)  # fmt: skip
def test_help_lists_what_the_command_uses(words: tuple[str, ...], shown: set[str], left_out: set[str]) -> None:
    """Options that a command has no use for are not in its help, and are taken all the same."""
    command = get_command(app)
    for word in words:
        command = command.commands[word]  # type: ignore[attr-defined]
    visible = {flag for option in command.params for flag in option.opts if not getattr(option, "hidden", False)}
    assert shown <= visible
    assert not left_out & visible
    assert left_out - {"--resume"} <= {flag for option in command.params for flag in option.opts}


def test_cases_lists_ids_and_reasons(command: Command) -> None:
    """Each selected case has its id and whether it can run here."""
    found = command("cases", "--backend", "onnx", "--precision", "fp32,bf16")
    assert "yolo26n_shapes-onnx-fp32-cpu-640-b1" in found.stdout
    assert "can run" in found.stdout
    assert "no bf16 convolution kernels" in " ".join(found.stdout.split())


def test_bad_options_are_exit_code_2_without_a_traceback(command: Command) -> None:
    """A bad option is one message on stderr and exit code 2, as in pytest's usage errors with all of them named."""
    found = command("cases", "--backend", "tensorflow", "--imgsz", "33")
    assert found.returncode == 2
    assert "--backend tensorflow" in found.stderr
    assert "--imgsz 33" in found.stderr
    assert "Traceback" not in found.stderr


def test_slowdown_that_is_none_is_one_sentence(command: Command) -> None:
    """A self-test that is asked to inject something else than percent says what it takes, by its own option."""
    found = command("selftest", "--inject", "much")
    assert found.returncode == 2
    assert found.stderr == "benchsuite: --inject much: give percent between 0 and 100, as in 5%.\n"


def test_init_writes_what_a_repository_needs_and_overwrites_nothing(command: Command, tmp_path: Path) -> None:
    """`init` writes benchmarks and baselines beside a conftest.py of the user's; a second time it refuses."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "conftest.py").write_text("mine")
    assert command("init", "mine").returncode == 0
    written = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert {Path("mine/bench/test_latency.py"), Path("mine/baselines/tolerances.toml")} < written.keys()
    assert written[Path("mine/conftest.py")] == b"mine"
    again = command("init", "mine")
    assert again.returncode == 2
    assert "let --update write what is missing" in again.stderr
    assert {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == written


def test_report_compare_and_promote_read_a_run(command: Command, tmp_path: Path) -> None:
    """A run's folder can be rendered again, compared and promoted, where it broke a limit only by saying so."""
    made = [make_record(), make_record(make_case(backend="onnx"), total_ms=20.0)]
    folder = write_run(tmp_path / "reports", make_run(made))
    other = write_run(tmp_path / "reports", make_run(made))
    assert command("report", str(folder)).returncode == 0
    assert (folder / "index.html").is_file()
    compared = command("compare", str(folder), str(other))
    assert compared.returncode == 0
    assert made[0].case.id in compared.stdout
    write_findings(folder, [Finding(made[0].case.id, "latency", "OVER_LIMIT", "", "", "", "", fails=True)])
    refused = command("promote", str(folder), "--machine", "here")
    assert (refused.returncode, "give --over-limits" in refused.stderr) == (2, True)
    promoted = command("promote", str(folder), "--machine", "here", "--over-limits")
    assert promoted.returncode == 0, promoted.stderr
    assert list((tmp_path / "baselines" / "here").glob("*.json"))


def test_file_in_place_of_a_run_is_not_shown(command: Command, tmp_path: Path) -> None:
    """What a file holds is nobody's business, be it named as a run or called `latest`."""
    for name, sentence in (("secret.txt", "is not a run"), ("latest", "it names no run beside it")):
        (tmp_path / name).write_text("the password\n")
        found = command("report", name)
        assert sentence in found.stderr
        assert "password" not in found.stdout + found.stderr


def test_escape_codes_of_a_record_never_reach_the_terminal(command: Command, tmp_path: Path) -> None:
    """A case that was named by somebody else is printed as text."""
    folders = [
        write_run(tmp_path / "reports", make_run([make_record(make_case(model="a\x1b]0;b\x07"), total_ms=ms)]))
        for ms in (40.0, 20.0)
    ]
    found = command("compare", *map(str, folders))
    assert found.returncode == 0, found.stderr
    assert "a\\x1b]0;b\\x07" in found.stdout
    assert "\x1b" not in found.stdout


@pytest.mark.parametrize("words", [("report", "nowhere"), ("promote", "nowhere"), ("compare", "nowhere", "nowhere")])
def test_folder_that_is_no_run_is_one_sentence(command: Command, words: tuple[str, ...]) -> None:
    """A path that is no run ends in exit code 2 and says how a run is made."""
    found = command(*words)
    assert found.returncode == 2
    assert "is not a run" in found.stderr
    assert "Traceback" not in found.stderr


def test_gate_reports_in_the_language_that_was_asked_for(command: Command, tmp_path: Path) -> None:
    """A gate in which no case can run is reported in Chinese all the same."""
    (tmp_path / "store" / "artifacts").mkdir(parents=True)
    words = ("--backend", "trt", "--device", "cpu", "--precision", "fp32", "--against", "store:store", "--lang", "zh")
    found = command("gate", *words)
    assert "no case could be timed" in found.stdout, found.stderr
    assert "没有测量" in (tmp_path / "reports" / "latest" / "summary.md").read_text()


def test_export_into_a_pipe_is_the_figures_alone(command: Command, tmp_path: Path) -> None:
    """What is written to standard output is the table, and the note that it was written goes elsewhere."""
    folder = write_run(tmp_path / "reports", make_run([make_record()]))
    found = command("export", str(folder), "-o", "/dev/stdout")
    assert found.returncode == 0, found.stderr
    header, row, *rest = found.stdout.splitlines()
    assert (header.split(",")[0], row.split(",")[0], rest) == ("run", folder.name, [])
    assert "wrote /dev/stdout" in found.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--max-map-drop", "nan"), "--max-map-drop nan: it must be a number of mAP points"),
        (("--max-map-drop", "-5"), "--max-map-drop -5: it must be a number of mAP points"),
        (("--watts", "5"), "they are for runs side by side"),
        (("--reference", "7"), "they are for runs side by side"),
        (("--lang", "xx"), "--lang xx: there is no such language; give one of en, zh"),
        (("-o", ""), "cannot write .: it names no file"),
        (("-o", "x.html", "--watts", "1e-320"), "give a number from 0.0001 to 10000000"),
    ],
)
def test_report_refuses_options_that_cannot_be_or_do_nothing(
    command: Command, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    """One sentence, exit code 2, and no page."""
    folder = write_run(tmp_path / "reports", make_run([make_record()]))
    found = command("report", str(folder), *words)
    assert (found.returncode, message in " ".join(found.stderr.split())) == (2, True), found.stderr
    assert not (tmp_path / "x.html").exists()


def test_cache_lists_and_cleans_all_that_can_be_made_again(command: Command, tmp_path: Path) -> None:
    """Artifacts, evaluations and searches are listed with what cannot be read, and cleaned by one rule."""
    cache = tmp_path / "cache"
    shutil.copytree(ROOT / "tests" / "samples" / "0.1.0" / "cache", cache)
    (cache / "artifacts" / ("f" * 16)).mkdir()
    (cache / "artifacts" / ("f" * 16) / "artifact.json").write_text("{")
    *lines, damage, total = command("cache", "list").stdout.splitlines()
    assert sorted(line.split("  ")[-1] for line in lines) == [
        *["evaluation"] * 3, "search", "weights abababababab onnx fp32 640 px b1 one2many",
    ]  # fmt: skip
    assert damage.startswith(f"cannot read {cache / 'artifacts' / ('f' * 16) / 'artifact.json'}: ")
    assert total == "1 artifacts, 4 evaluations and searches, 0 MB"
    cleaned = command("cache", "clean").stdout.splitlines()
    assert cleaned == [damage, "removed 1 artifacts, 4 evaluations and searches, 0 MB"]
    assert command("cache", "list").stdout.splitlines() == [damage, "0 artifacts, 0 evaluations and searches, 0 MB"]


def test_cache_clean_refuses_a_size_it_cannot_read(command: Command) -> None:
    """An unreadable size removes nothing."""
    assert command("cache", "clean", "--max-size", "lots").returncode == 2
    assert "0 artifacts" in command("cache", "list").stdout


def test_selftest_says_where_it_cannot_write(command: Command, tmp_path: Path) -> None:
    """A folder for results that cannot be is one sentence with its path."""
    (tmp_path / "taken").touch()
    found = command("selftest", "--aa", "1", "--backend", "onnx", "--precision", "fp32", "--report", "taken/reports")
    assert found.returncode == 2
    assert "taken/reports" in found.stderr
    assert "Traceback" not in found.stderr


def test_dash_is_standard_output(command: Command, tmp_path: Path) -> None:
    """`-o -` writes into the pipe and nowhere else; what was written is said beside it."""
    folder = write_run(tmp_path / "reports", make_run([make_record()]))
    found = command("export", str(folder), "-o", "-")
    assert found.stdout.splitlines()[1].split(",")[3] == make_case().id
    assert found.stderr == "wrote /dev/stdout\n"
    assert command("report", str(folder), str(folder), "-o", "-").stdout.startswith("<!")
    assert not (tmp_path / "-").exists()


SPEEDS = {"a": 40.0, "b": 20.0}


def test_terminal_without_dashes_gets_a_table(tmp_path: Path) -> None:
    """What standard output has no sign for has a plain one in its place."""
    folders = [str(write_run(tmp_path / name, make_run([make_record(total_ms=ms)]))) for name, ms in SPEEDS.items()]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "iso8859-5"}
    line = [sys.executable, "-m", "benchsuite", "compare", *folders]
    found = subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True)
    assert found.returncode == 0
    # A minus of its own.
    assert b"-50.0 %" in found.stdout
    assert b"\\u" not in found.stdout
