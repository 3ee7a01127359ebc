"""The machine's facts and its fingerprint."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchsuite.machine import facts
from benchsuite.machine.facts import differences, read_machine
from benchsuite.testing import make_machine


def test_fingerprint_is_the_hardware_s() -> None:
    """Another version of a library is a change to measure; another CPU or governor is another machine."""
    machine = make_machine()
    assert replace(machine, packages={"onnxruntime": "99"}).fingerprint == machine.fingerprint
    assert replace(machine, kernel="9.9").fingerprint == machine.fingerprint
    assert replace(machine, cpu="Another CPU").fingerprint != machine.fingerprint
    assert replace(machine, governor="other").fingerprint != machine.fingerprint


def test_differences_name_both_sides() -> None:
    """Each difference is a line with both values, packages one by one."""
    machine = replace(make_machine(), packages={"torch": "1", "onnx": "1"})
    other = replace(machine, cpu="Another CPU", packages={"torch": "2", "ncnn": "3"})
    assert differences(machine, other) == (
        f"cpu: {machine.cpu} -> Another CPU",
        "ncnn: none -> 3",
        "onnx: 1 -> none",
        "torch: 1 -> 2",
    )


def test_this_machine_can_be_read() -> None:
    """Reading this machine gives cores, memory and the versions of what is installed of the packages asked for."""
    machine = read_machine(("torch", "nothing-of-that-name"))
    assert machine.usable_cores >= 1
    assert machine.memory_bytes > 1 << 28
    assert list(machine.packages) == ["torch"]


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
    monkeypatch.setattr(facts, "_read", lambda path: files.get(path, ""))
    assert facts._cpu_quota() == quota
