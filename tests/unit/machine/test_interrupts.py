"""Ctrl-C, once and more often."""

from __future__ import annotations

import os
import signal

import pytest

from benchsuite.machine import interrupts
from benchsuite.machine.interrupts import Interrupts


def press() -> None:
    """Press Ctrl-C."""
    os.kill(os.getpid(), signal.SIGINT)


def test_first_interrupts_and_those_in_its_wake_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second and third of an impatient hand change nothing; one that comes later interrupts again."""
    before = signal.getsignal(signal.SIGINT)
    with Interrupts():
        with pytest.raises(KeyboardInterrupt):
            press()
        press()
        press()
        monkeypatch.setattr(interrupts, "WAKE_S", 0.0)
        with pytest.raises(KeyboardInterrupt):
            press()
    assert signal.getsignal(signal.SIGINT) == before


def test_nothing_interrupts_what_is_being_closed() -> None:
    """A page that is being written is written."""
    with Interrupts() as held:
        held.closing = True
        press()
    with pytest.raises(KeyboardInterrupt):
        press()


def test_who_ignores_interrupts_goes_on_doing_so() -> None:
    """Under nohup nothing is changed."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Interrupts():
            press()
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
