"""`init` in repositories that have tests, options and fixtures of their own: theirs go on, and bench/ runs beside."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path

import pytest

from benchsuite.commands.init import LINE, scaffold

ROOT = Path(__file__).resolve().parents[2]
TRT = ("--backend=trt", "--device=cpu", "--precision=fp32")
OPTIONS = ("--data", "--model", "--device", "--batch", "--report")
CONFTEST = "".join(
    ("import pytest\ndef pytest_addoption(parser):\n",
     *(f"    parser.addoption('{option}', default='theirs')\n" for option in OPTIONS),
     "@pytest.fixture\ndef given(request):\n    return request.config.getoption('--data')\n"
     "@pytest.fixture\ndef run():\n    return 'their own'\n")
)  # fmt: skip
TESTS = """
import pytest
def test_data(given):
    assert given in ("theirs", "data.yaml")
@pytest.mark.parametrize("case", [1, 2])
def test_run(case, run):
    assert run == "their own"
"""
# Where a repository may have its options, and a test of its own.
PLACES: Mapping[str, Mapping[str, str]] = {
    "root": {"conftest.py": CONFTEST, "tests/test_size.py": TESTS},
    "tests": {"tests/conftest.py": CONFTEST, "tests/test_size.py": TESTS},
    "former": {
        "conftest.py": 'pytest_plugins = ["benchsuite.plugin", "pytester"]\n',
        "tests/conftest.py": CONFTEST,
        "tests/test_size.py": TESTS,
    },
    "bench": {"bench/conftest.py": f"{LINE}\n", "tests/conftest.py": CONFTEST, "tests/test_size.py": TESTS},
}


@pytest.fixture
def repository(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Give a folder that runs benchsuite from this checkout, with a cache of its own."""
    monkeypatch.setenv("BENCHSUITE_CACHE", str(pytester.path / "cache"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    # There pytest-benchmark keeps nothing.
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    return pytester


def run(repository: pytest.Pytester, *words: str) -> pytest.RunResult:
    """Run pytest in this process, where warnings are no errors as elsewhere."""
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        return repository.runpytest_inprocess(*words)


def fill(folder: Path, files: Mapping[str, str]) -> None:
    """Write a repository's files and set benchsuite up beside them."""
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    scaffold(folder)


@pytest.mark.parametrize("place", PLACES)
def test_repository_with_the_same_options_keeps_them(place: str, repository: pytest.Pytester) -> None:
    """Each way to start the repository's tests does what it did, and `pytest bench/ --backend=trt` benchmarks."""
    fill(repository.path, PLACES[place])
    for words in ((), ("tests/",), ("--data", "data.yaml"), ("tests", "--report=x"), ("-p", "no:benchmark")):
        result = run(repository, *words)
        result.assert_outcomes(passed=3, deselected=0 if words[:1] in (("tests/",), ("tests",)) else 9)
        assert not (repository.path / "reports").exists()
    # Its own --device is known there only where its conftest.py is above bench/.
    device = "--bench-device=cpu" if place == "root" else "--device=cpu"
    result = run(repository, "bench/", "--backend=trt", "--precision=fp32", device)
    result.assert_outcomes(skipped=9)
    assert (repository.path / "reports" / "latest" / "index.html").exists()


@pytest.mark.parametrize("folders", [("bench/", "tests/"), ("tests/", "bench/")])
@pytest.mark.parametrize("place", PLACES)
def test_both_together_run_whichever_is_loaded_first(
    place: str, folders: tuple[str, str], repository: pytest.Pytester
) -> None:
    """The repository's own --device is its own, the suite's is --bench-device, and a sentence says so."""
    fill(repository.path, PLACES[place])
    result = run(repository, *folders, "--backend=trt", "--precision=fp32", "--bench-device=cpu")
    result.assert_outcomes(passed=3, skipped=9)
    (told,) = [line for line in result.outlines if line.startswith("benchsuite: --")]
    assert "--bench-device" in told
    assert "cpu-640" in (repository.path / "reports" / "latest" / "records.jsonl").read_text()


def test_twins_are_always_understood(repository: pytest.Pytester) -> None:
    """A script may write --bench-… wherever it runs, and help lists each option once."""
    scaffold(repository.path)
    result = run(repository, "bench/", "--bench-backend=trt", "--bench-device", "cpu", "--collect-only")
    assert "-trt-int8-cpu-640-b1]" in result.stdout.str()
    help_text = run(repository, "bench/", "--help").stdout.str()
    assert "--quant-scheme=SCHEME" in help_text.replace("--quant-scheme SCHEME", "--quant-scheme=SCHEME")
    assert "--bench-" not in help_text


def test_plain_pytest_leaves_the_benchmarks_out_in_one_line(repository: pytest.Pytester) -> None:
    """Found on the way through the other tests, they are counted and not run; an option of theirs runs them."""
    fill(
        repository.path, {"tests/test_size.py": "def test_size(): pass\n", **PLACES["former"], "tests/conftest.py": ""}
    )
    result = run(repository)
    assert "benchsuite: 9 benchmarks were left out; `pytest bench/` runs what is in bench/" in result.outlines
    assert not (repository.path / "cache").exists()
    run(repository, "--ignore=tests", *TRT).assert_outcomes(skipped=9)


@pytest.mark.parametrize("words", [("bench/test_size.py",), ("bench/test_size.py::test_artifact_size",), ("./bench",)])
def test_file_in_bench_is_a_benchmark_that_was_asked_for(words: tuple[str, ...], repository: pytest.Pytester) -> None:
    """What lies in bench/ is run where it is named, with its tests' names in the id or without."""
    scaffold(repository.path)
    result = run(repository, *words, "--collect-only", "-q", *TRT)
    assert "-trt-fp32-cpu-640-b1]" in result.stdout.str()


def test_within_bench_too(repository: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """`cd bench && pytest` is `pytest bench/`."""
    scaffold(repository.path)
    monkeypatch.chdir(repository.path / "bench")
    assert "-ncnn-int8-cpu-640-b1]" in run(repository, "--collect-only", "-q").stdout.str()


def test_folder_above_of_that_name_says_nothing(repository: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A repository that lies in somebody's /home/bench is no benchmark."""
    inner = repository.path / "bench" / "inner"
    inner.mkdir(parents=True)
    fill(inner, {"pytest.ini": "[pytest]\n", "test_own.py": "def test_own(): pass\n"})
    monkeypatch.chdir(inner)
    run(repository).assert_outcomes(passed=1, deselected=9)


def test_larger_repository_around_it_goes_on(repository: pytest.Pytester) -> None:
    """`pytest` above the folder that was set up finds a conftest.py that it does not refuse."""
    (repository.path / "test_above.py").write_text("def test_above(): pass\n")
    scaffold(repository.path / "part")
    run(repository).assert_outcomes(passed=1, deselected=9)
    run(repository, "part/bench", *TRT).assert_outcomes(skipped=9)


def test_parallel_tests_of_the_repository_go_on(repository: pytest.Pytester) -> None:
    """With -n, the repository's own tests run side by side and the benchmarks do not."""
    fill(repository.path, PLACES["tests"])
    repository.runpytest_subprocess("-n", "2").assert_outcomes(passed=3)
    assert not (repository.path / "reports").exists()


def test_without_benchsuite_the_other_tests_run(repository: pytest.Pytester) -> None:
    """An environment for the unit tests alone needs no benchsuite."""
    fill(repository.path, PLACES["tests"])
    hide = repository.makepyfile(
        hide="import importlib.util as u\nfind = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'benchsuite' else find(name, *rest)\n"
    )
    assert hide.exists()
    repository.runpytest_subprocess("-p", "hide").assert_outcomes(passed=3)
    result = repository.runpytest_subprocess("-p", "hide", "bench/", "--backend=trt")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "benchsuite is not installed for" in result.stderr.str()
