"""What measuring a case yields; times in ns, memory in bytes, absent values with their reason."""

from __future__ import annotations

from dataclasses import dataclass

from benchsuite.detect.accuracy import Accuracy
from benchsuite.detect.parity import Parity
from benchsuite.machine.noise import Noise
from benchsuite.machine.nvml import GpuState
from benchsuite.terms.absence import NOT_SELECTED, Absent
from benchsuite.terms.numbers import AtLeastOne, Count, Measure

ON_CPU = Absent("the case runs on the CPU")
PHASES = ("preprocess", "inference", "postprocess", "total")


@dataclass(frozen=True)
class Distribution:
    """Summarise one sample of durations in ns; a percentile is absent where the sample cannot bound it."""

    n: AtLeastOne
    min: Count
    max: Count
    mean: Measure
    std: Measure
    p50: Measure
    p50_ci95: tuple[Measure, Measure] | Absent
    p90: Measure | Absent
    p95: Measure | Absent
    p99: Measure | Absent


@dataclass(frozen=True)
class Together:
    """A case's part in a timing by turns; cases of one `timing` may be ranked against each other.

    `launches` has a number a launch: the logarithm of the case's time over that of the timing's first case, freed of
    what each round did to all. Rounds scatter by `spread`; `left_out` of the case's own turns do not count.
    """

    timing: str
    launches: tuple[float, ...]
    turns: AtLeastOne
    left_out: Count
    spread: Measure
    noise: Noise


ALONE = Absent("it was timed alone, and not by turns with others")


@dataclass(frozen=True)
class Latency:
    """Time per call (a call takes the case's batch); the four phases were clocked in the same calls.

    Percentiles are of all calls that count, and intervals of medians are over launches.
    """

    preprocess_ns: Distribution
    inference_ns: Distribution
    postprocess_ns: Distribution
    total_ns: Distribution
    warmup_calls: Count
    samples_file: str
    samples_sha256: str
    together: Together | Absent = ALONE


@dataclass(frozen=True)
class DeviceLatency:
    """The device's own time of copying a call's images in, computing, and copying its output out.

    From calls of their own: noting these times slows a call.
    """

    copy_in_ns: Distribution
    compute_ns: Distribution
    copy_out_ns: Distribution


@dataclass(frozen=True)
class GpuUse:
    """What NVML told of the GPU right before and right after the timed calls, never during them.

    `energy_j_per_call` covers the whole GPU, warm-up included; `strangers` are other processes that computed on it.
    """

    before: GpuState
    after: GpuState
    energy_j_per_call: float | Absent
    strangers: tuple[int, ...]
    device: DeviceLatency | Absent


@dataclass(frozen=True)
class Cold:
    """What a process pays once: loading the artifact, and its first inference."""

    import_ns: Count
    load_ns: Count
    first_inference_ns: Count


@dataclass(frozen=True)
class ThroughputPoint:
    """Images finished per second by `streams` processes of `threads` threads each, all of them saturated."""

    streams: AtLeastOne
    threads: AtLeastOne
    images_per_s: Measure
    images: Count
    window_ns: Count


@dataclass(frozen=True)
class Throughput:
    """The best point of a saturated sweep, and the sweep."""

    images_per_s: Measure
    streams: AtLeastOne
    threads: AtLeastOne
    sweep: tuple[ThroughputPoint, ...]


@dataclass(frozen=True)
class Memory:
    """Resident memory of a worker that only loaded and ran this artifact."""

    peak_rss_bytes: Count
    import_rss_bytes: int
    load_added_bytes: int
    inference_added_bytes: int
    gpu_bytes: Count | Absent


@dataclass(frozen=True)
class Complexity:
    """Size of the fused network with the one head that runs; a multiply-add counts as two operations."""

    params: Count
    gflops: Measure


@dataclass(frozen=True)
class AccuracyLoss:
    """Points of mAP50-95 that are lost, their 95 % interval over the images, and what they are lost against.

    `calibrated_on` of the images took part in setting the artifact's INT8 ranges.
    """

    points: float
    ci95: tuple[float, float]
    images: int
    reference: str
    reference_map50: float
    reference_map50_95: float
    calibrated_on: int = 0


NO_LOSS = Absent("an older release noted no interval of it")


@dataclass(frozen=True)
class Metrics:
    """Everything measured of one case."""

    latency: Latency | Absent = NOT_SELECTED
    cold: Cold | Absent = NOT_SELECTED
    throughput: Throughput | Absent = NOT_SELECTED
    memory: Memory | Absent = NOT_SELECTED
    complexity: Complexity | Absent = NOT_SELECTED
    accuracy: Accuracy | Absent = NOT_SELECTED
    parity: Parity | Absent = NOT_SELECTED
    gpu: GpuUse | Absent = NOT_SELECTED
    loss: AccuracyLoss | Absent = NO_LOSS
