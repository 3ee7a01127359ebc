"""The plugin on cases that are measured, by runtimes that take no time."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

# A run in this process drops the modules that it was first to import, and these load only once.
import scipy.special  # noqa: F401
import yaml

from benchsuite.backends.interface import ArtifactChoices, ArtifactNeed
from benchsuite.machine.facts import Machine
from benchsuite.runs.folder import read_run
from benchsuite.terms.absence import Absent, part_of
from benchsuite.terms.cases import Case
from benchsuite.testing import FakeBackend, draw_small_data
from tests.plugin.conftest import Bench

MATRIX = ("--backend", "torch,onnx", "--precision", "fp32,int8", "--imgsz", "64", "--effort", "quick", "--threads", "2")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a few small pictures."""
    return draw_small_data(tmp_path_factory.mktemp("data"))


def speeds(case: Case) -> float:
    """Let ONNX Runtime be twice as fast as PyTorch, and INT8 faster still."""
    return (40.0 if case.backend == "torch" else 20.0) * (0.6 if case.precision == "int8" else 1.0)


RUNTIMES = (FakeBackend("torch", speeds), FakeBackend("onnx", speeds))


def test_measured_cases_leave_records_samples_table_and_page(bench: Bench, pytester: pytest.Pytester) -> None:
    """Every metric of every case is measured once, recorded, printed and reported."""
    result = bench(*MATRIX, "--benchmark-json", "bench.json", "--junitxml", "junit.xml", runtimes=RUNTIMES)
    result.assert_outcomes(passed=4 * 9)
    run = read_run(pytester.path / "reports" / "latest")
    assert [record.outcome for record in run.records] == ["measured"] * 4
    for record in run.records:
        latency, throughput = record.metrics.latency, record.metrics.throughput
        assert not isinstance(latency, Absent)
        assert not isinstance(throughput, Absent)
        assert latency.inference_ns.p50 == pytest.approx(speeds(record.case) * 1e6, rel=0.01)
        assert throughput.images_per_s == pytest.approx(2 * 1e3 / speeds(record.case), rel=0.05)
        assert (run.folder / latency.samples_file).is_file()
        # Fakes all find the same.
        loss = record.metrics.loss
        assert not isinstance(loss, Absent)
        assert (loss.points, loss.images, loss.reference) == (0.0, 4, "torch fp32")
    result.stdout.fnmatch_lines(["*onnx int8*12.0*", "Report: *index.html"])
    benchmarks = json.loads((pytester.path / "bench.json").read_text())["benchmarks"]
    ran = {it["extra_info"]["case"]: it["extra_info"]["ran"] for it in benchmarks}
    assert ran == {record.case.id: record.validity.label for record in run.records}
    junit = (pytester.path / "junit.xml").read_text()
    for name in ("images_per_s", "artifact_bytes", "params", "gflops", "kernels", "ran"):
        assert junit.count(f'name="{name}"') == 4, name
    assert "onnx int8" in (run.folder / "index.html").read_text()


def test_without_pytest_benchmark_all_is_measured_and_recorded(bench: Bench, pytester: pytest.Pytester) -> None:
    """`-p no:benchmark` costs its table and files, and nothing else."""
    bench(*MATRIX, "-p", "no:benchmark", "--strict-markers").assert_outcomes(passed=4 * 9)
    assert {it.outcome for it in read_run(pytester.path / "reports" / "latest").records} == {"measured"}


def test_quiet_run_has_a_line_a_case_too(bench: Bench) -> None:
    """Under `-q` no dots stand before the lines of the cases."""
    result = bench(*MATRIX, "-q", "-p", "no:benchmark")
    result.stdout.fnmatch_lines(["4 of 4 cases to measure, about * s and the time to build artifacts (a guess: no*"])
    lines = [line for line in result.outlines if line.startswith("yolo26n_shapes-")]
    assert [line.split("-")[:3] for line in lines] == [
        ["yolo26n_shapes", name, precision] for name in ("torch", "onnx") for precision in ("fp32", "int8")
    ]
    assert not [line for line in result.outlines if re.match(r"\.+(\w|\s|$)", line)]
    assert "36 passed" in result.outlines[-1]


def test_impatient_interrupts_leave_a_page(bench: Bench, pytester: pytest.Pytester) -> None:
    """Three Ctrl-C in a second end the run with what it has, and the page is written."""
    (pytester.path / "bench" / "test_zz.py").write_text(
        "import os, signal\n"
        "def test_hand(case, run):\n"
        "    try:\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "    finally:\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
    )
    assert bench(*MATRIX).ret == pytest.ExitCode.INTERRUPTED
    # No case was recorded, so nothing is the latest.
    (folder,) = (pytester.path / "reports").glob("[0-9]*")
    run = read_run(folder)
    assert run.state == "interrupted"
    assert (run.folder / "index.html").is_file()


class CalibratedBackend(FakeBackend):
    """A fake whose INT8 is said to be calibrated."""

    def need(self, case: Case, machine: Machine, choices: ArtifactChoices) -> ArtifactNeed:
        return replace(super().need(case, machine, choices), calibrated=case.precision == "int8")


def test_loss_tells_what_was_calibrated_on(bench: Bench, pytester: pytest.Pytester, data: Path) -> None:
    """Images that set the INT8 ranges and are evaluated too flatter the loss, and are counted with it."""
    same = {**yaml.safe_load(data.read_text()), "path": str(data.parent)}
    (pytester.path / "same.yaml").write_text(yaml.safe_dump({**same, "calib": same["val"]}))
    runtime = CalibratedBackend("onnx", schemes=("qdq",), methods=("minmax",))
    bench("--backend", "onnx", *MATRIX[2:], "--calib", "same.yaml", runtimes=(runtime,))
    records = read_run(pytester.path / "reports" / "latest").records
    losses = {record.case.precision: record.metrics.loss for record in records}
    assert {precision: part_of(loss, lambda it: it.calibrated_on) for precision, loss in losses.items()} == {
        "fp32": 0, "int8": 4,
    }  # fmt: skip


def test_one_case_by_its_id(bench: Bench, pytester: pytest.Pytester) -> None:
    """An id that a report printed selects that case and no other."""
    bench(*MATRIX)
    ids = [record.case.id for record in read_run(pytester.path / "reports" / "latest").records]
    bench("--case", ids[-1], "--effort", "quick", "--threads", "2").assert_outcomes(passed=9)
    assert [record.case.id for record in read_run(pytester.path / "reports" / "latest").records] == ids[-1:]


def test_a_worker_that_dies_costs_its_case_only(bench: Bench, pytester: pytest.Pytester) -> None:
    """The case fails with what the worker said, the others are measured, and the run is red."""
    failing = FakeBackend(
        "onnx", fails=lambda case, asked: "killed" if (case.precision, asked) == ("int8", "turn") else None
    )
    result = bench(*MATRIX, runtimes=(FakeBackend("torch"), failing))
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    records = read_run(pytester.path / "reports" / "latest").records
    assert [(record.outcome, record.reason) for record in records if record.outcome != "measured"] == [
        ("failed", "killed")
    ]
    assert len(records) == 4


def test_a_promoted_run_holds_the_next_one(bench: Bench, pytester: pytest.Pytester) -> None:
    """What is counted is compared with the baseline, and a figure beyond its tolerance fails the test that answers."""
    from benchsuite.compare import promotion

    bench(*MATRIX)
    promotion.promote(read_run(pytester.path / "reports" / "latest"), pytester.path / "baselines", None)
    held = bench(*MATRIX)
    held.assert_outcomes(passed=4 * 9)
    held.stdout.fnmatch_lines(["Baseline baselines/*: * passed, 4 without a verdict*"])
    (path,) = (pytester.path / "baselines").glob("*/*.json")
    entries = json.loads(path.read_text())
    for entry in entries["entries"].values():
        entry["artifact"]["bytes"] //= 2
    path.write_text(json.dumps(entries))
    result = bench(*MATRIX)
    result.assert_outcomes(passed=4 * 8, failed=4)
    result.stdout.fnmatch_lines(["*artifact size*", "FAILED bench/test_size.py::test_artifact_size*"])


def test_older_copies_of_the_benchmarks_go_on_running(bench: Bench, pytester: pytest.Pytester) -> None:
    """What `benchsuite init` wrote in earlier releases asks for the same fixtures."""
    older = pytester.path / "bench" / "test_older.py"
    older.write_text(
        "def test_older_size(case, run):\n"
        "    artifact = run.artifact(case)\n"
        "    assert artifact.bytes > 0\n"
        "    assert artifact.sha256\n"
        "def test_older_cold_start(case, run, verdict):\n"
        "    verdict(run.cold(case))\n"
    )
    bench(*MATRIX, "-k", "older_size or older_cold_start").assert_outcomes(passed=4 * 2, deselected=4 * 9)


def test_case_that_the_baseline_has_and_the_run_lacks_is_red(bench: Bench, pytester: pytest.Pytester) -> None:
    """A case that was measured when the baseline was made, and cannot run now, fails the run."""
    from benchsuite.compare import promotion

    bench(*MATRIX)
    promotion.promote(read_run(pytester.path / "reports" / "latest"), pytester.path / "baselines", None)
    refusing = FakeBackend("onnx", refuses=lambda case: "its kernels are gone" if case.precision == "int8" else None)
    result = bench(*MATRIX, runtimes=(FakeBackend("torch"), refusing))
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*MISSING*"])


def test_limits_fail_the_latency_test(bench: Bench) -> None:
    """A service goal that is missed fails its test with both values."""
    result = bench(*MATRIX, "--max-latency", "p50=30ms", runtimes=RUNTIMES)
    result.assert_outcomes(passed=4 * 9 - 1, failed=1)
    result.stdout.fnmatch_lines(["*OVER_LIMIT  total latency", "*current   ??.? ms", "*allowed   30.0 ms"])


def test_a_stopped_run_goes_on(bench: Bench, pytester: pytest.Pytester) -> None:
    """An interrupted case leaves no record, and `--resume` measures what is left and times nothing again."""
    stop = pytester.path / "bench" / "test_stop.py"
    stop.write_text("def test_stop(case, run):\n    if case.backend == 'onnx':\n        raise KeyboardInterrupt\n")
    result = bench(*MATRIX)
    stop.unlink()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    # The interrupted test could not use its clock.
    result.stdout.no_fnmatch_line("*Benchmark fixture was not used*")
    folder = pytester.path / "reports" / "latest"
    before = [record.case.id for record in read_run(folder).records]
    assert all("torch" in case_id for case_id in before)
    again = FakeBackend("torch", fails=lambda _case, asked: pytest.fail(f"{asked} was asked again"))
    untimed = FakeBackend("onnx", fails=lambda _case, asked: pytest.fail("timed again") if asked == "turn" else None)
    result = bench("--resume", runtimes=(again, untimed))
    assert result.ret == pytest.ExitCode.OK
    run = read_run(folder)
    assert run.state == "finished"
    assert len(run.records) == 4
    assert [record.case.id for record in run.records][: len(before)] == before


def test_a_run_that_is_stopped_while_it_evaluates_keeps_its_times(bench: Bench, pytester: pytest.Pytester) -> None:
    """What was timed before the first record is not timed again, and the end says that it goes on."""

    def stop(case: Case, asked: str) -> str | None:
        if (case.backend, asked) == ("onnx", "evaluate"):
            raise KeyboardInterrupt
        return None

    result = bench(*MATRIX, runtimes=(FakeBackend("torch"), FakeBackend("onnx", fails=stop)))
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["No case was recorded, and their times are kept: `pytest bench/ --resume` goes on."])
    assert not (pytester.path / "reports" / "latest").exists()
    untimed = FakeBackend("onnx", fails=lambda _case, asked: pytest.fail("timed again") if asked == "turn" else None)
    assert bench("--resume", runtimes=(FakeBackend("torch"), untimed)).ret == pytest.ExitCode.OK
    assert len(read_run(pytester.path / "reports" / "latest").records) == 4


def test_gate_before_the_tests(bench: Bench, pytester: pytest.Pytester, tmp_path: Path) -> None:
    """`--against` decides about every case before its tests, beside weights that are measured again."""
    import shutil

    from benchsuite.networks.weights import BUNDLED, resolve

    other = tmp_path / "older.pt"
    shutil.copy(resolve([BUNDLED], tmp_path)[0].path, other)

    def slower(case: Case) -> float:
        return 20.0 if case.model == "older" else 24.0

    gated: dict[str, Any] = {"runtimes": (FakeBackend("torch", slower), FakeBackend("onnx", slower))}
    result = bench("--backend", "onnx", "--precision", "fp32", "--imgsz", "64", "--effort", "quick", "--against",
                   str(other), **gated)  # fmt: skip
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*REGRESSED*"])
    # What stays open fails nothing, and stands with its figures in the file that CI reads.
    result = bench("--backend", "onnx", "--precision", "fp32", "--imgsz", "64", "--effort", "quick", "--against",
                   str(other), "--gate-budget", "0.2s", "--junitxml", "junit.xml", **gated)  # fmt: skip
    assert result.ret == pytest.ExitCode.OK
    told = (pytester.path / "junit.xml").read_text()
    assert re.search(
        r'name="gate_latency" value="INCONCLUSIVE: Not decided: (no block|\+\d+\.\d %).* excluded.* more blocks', told
    )
    # Without a baseline's artifact there is nothing to compare, which every test of the case says.
    (tmp_path / "store" / "artifacts").mkdir(parents=True)
    for strict, code in (((), pytest.ExitCode.OK), (("--gate-strict",), pytest.ExitCode.TESTS_FAILED)):
        result = bench("--backend", "onnx", "--precision", "fp32", "--imgsz", "64", "--effort", "quick", "--against",
                       f"store:{tmp_path / 'store'}", "--junitxml", "junit.xml", *strict, **gated)  # fmt: skip
        assert result.ret == code
        told = (pytester.path / "junit.xml").read_text()
        assert told.count('name="gate_case" value="NOT_COMPARABLE: The baseline cannot be measured: ') >= 7
        word = "FAILED" if strict else "NOT DECIDED"
        assert f" {word}\n" in (pytester.path / "reports" / "latest" / "summary.md").read_text()
