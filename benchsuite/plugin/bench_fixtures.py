"""The fixtures of a bench test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from benchsuite.plugin.fixtures import BenchRun, Measured, ReplayTimer
from benchsuite.plugin.keys import SESSION, TIMER
from benchsuite.terms.printable import printable_lines


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
