"""A self-test's rates carry exact intervals, and its promise breaks when a rate does."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scipy.stats import binomtest

from benchsuite.gate.selftest import Suite
from benchsuite.options.settings import defaults
from benchsuite.report.selftest import exact_interval, rate_lines

EQUAL = Suite(1, "live", {}, {"one": {"latency": "PASS"}}, {"one": 12}, False, 60.0, 0.04, 7)
CAUGHT = replace(EQUAL, injected={"one": 0.05}, verdicts={"one": {"latency": "REGRESSED"}})
OPTIONS = defaults().gate


@pytest.mark.parametrize(("hits", "trials"), [(0, 60), (3, 150), (147, 150), (60, 60)])
def test_interval_is_clopper_and_pearsons(hits: int, trials: int) -> None:
    """The interval equals scipy's exact one."""
    wanted = binomtest(hits, trials).proportion_ci(0.95, "exact")
    assert exact_interval(hits, trials) == pytest.approx((wanted.low, wanted.high), abs=1e-9)


def test_promise_holds_without_alarms_and_misses() -> None:
    """No alarm in equal suites and every injected slowdown caught keep the promise."""
    lines, holds = rate_lines([EQUAL, CAUGHT], OPTIONS)
    assert holds
    assert any("+5 % injected, called REGRESSED: 1 of 1" in line for line in lines)
    assert not any("replayed" in line for line in lines)


@pytest.mark.parametrize(
    "broken",
    [
        replace(EQUAL, verdicts={"one": {"latency": "IMPROVED"}}),
        replace(EQUAL, verdicts={"one": {"latency": "PASS", "memory": "REGRESSED"}}),
        replace(CAUGHT, verdicts={"one": {"latency": "INCONCLUSIVE"}}),
        replace(CAUGHT, contaminated=True),
    ],
)
def test_one_alarm_or_one_miss_breaks_it(broken: Suite) -> None:
    """A change that was none, of any metric, and a slowdown that was not called REGRESSED, break the promise."""
    assert not rate_lines([EQUAL, CAUGHT, broken], OPTIONS)[1]


def test_a_false_alarm_beside_an_injected_slowdown_breaks_it() -> None:
    """A case that nothing was done to must not be called changed, whatever was done to another."""
    beside = replace(CAUGHT, verdicts={**CAUGHT.verdicts, "two": {"latency": "REGRESSED"}})
    assert not rate_lines([EQUAL, beside], OPTIONS)[1]


@pytest.mark.parametrize(
    ("suites", "says", "holds"),
    [
        ([EQUAL, CAUGHT], "The promise held in these suites", True),
        ([EQUAL], "Half of the promise was not tried: give --inject 5% too.", True),
        (
            [EQUAL, replace(CAUGHT, injected={"one": 0.1})],
            "slowdowns from 10 % on were caught: give --inject 5% too.",
            True,
        ),
        ([EQUAL, replace(CAUGHT, injected={"one": 0.03})], "Half of the promise was not tried: give --inject 5%", True),
        ([CAUGHT], "Half of the promise was not tried: give --aa 20 too.", True),
        (
            [replace(EQUAL, verdicts={"one": {"latency": "INCONCLUSIVE", "memory": "PASS"}})],
            "Nothing was decided",
            False,
        ),
        ([replace(EQUAL, verdicts={"one": {"latency": "MISSING"}})], "Nothing was decided", False),
        ([replace(EQUAL, contaminated=True)], "Nothing was decided", False),
        ([], "Nothing was decided", False),
        ([replace(EQUAL, verdicts={})], "Nothing was decided", False),
        (
            [replace(CAUGHT, injected={"one": 0.01})],
            "Neither half of the promise was tried in these suites: give --aa 20 and --inject 5% too.",
            False,
        ),
    ],
)
def test_what_was_not_tried_is_said(suites: list[Suite], says: str, holds: bool) -> None:
    """A suite that decided nothing tries no promise, and equal arms say nothing of what is caught."""
    lines, kept = rate_lines(suites, OPTIONS)
    assert says in lines[-1]
    assert kept is holds


OPEN = replace(EQUAL, verdicts={"one": {"latency": "INCONCLUSIVE"}})


def test_suites_that_could_not_alarm_are_no_trials() -> None:
    """Of sixteen suites of which twelve decided nothing, four had the chance to be wrong: 0 of 4, up to 60 %."""
    lines, _ = rate_lines([EQUAL] * 4 + [OPEN] * 12, OPTIONS)
    assert (
        "  suites with a false alarm, nothing changed: 0 of 4, 0.0 % (0.0 to 60.2 %); 12 more could not alarm" in lines
    )
    assert "  cases without a verdict, nothing changed:   12 of 16, 75.0 % (47.6 to 92.7 %)" in lines
    lines, _ = rate_lines([CAUGHT], OPTIONS)
    assert "    suites with a false alarm beside it: none tried; 1 more could not alarm" in lines
    lines, _ = rate_lines([replace(EQUAL, verdicts={}, blocks={})], OPTIONS)
    assert "  cases without a verdict, nothing changed:   none tried" in lines


@pytest.mark.parametrize(("caught", "holds"), [(20, True), (19, True), (18, False), (11, False)])
def test_one_slowdown_in_twenty_may_be_missed(caught: int, holds: bool) -> None:
    """The promise is 95 %: 19 of 20 keep it, 18 do not."""
    missed = replace(CAUGHT, verdicts={"one": {"latency": "INCONCLUSIVE"}})
    assert rate_lines([EQUAL] * 20 + [CAUGHT] * caught + [missed] * (20 - caught), OPTIONS)[1] is holds


def test_smaller_slowdowns_are_reported_and_promise_nothing() -> None:
    """A slowdown of 3 % may be missed."""
    missed = replace(EQUAL, injected={"one": 0.03})
    lines, holds = rate_lines([EQUAL, missed], OPTIONS)
    assert holds
    assert any("+3 % injected, called REGRESSED: 0 of 1" in line for line in lines)


def test_no_suite_is_no_promise() -> None:
    """Nothing measured proves nothing."""
    assert not rate_lines([], OPTIONS)[1]
