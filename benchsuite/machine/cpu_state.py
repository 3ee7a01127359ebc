"""What the processor tells of its clock, its temperature and how often it was throttled."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def read_cpu_state() -> Mapping[str, float]:
    """Return `mhz`, `throttle_count` and `celsius`, as far as the system tells."""
    state = {}
    khz = _number("/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq")
    if khz is not None:
        state["mhz"] = khz / 1000
    throttled = _number("/sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count")
    if throttled is not None:
        state["throttle_count"] = throttled
    millidegrees = _number("/sys/class/thermal/thermal_zone0/temp")
    if millidegrees is not None:
        state["celsius"] = millidegrees / 1000
    return state


def _number(path: str) -> float | None:
    try:
        return float(Path(path).read_text())
    except (OSError, ValueError):
        return None
