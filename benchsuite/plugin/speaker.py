"""What a run says on pytest's terminal: lines that stay, and one that is drawn anew while something lasts."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest

from benchsuite.report.terminal import fit, plain
from benchsuite.terms.printable import printable_lines

# Where no line can be drawn anew, as in a log.
_EVERY_S = 30.0


class Speaker:
    """Says lines and shows progress; nothing is drawn but when it is called, so never while a call is timed."""

    def __init__(self, config: pytest.Config, clock: Callable[[], float] = time.monotonic) -> None:
        self._reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
        self._capture: Any = config.pluginmanager.get_plugin("capturemanager")
        self._clock = clock
        self._drawn = False
        self._spoke_at = clock()
        # Artifacts are built in threads, which say so.
        self._lock = threading.RLock()

    def say(self, line: str) -> None:
        """Print a line that stays."""
        self._spoke_at = self._clock()
        if self._reporter is None:
            print(printable_lines(line))
            return
        # Cases end inside a test's teardown, where pytest captures what is written.
        with self._lock, self._uncaptured():
            self._wipe()
            self._reporter.ensure_newline()
            self._reporter.write_line(shown(line))

    def show(self, line: str) -> None:
        """Draw a line over the last that was drawn; in a log, print it where nothing has been printed for a while."""
        if self._reporter is None:
            return
        if not self._reporter.isatty:
            if self._clock() - self._spoke_at >= _EVERY_S:
                self.say(line)
            return
        with self._lock, self._uncaptured():
            if not self._drawn:
                self._reporter.ensure_newline()
            self._reporter.rewrite(fit(shown(line)), erase=True)
            self._drawn = True

    def _wipe(self) -> None:
        if self._drawn:
            self._reporter.rewrite("", erase=True)
            self._reporter.rewrite("")
            self._drawn = False

    def _uncaptured(self) -> Any:
        return self._capture.global_and_fixture_disabled() if self._capture is not None else nullcontext()


def shown(line: str) -> str:
    """Return a line in signs that this terminal has."""
    # pytest would write \\u2013 for a dash that the terminal does not know.
    return plain(printable_lines(line), getattr(sys.__stdout__, "encoding", None) or "utf-8")
