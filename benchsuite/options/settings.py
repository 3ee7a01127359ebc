"""What the user asked for: the one reader of pytest's and the commands' options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from benchsuite.backends.interface import RunPolicy
from benchsuite.backends.schemes import EVERY_SCHEME, scheme_problem
from benchsuite.measure.effort import EFFORTS, Effort
from benchsuite.options import texts
from benchsuite.terms.cases import BACKENDS, PLAIN, PRECISIONS, VARIANTS, Backend, Precision
from benchsuite.terms.errors import raise_all
from benchsuite.terms.language import ENGLISH, languages

HeadChoice = Literal["auto", "end2end", "both"]
# What older articles on TensorRT name, and which of our methods does the same.
_CALIBRATORS = {
    "IInt8EntropyCalibrator": "entropy",
    "IInt8EntropyCalibrator2": "entropy",
    "IInt8MinMaxCalibrator": "minmax",
    "IInt8LegacyCalibrator": "percentile",
}
CalibMethod = Literal["default", "minmax", "mean-minmax", "entropy", "percentile"]


@dataclass(frozen=True)
class Limits:
    """Service goals that a case must meet whatever any baseline says; None is no goal."""

    latency_ns: Mapping[str, float]
    memory_bytes: int | None = None
    map50_95: float | None = None


GateMetric = Literal["latency", "p95", "p99", "memory", "throughput"]
GATE_METRICS: tuple[GateMetric, ...] = get_args(GateMetric)


@dataclass(frozen=True)
class GateOptions:
    """How a gate decides: ratios as fractions, the budget of a case in seconds, `alpha` for the whole suite."""

    against: str | None
    same_artifacts: bool
    metrics: tuple[GateMetric, ...]
    max_slowdown: float
    null_margin: float
    alpha: float
    budget_s: float
    strict: bool
    waivers: Path | None


@dataclass(frozen=True)
class EngineChoices:
    """How TensorRT builds: None leaves the builder's own choice; `batches` are least, usual and most images a call."""

    level: int | None
    workspace_bytes: int | None
    batches: tuple[int, int, int] | None
    rebuilds: int


@dataclass(frozen=True)
class Options:
    """Everything the user chose, parsed and checked; `resume` is None, or a run's folder, or "newest"."""

    models: tuple[str, ...]
    backends: tuple[Backend, ...]
    precisions: tuple[Precision, ...]
    device: str | None
    imgsz: tuple[int, ...]
    batch: tuple[int, ...]
    threads: int
    data: Path | None
    calib: Path | None
    calib_size: int
    calib_method: CalibMethod
    quant_scheme: str
    search_budget_s: float
    head: HeadChoice
    variants: tuple[str, ...]
    engine: EngineChoices
    effort: Effort
    baseline: Path
    machine: str | None
    report: Path
    resume: str | None
    limits: Limits
    max_map_drop: float
    lang: str
    gate: GateOptions

    @property
    def policy(self) -> RunPolicy:
        """Return how every runtime is set up."""
        return RunPolicy(self.threads)


@dataclass(frozen=True)
class Setting:
    """One command-line option: how it is spelt, its default text, its help and how its text is read."""

    flag: str
    default: str
    metavar: str
    help: str
    parse: Callable[[str], Any]
    # What a flag without a value means.
    bare: str | None = None
    # A flag that never takes a value; given, its text is "yes".
    switch: bool = False

    @property
    def name(self) -> str:
        return self.flag.lstrip("-").replace("-", "_")


def _scheme(text: str) -> str:
    problem = scheme_problem(text)
    if problem:
        raise ValueError(problem)
    return text


def _calib_method(text: str) -> str:
    if text in _CALIBRATORS:
        raise ValueError(
            "TensorRT has no calibrator classes any more: its INT8 is Q/DQ pairs in the ONNX file, whose ranges "
            f"benchsuite sets; --calib-method {_CALIBRATORS[text]} is the same choice"
        )
    return texts.one_of(get_args(CalibMethod))(text)


def _level(text: str) -> int | None:
    if text and text not in ("0", "1", "2", "3", "4", "5"):
        raise ValueError("it must be a whole number from 0 to 5")
    return int(text) if text else None


def _batches(text: str) -> tuple[int, int, int] | None:
    if not text:
        return None
    numbers = [texts.whole(1)(word.strip()) for word in text.split(",")]
    if len(numbers) != 3 or numbers != sorted(numbers):
        raise ValueError("give three numbers of images that do not fall, as in 1,8,16")
    return numbers[0], numbers[1], numbers[2]


def _effort(text: str) -> Effort:
    return EFFORTS[texts.one_of(tuple(EFFORTS))(text)]


SETTINGS = (
    Setting("--model", "yolo26n_shapes", "M[,M]",
            "the bundled yolo26n_shapes, a path to a YOLO detection .pt (a .pt runs code when it is loaded: only use "
            "files that you trust), or an official name such as yolo26n.pt", texts.words),
    Setting("--backend", "all", "B[,B]", f"all, or some of {', '.join(BACKENDS)}", texts.some_of(BACKENDS)),
    Setting("--precision", "all", "P[,P]", f"all, or some of {', '.join(PRECISIONS)}", texts.some_of(PRECISIONS)),
    Setting("--device", "auto", "D", "auto (the CPU; cuda:0 for trt), cpu, cuda:N, or vulkan for ncnn", texts.device),
    Setting("--imgsz", "640", "PX[,PX]", "side of the square input, multiples of 32",
            texts.list_of(texts.whole(32, 32))),
    Setting("--batch", "1", "N[,N]", "images per call; each size is a case of its own", texts.list_of(texts.whole(1))),
    Setting("--threads", "auto", "N", "threads of every runtime; auto is all cores this process may use",
            texts.thread_count),
    Setting("--data", "", "YAML", "data.yaml to evaluate on (default: the drawn shapes)", texts.yaml_file),
    Setting("--calib", "", "YAML", "data.yaml to calibrate INT8 on (default: --data's calib, else train split)",
            texts.yaml_file),
    Setting("--calib-size", "64", "N", "images to calibrate INT8 on", texts.whole(1)),
    Setting("--calib-method", "default", "METHOD",
            "how INT8 ranges are set: default (the backend's best known), minmax, mean-minmax, entropy or percentile",
            _calib_method),
    Setting("--quant-scheme", "default", "SCHEME",
            f"INT8 scheme: default (the backend's best known), auto (the fastest that keeps --max-map-drop, searched "
            f"for), {', '.join(EVERY_SCHEME)}; ~ and parts that stay float may follow, as in qdq-u8s8~p3+neck",
            _scheme),
    Setting("--search-budget", "10min", "TIME", "time that --quant-scheme auto may search for a case", texts.seconds),
    Setting("--head", "auto", "HEAD", "auto (one-to-many with NMS everywhere), end2end (NMS-free) or both",
            texts.one_of(get_args(HeadChoice))),
    Setting("--variant", PLAIN, "V[,V]",
            f"ways to run, each a case of its own: {PLAIN}, {', '.join(f'{n} ({b})' for n, b in VARIANTS.items())}; a "
            "backend without any of them runs plain", texts.some_of((PLAIN, *VARIANTS))),
    Setting("--trt-level", "", "N", "TensorRT's optimisation level, 0 to 5 (default: its own, 3)", _level),
    Setting("--trt-workspace", "", "SIZE", "memory that TensorRT's tactics may take, as in 4GiB (default: all)",
            texts.size_bytes),
    Setting("--trt-batches", "", "MIN,OPT,MAX", "TensorRT engines that take MIN to MAX images a call, tuned for OPT "
            "(default: only the case's batch)", _batches),
    Setting("--rebuilds", "1", "N", "build each TensorRT engine N times, each a case of its own", texts.whole(1)),
    Setting("--effort", "standard", "EFFORT", "quick (3 s of samples a case), standard (10 s) or full (60 s)", _effort),
    Setting("--baseline", "baselines", "DIR", "folder of promoted baselines", texts.path),
    Setting("--machine", "", "NAME", "name of this machine's folder in the baselines (default: from the hardware)",
            lambda text: text or None),
    Setting("--report", "reports", "DIR", "folder that gets a folder for each run", texts.path),
    Setting("--resume", "", "RUN", "go on with this run, or with the newest unfinished one", lambda text: text or None,
            bare="newest"),
    Setting("--max-latency", "", "LIMITS", "fail a case slower than this in total, as in p95=50ms",
            texts.latency_limits),
    Setting("--max-memory", "", "SIZE", "fail a case whose worker's peak memory is larger, as in 500MB",
            texts.size_bytes),
    Setting("--min-map", "", "MAP", "fail a case whose mAP50-95 is smaller, as in 0.55", texts.fraction),
    Setting("--max-map-drop", "1.0", "POINTS", "mAP50-95 points a recommended case may lose against FP32",
            texts.points),
    Setting("--lang", ENGLISH, "LANG", f"language of the report: {', '.join(languages())}",
            texts.one_of(languages())),
    Setting("--against", "", "WHAT",
            "gate: measure every case beside a baseline that is run again: env:PYTHON, weights:PT, store:DIR or "
            "baseline:NAME (a path alone is recognised)", lambda text: text or None),
    Setting("--same-artifacts", "", "", "gate: an env: baseline loads the candidate's artifacts, so that only the "
            "runtime differs", texts.switch, switch=True),
    Setting("--gate-metrics", "latency,p95,p99,memory", "M[,M]", f"gate: all, or some of {', '.join(GATE_METRICS)}",
            texts.some_of(GATE_METRICS)),
    Setting("--max-slowdown", "5%", "PERCENT", "gate: the slowdown that it promises to catch", texts.percent),
    Setting("--null-margin", "1%", "PERCENT", "gate: the slowdown that never fails", texts.percent),
    Setting("--alpha", "1%", "PERCENT", "gate: chance of any false alarm in the whole suite", texts.percent),
    Setting("--gate-budget", "180s", "TIME", "gate: time a case, pooled over the suite", texts.seconds),
    Setting("--gate-strict", "", "", "gate: INCONCLUSIVE fails too, and NOT_COMPARABLE in pytest", texts.switch,
            switch=True),
    Setting("--waivers", "", "TOML", "gate: accepted slowdowns (default: waivers.toml in the baselines, if there)",
            texts.path),
)  # fmt: skip


def parse(raw: Mapping[str, str]) -> Options:
    """Read the options' texts; raises one UsageError that lists every bad one. Unnamed options get their default."""
    values: dict[str, Any] = {}
    problems = []
    for setting in SETTINGS:
        text = raw.get(setting.name, setting.default)
        try:
            values[setting.name] = setting.parse(text)
        except ValueError as error:
            problems.append(f"{setting.flag} {text}: {error}.")
    raise_all(problems)
    limits = Limits(values.pop("max_latency"), values.pop("max_memory"), values.pop("min_map"))
    gate = GateOptions(
        against=values.pop("against"),
        same_artifacts=values.pop("same_artifacts"),
        metrics=values.pop("gate_metrics"),
        max_slowdown=values.pop("max_slowdown"),
        null_margin=values.pop("null_margin"),
        alpha=values.pop("alpha"),
        budget_s=values.pop("gate_budget"),
        strict=values.pop("gate_strict"),
        waivers=values.pop("waivers"),
    )
    if gate.null_margin >= gate.max_slowdown:
        raise_all([f"--null-margin {raw.get('null_margin', '1%')}: it must be smaller than --max-slowdown."])
    engine = EngineChoices(
        level=values.pop("trt_level"),
        workspace_bytes=values.pop("trt_workspace"),
        batches=values.pop("trt_batches"),
        rebuilds=values.pop("rebuilds"),
    )
    outside = [batch for batch in values["batch"] if engine.batches and not _within(batch, engine.batches)]
    if outside:
        least, _, most = engine.batches or (0, 0, 0)
        raise_all([f"--batch {outside[0]}: --trt-batches takes {least} to {most} images a call; widen it."])
    values["variants"] = values.pop("variant")
    values["models"], values["backends"] = values.pop("model"), values.pop("backend")
    values["precisions"] = values.pop("precision")
    values["search_budget_s"] = values.pop("search_budget")
    return Options(limits=limits, gate=gate, engine=engine, **values)


def _within(batch: int, batches: tuple[int, int, int]) -> bool:
    return batches[0] <= batch <= batches[2]


def defaults() -> Options:
    """Return the options of a bare `pytest bench/`."""
    return parse({})
