"""The machine's facts and its fingerprint."""

from __future__ import annotations

from dataclasses import replace

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
