"""The figures of a record, each declared once: tables, files for other tools, comparisons and limits select from them.

One more is a Figure in FIGURES: its names say where it is shown, its tolerance that it is compared with the baseline's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from benchsuite.measure.measurement import PHASES
from benchsuite.options.texts import PERCENTILES
from benchsuite.runs.records import Record
from benchsuite.terms import units
from benchsuite.terms.absence import Absent, part_of, shown
from benchsuite.terms.units import Unit

# What a bench test asks `run` for.
Metric = Literal["latency", "cold", "throughput", "memory", "artifact", "complexity", "proof", "accuracy", "parity"]
AllowedUnit = Literal["percent", "points", "count"]


@dataclass(frozen=True)
class Tolerance:
    """The change for the worse that is still accepted; points are hundredths of a fraction, counts are of a kind."""

    allowed: float
    unit: AllowedUnit
    reason: str


@dataclass(frozen=True)
class Names:
    """What a figure is called wherever it is shown; a place that has no name for it does not show it.

    `group` and `heading` stand over its column of the deployment table, `tile` beside a recommendation, `series` over
    runs side by side and over time. `junit` and `benchmark` are properties in JUnit's and pytest-benchmark's files.
    """

    group: str = ""
    heading: str = ""
    terminal: str = ""
    summary: str = ""
    tile: str = ""
    series: str = ""
    csv: str = ""
    junit: str = ""
    benchmark: str = ""
    github: str = ""
    bencher: str = ""


@dataclass(frozen=True)
class Figure:
    """One figure of a record: `read` gives it in the unit that its names in files say, `unit` is how people read it.

    `key` is its name in findings, tolerances and pages, `title` in a sentence. The bench test that hands `metric` to
    `verdict` answers for it. Only a figure that does not scatter has a tolerance. A finding about its limit goes by
    `limit`. A `speed` counts only where the accuracy of the same artifact is known and passed.
    """

    key: str
    title: str
    metric: Metric
    unit: Unit
    read: Callable[[Record], float | Absent]
    names: Names = Names()
    better: Literal["less", "more"] | None = None
    tolerance: Tolerance | None = None
    limit: str = ""
    speed: bool = False
    # A whole number in Parquet too.
    whole: bool = False
    interval: Callable[[Record], tuple[float, float] | Absent] | None = None
    # A terminal gives it this many decimals.
    terminal_decimals: int | None = None

    def text(self, record: Record) -> str:
        """Return it for a table, a dash where it is absent."""
        return shown(self.read(record), self.unit.show)


def _percentile(phase: str, name: str) -> Callable[[Record], float | Absent]:
    def read(record: Record) -> float | Absent:
        latency = record.metrics.latency
        value: float | Absent = part_of(latency, lambda it: getattr(getattr(it, f"{phase}_ns"), name))
        return value

    return read


def _of_phase(phase: str, name: str) -> Figure:
    """Declare a percentile of a part of the call, which files for other tools have."""
    column = f"{phase}_{name}_ns"
    names = Names(csv=column, benchmark=column if name == "p50" else "")
    return Figure(
        f"{phase}_{name}", f"{name} of {phase}", "latency", units.MILLISECONDS, _percentile(phase, name), names
    )


# In the order of tables.
FIGURES: tuple[Figure, ...] = (
    Figure(
        "latency", "total latency", "latency", units.MILLISECONDS, _percentile("total", "p50"),
        Names(
            "Total latency per call", "p50", terminal="p50 ms", summary="p50 ms", tile="p50 total",
            series="p50 latency", csv="total_p50_ns", junit="p50_ns", github="p50", bencher="latency",
        ),
        better="less", limit="latency", speed=True,
        interval=lambda record: part_of(record.metrics.latency, lambda it: it.total_ns.p50_ci95),
    ),
    Figure(
        "p90", "90th percentile", "latency", units.MILLISECONDS, _percentile("total", "p90"),
        Names(csv="total_p90_ns"), better="less", limit="latency", speed=True,
    ),
    Figure(
        "p95", "95th percentile", "latency", units.MILLISECONDS, _percentile("total", "p95"),
        Names(
            "Total latency per call", "p95", terminal="p95 ms", summary="p95 ms", series="p95 latency",
            csv="total_p95_ns", junit="p95_ns", github="p95",
        ),
        better="less", limit="latency", speed=True,
    ),
    Figure(
        "p99", "99th percentile", "latency", units.MILLISECONDS, _percentile("total", "p99"),
        Names("Total latency per call", "p99", csv="total_p99_ns", junit="p99_ns"),
        better="less", limit="latency", speed=True,
    ),
    Figure(
        "inference", "inference", "latency", units.MILLISECONDS, _percentile("inference", "p50"),
        Names("Inference", "p50", csv="inference_p50_ns", benchmark="inference_p50_ns"),
        better="less", speed=True,
        interval=lambda record: part_of(record.metrics.latency, lambda it: it.inference_ns.p50_ci95),
    ),
    *(
        _of_phase(phase, name)
        for phase in PHASES if phase != "total"
        for name in PERCENTILES if (phase, name) != ("inference", "p50")
    ),
    Figure(
        "calls", "timed calls", "latency", units.NUMBER,
        lambda record: part_of(record.metrics.latency, lambda it: it.total_ns.n), Names(csv="calls"), whole=True,
    ),
    Figure(
        "import", "import", "cold", units.MILLISECONDS,
        lambda record: part_of(record.metrics.cold, lambda it: it.import_ns),
        Names(csv="import_ns"), better="less", whole=True,
    ),
    Figure(
        "load", "load", "cold", units.MILLISECONDS,
        lambda record: part_of(record.metrics.cold, lambda it: it.load_ns),
        Names(csv="load_ns", junit="load_ns"), better="less", whole=True,
    ),
    Figure(
        "first_inference", "first inference", "cold", units.MILLISECONDS,
        lambda record: part_of(record.metrics.cold, lambda it: it.first_inference_ns),
        Names(csv="first_inference_ns", junit="first_inference_ns"), better="less", whole=True,
    ),
    Figure(
        "throughput", "throughput", "throughput", units.IMAGES_PER_S,
        lambda record: part_of(record.metrics.throughput, lambda it: it.images_per_s),
        Names(
            "Saturated", "throughput", terminal="img/s", summary="img/s", tile="throughput", series="throughput",
            csv="images_per_s", junit="images_per_s", github="throughput", bencher="throughput",
        ),
        better="more", speed=True,
    ),
    Figure(
        "streams", "streams", "throughput", units.NUMBER,
        lambda record: part_of(record.metrics.throughput, lambda it: it.streams), Names(csv="streams"), whole=True,
    ),
    Figure(
        "memory", "peak memory", "memory", units.MEGABYTES,
        lambda record: part_of(record.metrics.memory, lambda it: it.peak_rss_bytes),
        Names(
            "Memory", "peak", terminal="RAM MB", summary="peak MB", tile="peak memory", series="peak memory",
            csv="peak_rss_bytes", junit="peak_rss_bytes", github="peak memory", bencher="peak-memory",
        ),
        better="less", limit="memory", whole=True, terminal_decimals=0,
    ),
    Figure(
        "gpu_memory", "GPU memory", "memory", units.MEGABYTES,
        lambda record: part_of(record.metrics.memory, lambda it: it.gpu_bytes),
        Names(csv="gpu_bytes"), better="less", whole=True,
    ),
    Figure(
        "artifact_bytes", "artifact size", "artifact", units.MEGABYTES,
        lambda record: part_of(record.artifact, lambda it: it.bytes),
        Names(
            "Network", "artifact", summary="file MB", tile="artifact", series="artifact",
            csv="artifact_bytes", junit="artifact_bytes", benchmark="artifact_bytes", github="artifact",
            bencher="file-size",
        ),
        better="less", whole=True,
        tolerance=Tolerance(
            1.0, "percent",
            "Exporters write names, versions and metadata of varying length; a lost fusion or a second head costs far "
            "more.",
        ),
    ),
    Figure(
        "build", "build time", "artifact", units.SECONDS,
        lambda record: part_of(record.artifact, lambda it: it.build_s),
        Names(csv="build_s", junit="build_s"), better="less",
    ),
    Figure(
        "params", "parameters", "complexity", units.MILLIONS,
        lambda record: part_of(record.metrics.complexity, lambda it: it.params),
        Names("Network", "params", csv="params", junit="params"), better="less", whole=True,
        tolerance=Tolerance(
            0.0, "percent", "Counted in the fused network, not measured: any growth is another network."
        ),
    ),
    Figure(
        "gflops", "GFLOPs", "complexity", units.GFLOPS,
        lambda record: part_of(record.metrics.complexity, lambda it: it.gflops),
        Names("Network", "GFLOPs", csv="gflops", junit="gflops"), better="less",
        tolerance=Tolerance(
            0.1, "percent",
            "Counted, not measured; a tenth of a percent leaves room for an operator that counters see differently.",
        ),
    ),
    Figure(
        "kernels", "kernel counts", "proof", units.NUMBER,
        lambda record: part_of(record.validity.ran, lambda it: sum(it.kernels.values())),
        Names(junit="kernels"),
        tolerance=Tolerance(
            0, "count",
            "The same artifact on the same runtime picks the same kernels; a change of one is a lost or a new fusion.",
        ),
    ),
    Figure(
        "int8_mac_share", "integer multiply-adds", "proof", units.PERCENT,
        lambda record: part_of(record.validity.ran, lambda it: it.int8_mac_share),
        Names(csv="int8_mac_share", junit="int8_mac_share"),
    ),
    Figure(
        "map50_95", "mAP50-95", "accuracy", units.FRACTION,
        lambda record: part_of(record.metrics.accuracy, lambda it: it.map50_95),
        Names(
            "Accuracy", "mAP50-95", terminal="mAP", summary="mAP50-95", tile="mAP50-95", series="mAP50-95",
            csv="map50_95", junit="map50_95", github="mAP50-95", bencher="map50-95",
        ),
        better="more", limit="accuracy",
        tolerance=Tolerance(
            0.5, "points",
            "Rounding in other kernels moves mAP50-95 by some tenths of a point; half a point is a loss that users can "
            "see.",
        ),
    ),
    Figure(
        "map50", "mAP50", "accuracy", units.FRACTION,
        lambda record: part_of(record.metrics.accuracy, lambda it: it.map50),
        Names("Accuracy", "mAP50", csv="map50", junit="map50"), better="more",
        tolerance=Tolerance(
            1.0, "points",
            "mAP50 is coarser than mAP50-95: one box more or less at one threshold moves it further.",
        ),
    ),
    Figure(
        "map50_95_small", "mAP50-95 of small objects", "accuracy", replace(units.FRACTION, text="mAP50-95"),
        lambda record: part_of(record.metrics.accuracy, lambda it: it.map50_95_small),
        Names("Accuracy", "small", csv="map50_95_small"), better="more",
    ),
    Figure(
        "parity", "parity with the reference", "parity", units.PERCENT,
        lambda record: part_of(record.metrics.parity, lambda it: it.known_agreement),
        Names("Parity", "with torch fp32", summary="parity %", csv="agreement", junit="agreement"), better="more",
        tolerance=Tolerance(
            1.0, "points",
            "Boxes whose score lies at the threshold appear and vanish with rounding; a point more is a change in "
            "detections.",
        ),
    ),
    Figure(
        "energy", "energy a call", "latency", units.JOULES,
        lambda record: part_of(record.metrics.gpu, lambda it: it.energy_j_per_call),
        Names(csv="energy_j_per_call"), better="less",
    ),
)  # fmt: skip


def figure(key: str) -> Figure:
    """Return the figure of a key."""
    return next(it for it in FIGURES if it.key == key)
