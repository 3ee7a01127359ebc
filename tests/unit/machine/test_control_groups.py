"""Limits of control groups, as files of both versions tell them."""

from __future__ import annotations

import pytest

from benchsuite.machine import control_groups
from benchsuite.machine.control_groups import cpu_quota, memory_limit_bytes, memory_room_bytes


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({"/sys/fs/cgroup/cpu.max": "250000 100000\n"}, 2.5),
        ({"/sys/fs/cgroup/cpu.max": "max 100000\n"}, None),
        ({"/sys/fs/cgroup/cpu.max": "nonsense"}, None),
        # The least of this process's group and those around it.
        (
            {
                "/proc/self/cgroup": "0::/a/b\n",
                "/sys/fs/cgroup/a/cpu.max": "150000 100000",
                "/sys/fs/cgroup/a/b/cpu.max": "400000 100000",
            },
            1.5,
        ),
        (
            {"/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n", "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"},
            None,
        ),
        (
            {
                "/proc/self/cgroup": "3:cpu,cpuacct:/docker/1\n0::/\n",
                "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000\n",
                "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            0.5,
        ),
        ({}, None),
    ],
)
def test_cpu_quota_is_read(monkeypatch: pytest.MonkeyPatch, files: dict[str, str], quota: float | None) -> None:
    """The quota of cgroup v2, or else of v1, is a number of cores; without a limit there is none."""
    monkeypatch.setattr(control_groups, "_read", lambda path: files.get(str(path), ""))
    assert cpu_quota() == quota


_V1 = "/sys/fs/cgroup/memory"


@pytest.mark.parametrize(
    ("files", "limit", "room"),
    [
        # What the kernel keeps of files makes room; the least of all groups counts.
        (
            {
                "/proc/self/cgroup": "0::/a/b\n",
                "/sys/fs/cgroup/a/memory.max": "1000\n",
                "/sys/fs/cgroup/a/memory.current": "700\n",
                "/sys/fs/cgroup/a/memory.stat": "anon 500\ninactive_file 200\nactive_file 1\n",
                "/sys/fs/cgroup/a/b/memory.max": "max\n",
                "/sys/fs/cgroup/a/b/memory.current": "600\n",
            },
            1000,
            500,
        ),
        (
            {
                "/proc/self/cgroup": "4:memory:/docker/1\n0::/\n",
                f"{_V1}/memory.limit_in_bytes": "9223372036854771712\n",
                f"{_V1}/docker/1/memory.limit_in_bytes": "800",
                f"{_V1}/docker/1/memory.usage_in_bytes": "900",
                f"{_V1}/docker/1/memory.stat": "inactive_file 5\ntotal_inactive_file 50\n",
            },
            800,
            0,
        ),
        ({}, None, None),
    ],
)
def test_memory_limit_and_room_are_read(
    monkeypatch: pytest.MonkeyPatch, files: dict[str, str], limit: int | None, room: int | None
) -> None:
    """The limit of this process's group or of one around it, and what is left of it."""
    monkeypatch.setattr(control_groups, "_read", lambda path: files.get(str(path), ""))
    assert memory_limit_bytes() == limit
    assert memory_room_bytes() == room
