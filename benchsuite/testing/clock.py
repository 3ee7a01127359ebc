"""Time that passes only when it is told to."""

from __future__ import annotations


class FakeClock:
    """A clock in ns that moves when it is told to, and by `tick_ns` whenever it is read."""

    def __init__(self, tick_ns: int = 0) -> None:
        self.now_ns = 0
        self._tick_ns = tick_ns

    def __call__(self) -> int:
        self.now_ns += self._tick_ns
        return self.now_ns

    def advance(self, ns: int) -> None:
        """Let time pass."""
        self.now_ns += ns
