"""What the plugin keeps with pytest's configuration and with its tests."""

from __future__ import annotations

import pytest

from benchsuite.machine.interrupts import Interrupts
from benchsuite.plugin.fixtures import ReplayTimer
from benchsuite.plugin.session import BenchSession

SESSION: pytest.StashKey[BenchSession] = pytest.StashKey()
TIMER: pytest.StashKey[ReplayTimer] = pytest.StashKey()
INTERRUPTS: pytest.StashKey[Interrupts] = pytest.StashKey()
# Whether each case gets one line, and its tests no letters.
A_LINE_A_CASE: pytest.StashKey[bool] = pytest.StashKey()
# How many tests.
LEFT_OUT: pytest.StashKey[int] = pytest.StashKey()
