"""What stands behind the deployment table of a group: latency, phases, throughput, memory, cold start, precision."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from benchsuite.report.recommendation import name_of
from benchsuite.report.samples import Thinned
from benchsuite.runs.figures import figure
from benchsuite.runs.records import Record
from benchsuite.terms.absence import DASH, Absent, shown
from benchsuite.terms.cases import Case
from benchsuite.terms.quantities import megabytes, milliseconds, signed, significant

Samples = Mapping[str, Thinned | Absent]


@dataclass(frozen=True)
class DetailTable:
    """A table with the case's name first; `about` says how to read it."""

    key: str
    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    about: str


def detail_tables(records: Sequence[Record], samples: Samples) -> tuple[DetailTable, ...]:
    """Return the tables of one group's records; one that would have no row is left out."""
    tables = (
        latency_table(records, samples),
        phase_table(records),
        device_table(records),
        throughput_table(records),
        memory_table(records),
        cold_table(records),
        precision_table(records),
    )
    return tuple(table for table in tables if table.rows)


def latency_table(records: Sequence[Record], samples: Samples) -> DetailTable:
    """Return the total latency's percentiles, and how the last calls lie to the first."""
    rows = []
    for record in records:
        latency = record.metrics.latency
        if isinstance(latency, Absent):
            continue
        total, thinned = latency.total_ns, samples.get(record.case.id)
        drift = signed((thinned.drift - 1) * 100) if isinstance(thinned, Thinned) else DASH
        times = (total.min, total.p50, total.p90, total.p95, total.p99, total.max)
        rows.append((name_of(record), f"{total.n:,}", *map(_ms, times), drift, str(latency.warmup_calls)))
    return DetailTable(
        "latency",
        "Latency in detail",
        ("case", "calls", "min ms", "p50 ms", "p90 ms", "p95 ms", "p99 ms", "max ms", "drift %", "warm-up calls"),
        tuple(rows),
        "Total latency per call. Drift is the median of the last quarter of calls against that of the first. "
        "A percentile without enough calls to bound it is absent.",
    )


def phase_table(records: Sequence[Record]) -> DetailTable:
    """Return the median of each phase and its share of their sum."""
    rows = []
    for record in records:
        latency = record.metrics.latency
        if isinstance(latency, Absent):
            continue
        phases = [phase.p50 for phase in (latency.preprocess_ns, latency.inference_ns, latency.postprocess_ns)]
        shares = [f"{phase / sum(phases):.0%}" if any(phases) else DASH for phase in phases]
        cells = [text for phase, share in zip(phases, shares, strict=True) for text in (milliseconds(phase), share)]
        rows.append((name_of(record), *cells, _ms(latency.total_ns.p50)))
    return DetailTable(
        "phases",
        "Where a call's time goes",
        ("case", "preprocess ms", "share", "inference ms", "share", "postprocess ms", "share", "total ms"),
        tuple(rows),
        "Medians. Preprocess letterboxes and normalises decoded images; inference takes and returns host arrays; "
        "postprocess is NMS or top-k, and scaling back. Medians of parts need not add up to the total's.",
    )


def device_table(records: Sequence[Record]) -> DetailTable:
    """Return the device's own times and what NVML told."""
    rows = []
    for record in records:
        use = record.metrics.gpu
        if isinstance(use, Absent):
            continue
        device, state = use.device, use.after
        rows.append(
            (
                name_of(record),
                shown(device, lambda it: milliseconds(it.copy_in_ns.p50)),
                shown(device, lambda it: milliseconds(it.compute_ns.p50)),
                shown(device, lambda it: milliseconds(it.copy_out_ns.p50)),
                shown(use.energy_j_per_call, significant),
                shown(state.watts, significant),
                shown(state.sm_mhz, str),
                shown(state.celsius, str),
                ", ".join(dict.fromkeys((*use.before.slowed, *state.slowed))) or "no",
            )
        )
    return DetailTable(
        "device",
        "On the GPU",
        ("case", "copy in ms", "compute ms", "copy out ms", "J a call", "W after", "MHz after", "°C after", "slowed"),
        tuple(rows),
        "The device's own medians, from calls of their own; NVML right after the timed calls; energy of the whole GPU.",
    )


def throughput_table(records: Sequence[Record]) -> DetailTable:
    """Return every point of the saturated sweeps."""
    rows = []
    for record in records:
        throughput = record.metrics.throughput
        if isinstance(throughput, Absent):
            continue
        for point in throughput.sweep:
            best = "best" if point.images_per_s == throughput.images_per_s else ""
            rate = significant(point.images_per_s)
            rows.append((name_of(record), str(point.streams), str(point.threads), rate, f"{point.images:,}", best))
    return DetailTable(
        "throughput",
        "Throughput by streams",
        ("case", "streams", "threads each", "images/s", "images", "of the sweep"),
        tuple(rows),
        "Saturated workers, all at the same time within one window; never one over the latency. A stream's rate is "
        "that of the calls between the first and the last that ended in the window, over the time between these two; "
        "the streams' rates are added. So it is more than the images over the whole window.",
    )


def memory_table(records: Sequence[Record]) -> DetailTable:
    """Return what each step added to the worker's memory."""
    rows = []
    for record in records:
        memory = record.metrics.memory
        if isinstance(memory, Absent):
            continue
        steps = (
            memory.peak_rss_bytes, memory.import_rss_bytes, memory.load_added_bytes, memory.inference_added_bytes
        )  # fmt: skip
        rows.append((name_of(record), *map(megabytes, steps), shown(memory.gpu_bytes, megabytes)))
    return DetailTable(
        "memory",
        "Memory",
        ("case", "peak MB", "after import MB", "loading adds MB", "first inference adds MB", "GPU MB"),
        tuple(rows),
        "Resident memory of a worker that did nothing else.",
    )


def cold_table(records: Sequence[Record]) -> DetailTable:
    """Return what a process pays once, and what building the artifact took."""
    rows = []
    for record in records:
        cold = record.metrics.cold
        if isinstance(cold, Absent):
            continue
        steps = (cold.import_ns, cold.load_ns, cold.first_inference_ns)
        built = figure("build").text(record)
        rows.append((name_of(record), *map(_ms, steps), _ms(sum(steps)), built))
    return DetailTable(
        "cold",
        "Cold start",
        ("case", "import ms", "load ms", "first inference ms", "together ms", "build s"),
        tuple(rows),
        "What a new process pays before its first result; never part of a latency. Building is paid once, and kept.",
    )


def _way(case: Case) -> Case:
    return replace(case, precision="fp32", scheme="")


def precision_table(records: Sequence[Record]) -> DetailTable:
    """Return each precision against FP32 of the same runtime, run in the same way."""
    plain = {_way(it.case): it for it in records if it.case.precision == "fp32"}
    rows = []
    for record in sorted(records, key=lambda it: (it.case.backend, it.case.variant)):
        base = plain.get(_way(record.case))
        if base is None:
            continue
        rows.append(
            (
                name_of(record),
                shown(record.validity.label, str),
                figure("artifact_bytes").text(record),
                _against(record, base, "latency", lambda mine, other: significant(other / mine)),
                _against(record, base, "map50_95", lambda mine, other: signed((other - mine) * 100, 2)),
                figure("parity").text(record),
                shown(figure("int8_mac_share").read(record), "{:.0%}".format),
            )
        )
    return DetailTable(
        "precision",
        "Precision",
        ("case", "ran", "artifact MB", "× as fast as fp32", "mAP points lost", "parity %", "integer multiply-adds"),
        tuple(rows),
        "Against FP32 of the same runtime. Parity is the share of PyTorch FP32's boxes that are found again.",
    )


def _against(record: Record, base: Record, key: str, show: Callable[[float, float], str]) -> str:
    read = figure(key).read
    return shown(read(record), lambda mine: shown(read(base), lambda other: show(mine, other)))


def _ms(ns: float | Absent) -> str:
    return shown(ns, milliseconds)
