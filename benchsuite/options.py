"""What the user asked for: the one reader of pytest's and the commands' options."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from benchsuite.backends.interface import RunPolicy
from benchsuite.backends.schemes import EVERY_SCHEME, scheme_problem
from benchsuite.cases import BACKENDS, PRECISIONS, Backend, Precision
from benchsuite.errors import raise_all
from benchsuite.measure.effort import EFFORTS, Effort

HeadChoice = Literal["auto", "end2end", "both"]
# What older articles on TensorRT name, and which of our methods does the same.
_CALIBRATORS = {
    "IInt8EntropyCalibrator": "entropy",
    "IInt8EntropyCalibrator2": "entropy",
    "IInt8MinMaxCalibrator": "minmax",
    "IInt8LegacyCalibrator": "percentile",
}
CalibMethod = Literal["default", "minmax", "mean-minmax", "entropy", "percentile"]
PERCENTILES = ("p50", "p90", "p95", "p99")


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
    effort: Effort
    baseline: Path
    machine: str | None
    report: Path
    resume: str | None
    limits: Limits
    max_map_drop: float
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


def _words(text: str) -> tuple[str, ...]:
    words = tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    if not words:
        raise ValueError("it is empty; name at least one")
    return words


def _one_of(choices: tuple[str, ...]) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"it is not one of {', '.join(choices)}")
        return text

    return parse


def _some_of(choices: tuple[str, ...]) -> Callable[[str], tuple[str, ...]]:
    def parse(text: str) -> tuple[str, ...]:
        chosen = choices if text == "all" else _words(text)
        unknown = [word for word in chosen if word not in choices]
        if unknown:
            raise ValueError(f"{', '.join(unknown)} is not one of {', '.join(choices)}")
        return chosen

    return parse


def _whole(lowest: int, multiple: int = 1) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isdigit() or int(text) < lowest or int(text) % multiple:
            kind = f"a multiple of {multiple}" if multiple > 1 else "a whole number"
            raise ValueError(f"it must be {kind}, at least {lowest}")
        return int(text)

    return parse


def _list_of(parse_one: Callable[[str], int]) -> Callable[[str], tuple[int, ...]]:
    return lambda text: tuple(parse_one(word) for word in _words(text))


def _device(text: str) -> str | None:
    if text == "auto":
        return None
    if not re.fullmatch(r"cpu|vulkan|cuda:\d+", text):
        raise ValueError("it must be auto, cpu, cuda:N or vulkan")
    return text


def _threads(text: str) -> int:
    from benchsuite.environment import usable_cores

    cores = usable_cores()
    threads = cores if text == "auto" else _whole(1)(text)
    if threads > cores:
        raise ValueError(f"this process may use {cores} cores; give at most that many")
    return threads


def _path(text: str) -> Path | None:
    return Path(text) if text else None


def _yaml(text: str) -> Path | None:
    if text and not Path(text).is_file():
        raise ValueError("there is no such file; give the path of a data.yaml in Ultralytics' YOLO format")
    return _path(text)


def _latency(text: str) -> Mapping[str, float]:
    limits = {}
    for word in _words(text) if text else ():
        match = re.fullmatch(r"(p\d+)=([\d.]+)(ms|s|us)", word)
        if not match or match[1] not in PERCENTILES:
            raise ValueError(f"give {', '.join(PERCENTILES)} with a time, as in p95=50ms")
        limits[match[1]] = float(match[2]) * {"us": 1e3, "ms": 1e6, "s": 1e9}[match[3]]
    return limits


def parse_bytes(text: str) -> int | None:
    """Read 500MB, 1.5GiB or a plain number of bytes; empty is None; raises ValueError for anything else."""
    if not text:
        return None
    match = re.fullmatch(r"([\d.]+)\s*([KMGT]?)(i?)B?", text)
    if not match:
        raise ValueError("give a size, as in 500MB or 1GiB")
    return int(float(match[1]) * (1024 if match[3] else 1000) ** " KMGT".index(match[2] or " "))


def _fraction(text: str) -> float | None:
    if not text:
        return None
    value = float(text) if re.fullmatch(r"[\d.]+", text) else -1.0
    if not 0 <= value <= 1:
        raise ValueError("it must be a fraction from 0 to 1, as in 0.55")
    return value


def _points(text: str) -> float:
    if not re.fullmatch(r"\d+(\.\d+)?", text):
        raise ValueError("it must be a number of mAP points, as in 1.0")
    return float(text)


def parse_percent(text: str) -> float:
    """Read 5% or 5 as a fraction; raises ValueError for anything else."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%?", text)
    if not match or not 0 < float(match[1]) < 100:
        raise ValueError("give percent between 0 and 100, as in 5%")
    return float(match[1]) / 100


def _seconds(text: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|min)?", text)
    if not match or float(match[1]) == 0:
        raise ValueError("give a time, as in 180s or 3min")
    return float(match[1]) * (60 if match[2] == "min" else 1)


def _switch(text: str) -> bool:
    return text == "yes"


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
    return _one_of(get_args(CalibMethod))(text)


def _effort(text: str) -> Effort:
    return EFFORTS[_one_of(tuple(EFFORTS))(text)]


SETTINGS = (
    Setting("--model", "yolo26n_shapes", "M[,M]",
            "the bundled yolo26n_shapes, a path to a YOLO detection .pt (a .pt runs code when it is loaded: only use "
            "files that you trust), or an official name such as yolo26n.pt", _words),
    Setting("--backend", "all", "B[,B]", f"all, or some of {', '.join(BACKENDS)}", _some_of(BACKENDS)),
    Setting("--precision", "all", "P[,P]", f"all, or some of {', '.join(PRECISIONS)}", _some_of(PRECISIONS)),
    Setting("--device", "auto", "D", "auto (the CPU; cuda:0 for trt), cpu, cuda:N, or vulkan for ncnn", _device),
    Setting("--imgsz", "640", "PX[,PX]", "side of the square input, multiples of 32", _list_of(_whole(32, 32))),
    Setting("--batch", "1", "N[,N]", "images per call; each size is a case of its own", _list_of(_whole(1))),
    Setting("--threads", "auto", "N", "threads of every runtime; auto is all cores this process may use", _threads),
    Setting("--data", "", "YAML", "data.yaml to evaluate on (default: the drawn shapes)", _yaml),
    Setting("--calib", "", "YAML", "data.yaml to calibrate INT8 on (default: --data's calib, else train split)", _yaml),
    Setting("--calib-size", "64", "N", "images to calibrate INT8 on", _whole(1)),
    Setting("--calib-method", "default", "METHOD",
            "how INT8 ranges are set: default (the backend's best known), minmax, mean-minmax, entropy or percentile",
            _calib_method),
    Setting("--quant-scheme", "default", "SCHEME",
            f"INT8 scheme: default (the backend's best known), auto (the fastest that keeps --max-map-drop, searched "
            f"for), {', '.join(EVERY_SCHEME)}; ~ and parts that stay float may follow, as in qdq-u8s8~p3+neck",
            _scheme),
    Setting("--search-budget", "10min", "TIME", "time that --quant-scheme auto may search for a case", _seconds),
    Setting("--head", "auto", "HEAD", "auto (one-to-many with NMS everywhere), end2end (NMS-free) or both",
            _one_of(get_args(HeadChoice))),
    Setting("--effort", "standard", "EFFORT", "quick (3 s of samples a case), standard (10 s) or full (60 s)", _effort),
    Setting("--baseline", "baselines", "DIR", "folder of promoted baselines", _path),
    Setting("--machine", "", "NAME", "name of this machine's folder in the baselines (default: from the hardware)",
            lambda text: text or None),
    Setting("--report", "reports", "DIR", "folder that gets a folder for each run", _path),
    Setting("--resume", "", "RUN", "go on with this run, or with the newest unfinished one", lambda text: text or None,
            bare="newest"),
    Setting("--max-latency", "", "LIMITS", "fail a case slower than this in total, as in p95=50ms", _latency),
    Setting("--max-memory", "", "SIZE", "fail a case whose worker's peak memory is larger, as in 500MB", parse_bytes),
    Setting("--min-map", "", "MAP", "fail a case whose mAP50-95 is smaller, as in 0.55", _fraction),
    Setting("--max-map-drop", "1.0", "POINTS", "mAP50-95 points a recommended case may lose against FP32", _points),
    Setting("--against", "", "WHAT",
            "gate: measure every case beside a baseline that is run again: env:PYTHON, weights:PT, store:DIR or "
            "baseline:NAME (a path alone is recognised)", lambda text: text or None),
    Setting("--same-artifacts", "", "", "gate: an env: baseline loads the candidate's artifacts, so that only the "
            "runtime differs", _switch, switch=True),
    Setting("--gate-metrics", "latency,p95,p99,memory", "M[,M]", f"gate: all, or some of {', '.join(GATE_METRICS)}",
            _some_of(GATE_METRICS)),
    Setting("--max-slowdown", "5%", "PERCENT", "gate: the slowdown that it promises to catch", parse_percent),
    Setting("--null-margin", "1%", "PERCENT", "gate: the slowdown that never fails", parse_percent),
    Setting("--alpha", "1%", "PERCENT", "gate: chance of any false alarm in the whole suite", parse_percent),
    Setting("--gate-budget", "180s", "TIME", "gate: time a case, pooled over the suite", _seconds),
    Setting("--gate-strict", "", "", "gate: INCONCLUSIVE fails too, and NOT_COMPARABLE in pytest", _switch,
            switch=True),
    Setting("--waivers", "", "TOML", "gate: accepted slowdowns (default: waivers.toml in the baselines, if there)",
            _path),
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
    values["models"], values["backends"] = values.pop("model"), values.pop("backend")
    values["precisions"] = values.pop("precision")
    values["search_budget_s"] = values.pop("search_budget")
    return Options(limits=limits, gate=gate, **values)


def defaults() -> Options:
    """Return the options of a bare `pytest bench/`."""
    return parse({})
