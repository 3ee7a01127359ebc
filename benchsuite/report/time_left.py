"""How far something long has come, and how long it will still take by its own pace."""

from __future__ import annotations

import time
from collections.abc import Callable

_MINUTE_S = 60.0


class TimeLeft:
    """Tells progress in one line each time that a step has ended."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._what = ""
        self._began = 0.0
        self._before = 0

    def line(self, what: str, done: int, of: int) -> str:
        """Return how many steps of how many are done, and the time left once two calls have told the pace."""
        now = self._clock()
        if what != self._what:
            self._what, self._began, self._before = what, now, done
        text = f"{what}: {done} of {of}"
        steps = done - self._before
        if steps <= 0 or done >= of:
            return text
        return f"{text}, {about((now - self._began) / steps * (of - done))} left"


def about(seconds: float) -> str:
    """Return a rough duration: `about 40 s`, `about 3 min`."""
    if seconds < 1.5 * _MINUTE_S:
        return f"about {max(5, round(seconds / 5) * 5)} s"
    return f"about {seconds / _MINUTE_S:.0f} min"
