"""The pytest plugin: options, cases as parameters, fixtures, one record a case, and the report at the end."""

from __future__ import annotations

import os
import shlex
import warnings
from collections.abc import Collection, Generator, Sequence
from pathlib import Path
from typing import Any

import pytest

from benchsuite.machine.interrupts import Interrupts
from benchsuite.plugin import bench_fixtures
from benchsuite.plugin.asked import FOLDER, asked, distributed
from benchsuite.plugin.fixtures import NoBenchmark, ReplayTimer, extra_info
from benchsuite.plugin.keys import A_LINE_A_CASE, INTERRUPTS, LEFT_OUT, SESSION, TIMER
from benchsuite.plugin.options import add_options, given_options, taken_options, twin
from benchsuite.plugin.session import BenchSession
from benchsuite.plugin.speaker import Speaker, shown
from benchsuite.report.page import SUMMARY_FILE
from benchsuite.report.step_summary import append_step_summary
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import BenchsuiteError, NotRunError, RecordError
from benchsuite.terms.printable import printable_lines

_NO_XDIST = (
    "benchsuite was asked to measure under pytest-xdist, where cases would time each other's noise: "
    "run the benchmarks without -n and --dist, or with -n 0."
)
# What a test asks `run` for.
_TOLD_BY_TIMING = frozenset({"latency", "cold", "memory"})
_UNUSED_CLOCK = "Benchmark fixture was not used"
# In place of a case where benchmarks were only found on the way through other tests.
_LEFT_OUT = object()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add every setting beside the repository's own options."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to share the machine with other processes of the same run."""
    if not hasattr(config, "workerinput") and distributed(config) and asked(config):
        raise pytest.UsageError(_NO_XDIST)


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say which options are not the suite's, where it runs."""
    taken = taken_options(config)
    if not taken or not asked(config):
        return None
    names = f"{', '.join(taken)} {'are options' if len(taken) > 1 else 'is an option'}"
    return f"benchsuite: {names} of another plugin or conftest.py here: write {', '.join(map(twin, taken))} for its own"


def pytest_collection(session: pytest.Session) -> None:
    """Read the options and find the models before anything is collected; all that is wrong comes in one message."""
    if not asked(session.config) or distributed(session.config):
        return
    try:
        session.config.stash[SESSION] = BenchSession(given_options(session.config))
    except BenchsuiteError as error:
        raise pytest.UsageError(printable_lines(str(error))) from None
    if not session.config.pluginmanager.has_plugin("benchmark"):
        session.config.pluginmanager.register(NoBenchmark(), "benchsuite.no_benchmark")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test that takes `case` and the suite's `run` one run a case; a `run` of somebody else's is left alone."""
    if "case" not in metafunc.fixturenames or not _takes_run(metafunc):
        return
    bench = metafunc.config.stash.get(SESSION, None)
    cases = bench.cases if bench is not None else (_LEFT_OUT,)
    metafunc.parametrize("case", cases, ids=[case.id if isinstance(case, Case) else "left out" for case in cases])


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let -k find a case by its id as reports print it: in names of tests pytest escapes what is not ASCII."""
    case = _case(item)
    if case is not None:
        item.extra_keyword_matches.add(case.id)


def _takes_run(metafunc: pytest.Metafunc) -> bool:
    definitions = metafunc._arg2fixturedefs.get("run", ())
    return bool(definitions) and definitions[-1].func.__module__ == bench_fixtures.__name__


def _asking(items: Sequence[pytest.Item], metrics: Collection[str]) -> tuple[Case, ...]:
    """Return the cases of tests whose code names one of the metrics; what others ask for is measured when they ask."""
    found = []
    for item in items:
        case, function = _case(item), getattr(item, "function", None)
        if case is not None and function is not None and {*function.__code__.co_names} & {*metrics}:
            found.append(case)
    return tuple(dict.fromkeys(found))


def _parameter(item: pytest.Item) -> object:
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("case") if callspec else None


def _case(item: pytest.Item) -> Case | None:
    case = _parameter(item)
    return case if isinstance(case, Case) else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put all tests of a case next to each other, and give each a clock that replays what its worker measured."""
    left_out = [item for item in items if _parameter(item) is _LEFT_OUT]
    if left_out:
        config.stash[LEFT_OUT] = len(left_out)
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if _parameter(item) is not _LEFT_OUT]
    bench = config.stash.get(SESSION, None)
    if bench is None:
        return
    order = {case: number for number, case in enumerate(bench.cases)}
    places = {item: (order.get(case, -1) if (case := _case(item)) else -1) for item in items}
    items.sort(key=lambda item: places[item])
    with_clock = config.pluginmanager.has_plugin("benchmark")
    for item in items:
        case = _case(item)
        if case is not None and with_clock and "benchmark" in getattr(item, "fixturenames", ()):
            item.stash[TIMER] = ReplayTimer()
            group = f"{case.model} {case.imgsz} px, batch {case.batch}, {case.head}"
            item.add_marker(pytest.mark.benchmark(timer=item.stash[TIMER], group=group))
            # Where measuring failed there is nothing to replay, and the failure says so.
            item.add_marker(pytest.mark.filterwarnings(f"ignore:{_UNUSED_CLOCK}"))


def pytest_report_collectionfinish(config: pytest.Config) -> str | None:
    """Say that benchmarks were found and not run, and how they are."""
    count = config.stash.get(LEFT_OUT, 0)
    if not count:
        return None
    named = f"{count} benchmarks were" if count > 1 else "1 benchmark was"
    return f"benchsuite: {named} left out; `pytest {FOLDER}/` runs what is in {FOLDER}/"


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Start the run once it is known which cases were selected."""
    config = session.config
    if config.option.collectonly:
        return
    cases = dict.fromkeys(case for item in session.items if (case := _case(item)))
    if not cases:
        return
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and reporter.verbosity <= 0 and all(_case(item) for item in session.items):
        # One line a case says more than a dot a test, and tests of one case come from many files.
        reporter.showfspath = False
        config.stash[A_LINE_A_CASE] = True
    command = shlex.join(["pytest", *config.invocation_params.args])
    config.stash[INTERRUPTS] = Interrupts().__enter__()
    try:
        config.stash[SESSION].start(tuple(cases), command, Speaker(config))
    except BenchsuiteError as error:
        raise pytest.UsageError(printable_lines(str(error))) from None


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Gate and time all selected cases before the first test, which then finds verdict and latency ready."""
    bench = session.config.stash.get(SESSION, None)
    if bench is None or not bench.started:
        return
    try:
        bench.gate()
        asked = (_TOLD_BY_TIMING, {"throughput"}, {"accuracy", "parity"})
        bench.measure_together(*(_asking(session.items, metrics) for metrics in asked))
    except RecordError as error:
        # What was measured is kept, and what follows could not be.
        pytest.exit(printable_lines(f"benchsuite: {error}"), pytest.ExitCode.TESTS_FAILED)
    except BenchsuiteError as error:
        raise pytest.UsageError(printable_lines(str(error))) from None


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip the tests of a case that cannot run here, with the reason."""
    case = _case(item)
    if case is None:
        return
    reason = item.config.stash[SESSION].why_not(case)
    if reason:
        pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call() -> Generator[None, object, object]:
    """Turn what went wrong with a measurement into one sentence instead of a traceback; what cannot run is skipped."""
    try:
        return (yield)
    except NotRunError as error:
        raise pytest.skip.Exception(printable_lines(str(error))) from None
    except BenchsuiteError as error:
        raise pytest.fail.Exception(printable_lines(str(error)), pytrace=False) from None


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Record a case as soon as its last test has run."""
    case = _case(item)
    if case is None:
        return
    session = item.config.stash[SESSION]
    if not session.started or (nextitem is not None and _case(nextitem) == case):
        return
    try:
        session.finish(case)
    except BenchsuiteError as error:
        # The record cannot be kept: to go on measuring would be for nothing.
        pytest.exit(printable_lines(f"benchsuite: {error}"), pytest.ExitCode.TESTS_FAILED)


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_json(config: pytest.Config, output_json: dict[str, Any]) -> None:
    """Write each case into pytest-benchmark's files as it was recorded: the proof comes after the latency."""
    bench = config.stash.get(SESSION, None)
    if bench is None:
        return
    for benchmark in output_json["benchmarks"]:
        record = bench.recorded(benchmark["extra_info"].get("case", ""))
        if record is not None:
            benchmark["extra_info"] |= extra_info(record)


def pytest_report_teststatus(report: Any, config: pytest.Config) -> tuple[str, str, str] | None:
    """Print no letter for a bench test: its case gets a line of its own."""
    ended = report.when == "call" or (report.when == "setup" and report.skipped)
    if config.stash.get(A_LINE_A_CASE, False) and ended and "[" in report.nodeid:
        # The word still stands before the failed tests in pytest's summary.
        return report.outcome, "", "FAILED" if report.failed else ""
    return None


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write the report; a case that no test failed, and that is missing or failed all the same, fails the run."""
    bench = session.config.stash.get(SESSION, None)
    if bench is None or not bench.started:
        return
    session.config.stash[INTERRUPTS].closing = True
    if exitstatus == pytest.ExitCode.INTERRUPTED:
        # The interrupted test's fixtures are taken down after this, where its own marks count no more.
        warnings.filterwarnings("ignore", _UNUSED_CLOCK)
    try:
        bench.end(exitstatus == pytest.ExitCode.INTERRUPTED)
    except BenchsuiteError as error:
        bench.trouble = str(error)
    if (bench.red or bench.trouble) and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_unconfigure(config: pytest.Config) -> None:
    """Take Ctrl-C as everywhere else again."""
    if INTERRUPTS in config.stash:
        config.stash[INTERRUPTS].__exit__(None, None, None)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the table, what the baseline says, and where the report lies."""
    bench = config.stash.get(SESSION, None)
    if bench is None or not bench.started:
        return
    terminalreporter.section("benchsuite")
    for line in bench.summary_lines():
        terminalreporter.write_line(shown(line))
    # GitHub shows what a job appends to this file.
    target = os.environ.get("GITHUB_STEP_SUMMARY")
    if target and not bench.trouble:
        append_step_summary(Path(target), bench.runner.site.folder / SUMMARY_FILE)
