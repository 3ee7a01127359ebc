"""The limits that Linux control groups set this process: of its own group and of those around it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

T = TypeVar("T", int, float)
_ROOT = Path("/sys/fs/cgroup")
# A file without a limit holds "max", or in version 1 a number near 2**63.
_NO_LIMIT = 1 << 60


def cpu_quota() -> float | None:
    """Return the CPU limit in cores, None for none."""
    return _least("cpu", _quota_v2, _quota_v1)


def memory_limit_bytes() -> int | None:
    """Return the limit of memory, None for none."""
    return _least("memory", lambda folder: _limit(folder, "max"), lambda folder: _limit(folder, "limit_in_bytes"))


def memory_room_bytes() -> int | None:
    """Return what can be allocated within the limits, None where there are none.

    What the kernel only keeps of files makes room when it is needed.
    """
    return _least(
        "memory",
        lambda folder: _room(folder, "max", "current", "inactive_file"),
        lambda folder: _room(folder, "limit_in_bytes", "usage_in_bytes", "total_inactive_file"),
    )


def _least(controller: str, v2: Callable[[Path], T | None], v1: Callable[[Path], T | None]) -> T | None:
    """Return the least that the groups tell, in version 2 or else in version 1."""
    for root, name, read in ((_ROOT, "", v2), (_ROOT / controller, controller, v1)):
        found = [told for folder in _own_groups(root, name) if (told := read(folder)) is not None]
        if found:
            return min(found)
    return None


def _own_groups(root: Path, controller: str) -> Iterator[Path]:
    """Return the folders of this process's group and of those around it, under the root of a controller."""
    folder = root / _own_path(controller)
    # In a container the folder of the process is often the root itself, and its path that of the host.
    return (place for place in (folder, *folder.parents) if place.is_relative_to(root))


def _own_path(controller: str) -> str:
    """Return the path of this process's group for a controller of version 1, or in version 2, whose name is empty."""
    for line in _read(Path("/proc/self/cgroup")).splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controller in controllers.split(","):
            return path.strip().lstrip("/")
    return ""


def _quota_v2(folder: Path) -> float | None:
    quota, _, period = _read(folder / "cpu.max").strip().partition(" ")
    return _share(quota, period)


def _quota_v1(folder: Path) -> float | None:
    return _share(*(_read(folder / f"cpu.cfs_{name}_us").strip() for name in ("quota", "period")))


def _share(quota: str, period: str) -> float | None:
    # Without a limit the quota is "max", or -1.
    limited = quota.isdecimal() and period.isdecimal() and int(period) > 0
    return int(quota) / int(period) if limited else None


def _limit(folder: Path, name: str) -> int | None:
    text = _read(folder / f"memory.{name}").strip()
    return int(text) if text.isdecimal() and int(text) < _NO_LIMIT else None


def _room(folder: Path, limit: str, used: str, reclaimable: str) -> int | None:
    most, now = _limit(folder, limit), _read(folder / f"memory.{used}").strip()
    if most is None or not now.isdecimal():
        return None
    kept = re.search(rf"^{reclaimable} (\d+)$", _read(folder / "memory.stat"), re.MULTILINE)
    return max(0, most - int(now) + (int(kept[1]) if kept else 0))


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
