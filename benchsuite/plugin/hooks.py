"""The pytest plugin: options, cases as parameters, fixtures, one record a case, and the report at the end."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Generator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from benchsuite.options.settings import SETTINGS
from benchsuite.plugin.fixtures import BenchRun, Measured, ReplayTimer
from benchsuite.plugin.session import BenchSession
from benchsuite.report.page import SUMMARY_FILE
from benchsuite.report.step_summary import append_step_summary
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import BenchsuiteError, NotRunError
from benchsuite.terms.printable import printable_lines

SESSION: pytest.StashKey[BenchSession] = pytest.StashKey()
TIMER: pytest.StashKey[ReplayTimer] = pytest.StashKey()
_NO_XDIST = (
    "benchsuite was asked to measure under pytest-xdist, where cases would time each other's noise: "
    "run the benchmarks without -n and --dist."
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add every setting; their texts are read in one place, so pytest keeps them as text."""
    group = parser.getgroup("benchsuite", "benchsuite: what to measure, and how")
    for setting in SETTINGS:
        extra: dict[str, Any] = {"metavar": setting.metavar}
        if setting.switch:
            extra = {"action": "store_const", "const": "yes"}
        elif setting.bare:
            extra |= {"nargs": "?", "const": setting.bare}
        text = f"{setting.help} [{setting.default}]" if setting.default else setting.help
        group.addoption(
            setting.flag,
            default=None,
            help=text.replace("%", "%%"),
            dest=_dest(setting.name),
            **extra,
        )


def _dest(name: str) -> str:
    # Short names such as `data` would collide with what other plugins keep in the same namespace.
    return f"benchsuite_{name}"


def given_options(config: pytest.Config) -> dict[str, str]:
    """Return the texts of the settings that the user gave."""
    texts = {setting.name: config.getoption(_dest(setting.name)) for setting in SETTINGS}
    return {name: text for name, text in texts.items() if text is not None}


def pytest_collection(session: pytest.Session) -> None:
    """Read the options and find the models before anything is collected; all that is wrong comes in one message."""
    try:
        session.config.stash[SESSION] = BenchSession(given_options(session.config))
    except BenchsuiteError as error:
        raise pytest.UsageError(printable_lines(str(error))) from None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test that takes `case` and `run` one run a case; a `case` without `run` is somebody else's."""
    if {"case", "run"} <= set(metafunc.fixturenames):
        cases = metafunc.config.stash[SESSION].cases
        metafunc.parametrize("case", cases, ids=[case.id for case in cases])


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let -k find a case by its id as reports print it: in names of tests pytest escapes what is not ASCII."""
    case = _case(item)
    if case is not None:
        item.extra_keyword_matches.add(case.id)


def _under_xdist(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _case(item: pytest.Item) -> Case | None:
    callspec = getattr(item, "callspec", None)
    case = callspec.params.get("case") if callspec else None
    return case if isinstance(case, Case) else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put all tests of a case next to each other, and give each a clock that replays what its worker measured."""
    order = {case: number for number, case in enumerate(config.stash[SESSION].cases)}
    places = {item: (order.get(case, -1) if (case := _case(item)) else -1) for item in items}
    items.sort(key=lambda item: places[item])
    for item in items:
        case = _case(item)
        if case is not None and "benchmark" in getattr(item, "fixturenames", ()):
            item.stash[TIMER] = ReplayTimer()
            group = f"{case.model} {case.imgsz} px, batch {case.batch}, {case.head}"
            item.add_marker(pytest.mark.benchmark(timer=item.stash[TIMER], group=group))
            # Where measuring failed there is nothing to replay, and the failure says so.
            item.add_marker(pytest.mark.filterwarnings("ignore:Benchmark fixture was not used"))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Start the run once it is known which cases were selected."""
    config = session.config
    if config.option.collectonly or _under_xdist(config):
        return
    cases = dict.fromkeys(case for item in session.items if (case := _case(item)))
    if not cases:
        return
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and reporter.verbosity == 0 and all(_case(item) for item in session.items):
        # One line a case says more than a dot a test, and tests of one case come from many files.
        reporter.showfspath = False
    say: Callable[[str], None] = _say(config, reporter) if reporter is not None else _print
    command = shlex.join(["pytest", *config.invocation_params.args])
    try:
        config.stash[SESSION].start(tuple(cases), command, say)
    except BenchsuiteError as error:
        raise pytest.UsageError(printable_lines(str(error))) from None


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Gate all selected cases before the first test, which then finds its verdict ready."""
    bench = session.config.stash.get(SESSION, None)
    if bench is None or not bench.started:
        return
    try:
        bench.gate()
    except BenchsuiteError as error:
        raise pytest.UsageError(printable_lines(str(error))) from None


def _print(line: str) -> None:
    print(printable_lines(line))


def _say(config: pytest.Config, reporter: Any) -> Callable[[str], None]:
    capture = config.pluginmanager.get_plugin("capturemanager")

    def say(line: str) -> None:
        # Cases end inside a test's teardown, where pytest captures what is written.
        with capture.global_and_fixture_disabled() if capture is not None else nullcontext():
            reporter.ensure_newline()
            reporter.write_line(printable_lines(line))

    return say


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip the tests of a case that cannot run here, with the reason."""
    case = _case(item)
    if case is None:
        return
    if _under_xdist(item.config):
        pytest.fail(_NO_XDIST, pytrace=False)
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
    session = item.config.stash[SESSION]
    if case is None or not session.started or (nextitem is not None and _case(nextitem) == case):
        return
    try:
        session.finish(case)
    except BenchsuiteError as error:
        # The record cannot be kept: to go on measuring would be for nothing.
        pytest.exit(printable_lines(f"benchsuite: {error}"), pytest.ExitCode.TESTS_FAILED)


def pytest_report_teststatus(report: Any, config: pytest.Config) -> tuple[str, str, str] | None:
    """Print no letter for a bench test: its case gets a line of its own."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    quiet = reporter is not None and reporter.verbosity == 0 and not reporter.showfspath
    ended = report.when == "call" or (report.when == "setup" and report.skipped)
    if quiet and ended and "[" in report.nodeid:
        # The word still stands before the failed tests in pytest's summary.
        return report.outcome, "", "FAILED" if report.failed else ""
    return None


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write the report; a case that no test failed, and that is missing or failed all the same, fails the run."""
    bench = session.config.stash.get(SESSION, None)
    if bench is None or not bench.started:
        return
    try:
        bench.end(exitstatus == pytest.ExitCode.INTERRUPTED)
    except BenchsuiteError as error:
        bench.trouble = str(error)
    if (bench.red or bench.trouble) and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the table, what the baseline says, and where the report lies."""
    bench = config.stash.get(SESSION, None)
    if bench is None or not bench.started:
        return
    terminalreporter.section("benchsuite")
    for line in bench.summary_lines():
        terminalreporter.write_line(printable_lines(line))
    # GitHub shows what a job appends to this file.
    target = os.environ.get("GITHUB_STEP_SUMMARY")
    if target and not bench.trouble:
        append_step_summary(Path(target), bench.runner.site.folder / SUMMARY_FILE)


@pytest.fixture
def run(request: pytest.FixtureRequest) -> BenchRun:
    """Measure metrics of a case in its worker."""
    timer = request.node.stash.get(TIMER, None) or ReplayTimer()
    # They stand in --junitxml.
    tell = request.node.user_properties.append
    return BenchRun(request.config.stash[SESSION].runner, timer, tell)


@pytest.fixture
def verdict(request: pytest.FixtureRequest) -> Callable[[Measured[Any]], None]:
    """Fail the test where a metric breaks a limit or is worse than its baseline."""
    session = request.config.stash[SESSION]

    def judge(measured: Measured[Any]) -> None:
        # A verdict that fails nothing stands in --junitxml too.
        request.node.user_properties.extend(session.gated(measured))
        problems = session.judge(measured)
        if problems:
            pytest.fail(printable_lines("\n".join(problems)), pytrace=False)

    return judge
