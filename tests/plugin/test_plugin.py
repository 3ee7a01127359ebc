"""The plugin as pytest users meet it, on cases that need no measuring: TensorRT skips every one on the CPU."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SKIPPING = ("--backend", "trt", "--device", "cpu")


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Give a folder with this repository's bench/, and a cache of its own."""
    from benchsuite.commands.init import scaffold

    scaffold(pytester.path)
    monkeypatch.setenv("BENCHSUITE_CACHE", str(pytester.path / "cache"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return pytester


def test_collected_ids_are_case_ids(project: pytest.Pytester) -> None:
    """Every test of every case has the case's id, tests of one case stand together."""
    arguments = (*SKIPPING, "--precision", "fp32,int8")
    result = project.runpytest_subprocess("bench/", "--collect-only", "-q", *arguments)
    result.assert_outcomes()
    ids = [line.split("[")[1].rstrip("]") for line in result.outlines if "::" in line]
    assert ids == sorted(ids)
    assert set(ids) == {"yolo26n_shapes-trt-fp32-cpu-640-b1", "yolo26n_shapes-trt-int8-cpu-640-b1"}


def test_case_that_cannot_run_is_skipped_with_its_reason_and_recorded(project: pytest.Pytester) -> None:
    """A skipped case keeps its row: a record, a line on the terminal, and the reason in both."""
    result = project.runpytest_subprocess("bench/", *SKIPPING, "--precision", "fp32")
    outcomes = result.parseoutcomes()
    assert set(outcomes) == {"skipped"}
    assert result.ret == 0
    (line,) = (project.path / "reports" / "latest" / "records.jsonl").read_text().splitlines()
    record = json.loads(line)
    assert record["outcome"] == "skipped"
    assert "runs on NVIDIA GPUs only" in record["reason"]["text"]
    assert "runs on NVIDIA GPUs only" in result.stdout.str()
    assert (project.path / "reports" / "latest" / "index.html").is_file()
    assert max(len(text) for text in result.outlines if "yolo26n_shapes-trt" in text) <= 80


def test_report_is_written_in_the_language_that_was_asked_for(project: pytest.Pytester) -> None:
    """`--lang zh` gives a Chinese page and summary, and a language that there is not is a usage error."""
    project.runpytest_subprocess("bench/", *SKIPPING, "--precision", "fp32", "--lang", "zh")
    latest = project.path / "reports" / "latest"
    assert '<html lang="zh-Hans">' in (latest / "index.html").read_text()
    assert "没有测量" in (latest / "summary.md").read_text()
    result = project.runpytest_subprocess("bench/", *SKIPPING, "--lang", "xx")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "--lang xx: it is not one of en, zh" in result.stderr.str()


def test_k_selects_by_case_id(project: pytest.Pytester) -> None:
    """A case's id, pasted into -k, selects that case, and only it is recorded."""
    case_id = "yolo26n_shapes-trt-int8-cpu-640-b1"
    project.runpytest_subprocess("bench/", *SKIPPING, "-k", case_id)
    records = (project.path / "reports" / "latest" / "records.jsonl").read_text().splitlines()
    assert [json.loads(line)["case"]["id"] for line in records] == [case_id]


def test_k_finds_an_id_that_pytest_escapes(project: pytest.Pytester) -> None:
    """In names of tests it stands in escapes, which nobody types; the line that reruns the case names it by --case."""
    shutil.copy(ROOT / "benchsuite" / "networks" / "yolo26n_shapes.pt", project.path / "模型.pt")
    latest, case_id = project.path / "reports" / "latest", "模型-trt-int8-cpu-640-b1"
    for words in (("-k", case_id, *SKIPPING), ("--case", case_id)):
        project.runpytest_subprocess("bench/", "--model", "模型.pt", *words)
        records = (latest / "records.jsonl").read_text(encoding="utf-8").splitlines()
        assert [json.loads(line)["case"]["id"] for line in records] == [case_id]
    assert f"--case &#39;{case_id}&#39;" in (latest / "index.html").read_text(encoding="utf-8")


def test_bad_options_are_a_usage_error_with_all_of_them(project: pytest.Pytester) -> None:
    """Bad options end in pytest's exit code 4 with every one of them named, and no traceback."""
    result = project.runpytest_subprocess("bench/", "--backend", "tensorflow", "--imgsz", "100", "--precision", "fp8")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    text = result.stderr.str()
    assert "--backend tensorflow" in text
    assert "--imgsz 100" in text
    assert "--precision fp8" in text
    assert "Traceback" not in text + result.stdout.str()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--model", "nope.pt"), "there is no such file"),
        (("--resume", "nowhere"), "is not a run"),
        (("--resume",), "holds no unfinished run"),
        (("--machine", "nobody"), "holds no baseline"),
    ],
)
def test_what_cannot_be_found_is_a_usage_error(
    project: pytest.Pytester, arguments: tuple[str, ...], message: str
) -> None:
    """Names of things that are not there end the run before it starts, with one sentence."""
    result = project.runpytest_subprocess("bench/", *SKIPPING, *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert message in result.stderr.str()
    assert "Traceback" not in result.stderr.str() + result.stdout.str()


def test_unreadable_baseline_is_an_error(project: pytest.Pytester) -> None:
    """A baseline that cannot be read is never taken for none."""
    folder = project.path / "baselines" / "here"
    folder.mkdir()
    (folder / "yolo26n_shapes.json").write_text("{")
    result = project.runpytest_subprocess("bench/", *SKIPPING, "--machine", "here")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "yolo26n_shapes.json" in result.stderr.str()


def test_read_only_report_folder_is_one_sentence(project: pytest.Pytester) -> None:
    """A report folder that cannot be made ends the run with its path and the reason."""
    (project.path / "taken").write_text("a file where a folder is wanted")
    result = project.runpytest_subprocess("bench/", *SKIPPING, "--report", "taken/reports")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "cannot write" in result.stderr.str()


def test_other_tests_of_the_repository_run_beside(project: pytest.Pytester) -> None:
    """A test without a case passes as ever, and no run is started for it."""
    project.makepyfile(test_plain="def test_plain(): pass")
    result = project.runpytest_subprocess("test_plain.py")
    result.assert_outcomes(passed=1)
    assert not (project.path / "reports").exists()


def test_junit_names_cases(project: pytest.Pytester) -> None:
    """JUnit's test names hold the case's id, and skips their reason."""
    project.runpytest_subprocess("bench/", *SKIPPING, "--precision", "fp32", "--junitxml", "junit.xml")
    text = (project.path / "junit.xml").read_text()
    assert "test_latency[yolo26n_shapes-trt-fp32-cpu-640-b1]" in text
    assert "runs on NVIDIA GPUs only" in text


def test_xdist_is_refused(project: pytest.Pytester) -> None:
    """Parallel workers would time each other's noise, so -n is refused in one sentence, and -n 0 is none."""
    result = project.runpytest_subprocess("bench/", "--backend", "onnx", "--precision", "fp32", "-n", "2")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (sentence,) = filter(None, result.errlines)
    assert "run the benchmarks without -n" in sentence
    assert not (project.path / "reports").exists()
    assert project.runpytest_subprocess("bench/", *SKIPPING, "--precision", "fp32", "-n", "0").ret == 0
