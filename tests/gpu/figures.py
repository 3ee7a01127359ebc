"""What records say of a GPU, in lines for people: what NVML told around the timed calls, and the device's own times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def gpu_lines(records: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the figures of each record that has some."""
    for record in records:
        metrics = record["metrics"]
        use = metrics["gpu"]
        if "absent" in use:
            continue
        before, after = use["before"], use["after"]
        slowed = ", ".join(dict.fromkeys((*before["slowed"], *after["slowed"]))) or "not slowed"
        memory = metrics["memory"].get("gpu_bytes", metrics["memory"])
        yield record["case"]["id"]
        yield f"  SM clock MHz        {_told(after['sm_mhz'])}, before {_told(before['sm_mhz'])}; {slowed}"
        yield f"  memory clock MHz    {_told(after['memory_mhz'])}"
        yield f"  temperature C       {_told(after['celsius'])}"
        yield f"  power W             {_told(after['watts'])}, before {_told(before['watts'])}"
        yield f"  energy J a call     {_told(use['energy_j_per_call'])}"
        yield f"  GPU memory bytes    {_told(memory)}"
        yield f"  processes           {after['pids']}, of which others: {use['strangers']}"
        yield from _device_lines(use["device"])


def _device_lines(device: Mapping[str, Any]) -> Iterator[str]:
    if "absent" in device:
        yield f"  device's own times  {_told(device)}"
        return
    for name in ("copy_in", "compute", "copy_out"):
        part = device[f"{name}_ns"]
        yield f"  {name.replace('_', ' '):8} p50 ms     {part['p50'] / 1e6:.3f} of {part['n']} calls"


def _told(value: object) -> str:
    if isinstance(value, Mapping):
        return f"absent: {value['absent']}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
