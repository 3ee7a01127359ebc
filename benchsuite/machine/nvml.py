"""NVIDIA's management library: which GPUs there are, and what one of them is doing.

Nothing here needs privileges. It is asked between timed calls only: an answer takes up to a millisecond.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from benchsuite.terms.absence import Absent
from benchsuite.terms.said import said

# A software power cap is ordinary; these say that the card was slowed against its will (nvmlClocksEventReason*).
_SLOWED = {"hardware slowdown": 0x8, "software thermal": 0x20, "hardware thermal": 0x40, "power brake": 0x80}
T = TypeVar("T")


@dataclass(frozen=True)
class Gpu:
    """One NVIDIA GPU, or MIG instance of one, as NVML names it; `compute` is its capability, as in 8.9, or empty."""

    name: str
    uuid: str
    memory_bytes: int | Absent
    compute: str = ""


@dataclass(frozen=True)
class GpuState:
    """One GPU at one moment; `slowed` names why its clocks are held down, `pids` are processes that compute on it."""

    sm_mhz: int | Absent
    memory_mhz: int | Absent
    celsius: int | Absent
    watts: float | Absent
    energy_mj: int | Absent
    slowed: tuple[str, ...]
    pids: tuple[int, ...]

    def strangers(self, own_pids: Sequence[int]) -> tuple[int, ...]:
        """Return the processes on the GPU that are none of `own_pids`.

        None where our own are not seen there either: a container may number processes otherwise than NVML does.
        """
        return tuple(pid for pid in self.pids if pid not in own_pids) if set(self.pids) & set(own_pids) else ()


def list_gpus() -> tuple[tuple[Gpu, ...], str | None]:
    """Return the GPUs and the driver's version; a GPU that is split (MIG) stands there as its instances."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return (), None
    told = _teller(pynvml)
    try:
        count = told("number", lambda: int(pynvml.nvmlDeviceGetCount()))
        gpus = [gpu for number in range(0 if isinstance(count, Absent) else count) for gpu in _gpus_at(pynvml, number)]
        driver = told("driver", lambda: str(pynvml.nvmlSystemGetDriverVersion()))
        return tuple(gpus), None if isinstance(driver, Absent) else driver
    finally:
        pynvml.nvmlShutdown()


def read_gpu(uuid: str) -> GpuState:
    """Read clocks, temperature, power, energy so far, slowdowns and processes; what a GPU does not tell is absent."""
    import pynvml

    told = _teller(pynvml)
    with _handle(uuid) as handle:
        watts = told("power", lambda: pynvml.nvmlDeviceGetPowerUsage(handle()) / 1000)
        reasons = told("slowdowns", lambda: int(pynvml.nvmlDeviceGetCurrentClocksEventReasons(handle())))
        running = told("processes", lambda: pynvml.nvmlDeviceGetComputeRunningProcesses(handle()))
        return GpuState(
            sm_mhz=told("clock", lambda: int(pynvml.nvmlDeviceGetClockInfo(handle(), pynvml.NVML_CLOCK_SM))),
            memory_mhz=told(
                "memory clock", lambda: int(pynvml.nvmlDeviceGetClockInfo(handle(), pynvml.NVML_CLOCK_MEM))
            ),
            celsius=told(
                "temperature", lambda: int(pynvml.nvmlDeviceGetTemperature(handle(), pynvml.NVML_TEMPERATURE_GPU))
            ),
            watts=watts,
            energy_mj=told("energy", lambda: int(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle()))),
            slowed=() if isinstance(reasons, Absent) else tuple(name for name, bit in _SLOWED.items() if reasons & bit),
            pids=() if isinstance(running, Absent) else tuple(process.pid for process in running),
        )


def process_bytes(uuid: str, pid: int) -> int | Absent:
    """Return the GPU memory that a process holds."""
    import pynvml

    with _handle(uuid) as handle:
        running = _teller(pynvml)("processes", lambda: pynvml.nvmlDeviceGetComputeRunningProcesses(handle()))
    if isinstance(running, Absent):
        return running
    used = next((process.usedGpuMemory for process in running if process.pid == pid), None)
    if used is None:
        return Absent("NVML does not tell this process's memory: inside a container it numbers processes otherwise")
    return int(used)


def free_bytes(uuid: str) -> int | Absent:
    """Return the GPU memory that nobody holds."""
    import pynvml

    with _handle(uuid) as handle:
        return _teller(pynvml)("memory", lambda: int(pynvml.nvmlDeviceGetMemoryInfo(handle()).free))


@contextmanager
def _handle(uuid: str) -> Iterator[Callable[[], Any]]:
    """Give what finds the GPU anew at each question: one that has fallen off the bus is found by none."""
    import pynvml

    with ExitStack() as stack:
        # Where that fails, each question that follows is told why.
        with suppress(pynvml.NVMLError):
            pynvml.nvmlInit()
            stack.callback(pynvml.nvmlShutdown)
        yield lambda: pynvml.nvmlDeviceGetHandleByUUID(uuid)


def _gpus_at(pynvml: Any, number: int) -> Iterator[Gpu]:
    """Yield the GPU of a number, or its instances; none where NVML tells nothing by which it could be asked for."""
    told = _teller(pynvml)
    handle = told("handle", lambda: pynvml.nvmlDeviceGetHandleByIndex(number))
    if isinstance(handle, Absent):
        return
    compute = told("capability", lambda: pynvml.nvmlDeviceGetCudaComputeCapability(handle))
    for part in _instances(pynvml, handle) or [handle]:
        yield from _gpu(pynvml, part, "" if isinstance(compute, Absent) else ".".join(map(str, compute)))


def _gpu(pynvml: Any, part: Any, compute: str) -> Iterator[Gpu]:
    told = _teller(pynvml)
    uuid = told("UUID", lambda: str(pynvml.nvmlDeviceGetUUID(part)))
    name = told("name", lambda: str(pynvml.nvmlDeviceGetName(part)))
    memory = told("memory", lambda: int(pynvml.nvmlDeviceGetMemoryInfo(part).total))
    if not isinstance(uuid, Absent):
        yield Gpu("NVIDIA GPU" if isinstance(name, Absent) else name, uuid, memory, compute)


def _teller(pynvml: Any) -> Callable[[str, Callable[[], T]], T | Absent]:
    def told(what: str, ask: Callable[[], T]) -> T | Absent:
        try:
            return ask()
        except pynvml.NVMLError as error:
            return Absent(said("NVML does not tell the GPU's {1}: {2}", what, error))

    return told


def _instances(pynvml: Any, handle: Any) -> list[Any]:
    """Return the instances that a GPU is split into; none for one that is whole."""
    try:
        if pynvml.nvmlDeviceGetMigMode(handle)[0] != pynvml.NVML_DEVICE_MIG_ENABLE:
            return []
    except pynvml.NVMLError:
        # It cannot be split.
        return []
    found = []
    most = _teller(pynvml)("instances", lambda: int(pynvml.nvmlDeviceGetMaxMigDeviceCount(handle)))
    for number in range(0 if isinstance(most, Absent) else most):
        try:
            found.append(pynvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, number))
        except pynvml.NVMLError:
            # A place without an instance.
            continue
    return found
