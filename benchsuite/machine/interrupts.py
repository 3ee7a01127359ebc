"""Ctrl-C pressed more than once: the first ends what runs, and the others do not stop it from being kept."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType, TracebackType

# As long as an impatient hand goes on, and a run needs to come from where it was stopped to its end.
WAKE_S = 5.0


class Interrupts:
    """Let the first Ctrl-C interrupt; those in its wake, and those while the run is being closed, change nothing."""

    def __init__(self) -> None:
        self.closing = False
        self._last_s: float | None = None
        self._before = signal.getsignal(signal.SIGINT)

    def __enter__(self) -> Interrupts:
        # Only the main thread may set handlers, and who is to ignore Ctrl-C, as under nohup, goes on doing so.
        if callable(self._before) and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self._on_interrupt)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if signal.getsignal(signal.SIGINT) == self._on_interrupt:
            signal.signal(signal.SIGINT, self._before)

    def _on_interrupt(self, number: int, frame: FrameType | None) -> None:
        now_s = time.monotonic()
        in_wake = self._last_s is not None and now_s - self._last_s < WAKE_S
        if not self.closing and not in_wake and callable(self._before):
            self._last_s = now_s
            self._before(number, frame)
