"""The options of pytest's run and of the commands: how each is spelt, what it means, and the one reader of them all."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, get_args

from benchsuite.backends import BACKENDS
from benchsuite.backends.interface import EngineChoices
from benchsuite.backends.offers import EVERY_SCHEME, EVERY_WAY, scheme_problem
from benchsuite.measure.effort import EFFORTS, Effort
from benchsuite.networks.names import split_models
from benchsuite.options import texts
from benchsuite.options.chosen import GATE_METRICS, CalibMethod, GateOptions, HeadChoice, Limits, Options
from benchsuite.terms.cases import PLAIN, PRECISIONS
from benchsuite.terms.errors import raise_all
from benchsuite.terms.language import ENGLISH, languages
from benchsuite.terms.printable import short

# What older articles on TensorRT name, and which of our methods does the same.
_CALIBRATORS = {
    "IInt8EntropyCalibrator": "entropy",
    "IInt8EntropyCalibrator2": "entropy",
    "IInt8MinMaxCalibrator": "minmax",
    "IInt8LegacyCalibrator": "percentile",
}


@dataclass(frozen=True)
class Setting:
    """One command-line option: how it is spelt, its default text, its help and how its text is read.

    `into` names the field of Options that takes the value, as in `gate.budget_s`, where it is not the option's name.
    """

    flag: str
    default: str
    metavar: str
    help: str
    parse: Callable[[str], Any]
    into: str = ""
    # What a flag without a value means.
    bare: str | None = None
    # A flag that never takes a value; given, its text is "yes".
    switch: bool = False

    @property
    def name(self) -> str:
        return self.flag.lstrip("-").replace("-", "_")

    def chosen_in(self, options: Options) -> object:
        """Return the value that this option has."""
        return attrgetter(self.into or self.name)(options)


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


def _case_ids(text: str) -> tuple[str, ...]:
    return texts.words(text) if text else ()


def _effort(text: str) -> Effort:
    return EFFORTS[texts.one_of(tuple(EFFORTS))(text)]


SETTINGS = (
    Setting("--case", "", "ID[,ID]", "measure just these cases, named by the ids that reports and `benchsuite cases` "
            "print; --model says where another model than the bundled one lies", _case_ids, "case_ids"),
    Setting("--model", "yolo26n_shapes", "M[,M]",
            "the bundled yolo26n_shapes, a path to a YOLO detection .pt (a .pt runs code when it is loaded: only use "
            "files that you trust), or an official name such as yolo26n.pt; NAME=path gives it a name", split_models,
            "models"),
    Setting("--backend", "all", "B[,B]", f"all, or some of {', '.join(BACKENDS)}",
            texts.some_of(tuple(BACKENDS)), "backends"),
    Setting("--precision", "all", "P[,P]", f"all, or some of {', '.join(PRECISIONS)}",
            texts.some_of(PRECISIONS), "precisions"),
    Setting("--device", "auto", "D", "auto (the CPU; cuda:0 for trt), cpu, cuda:N, or vulkan for ncnn", texts.device),
    Setting("--imgsz", "640", "PX[,PX]", "side of the square input, multiples of 32",
            texts.list_of(texts.square_size)),
    Setting("--batch", "1", "N[,N]", "images per call; each size is a case of its own", texts.list_of(texts.whole(1))),
    Setting("--threads", "auto", "N", "threads of every runtime; auto is all cores this process may use, within the "
            "container's CPU quota", texts.thread_count),
    Setting("--data", "", "YAML", "data.yaml to evaluate on (default: the drawn shapes)", texts.yaml_file),
    Setting("--calib", "", "YAML", "data.yaml to calibrate INT8 on (default: --data's calib, else train split)",
            texts.yaml_file),
    Setting("--calib-size", "64", "N", "images to calibrate INT8 on", texts.whole(1)),
    Setting("--calib-method", "default", "METHOD",
            "how INT8 ranges are set: default (the backend's best known), minmax, mean-minmax, entropy or percentile",
            _calib_method),
    Setting("--quant-scheme", "default", "SCHEME",
            f"INT8 scheme: default (the backend's best known), {', '.join(EVERY_SCHEME)}; ~ and parts that stay float "
            "may follow, as in qdq-u8s8~p3+neck; or, in `pytest bench/` alone, auto: the fastest that keeps "
            "--max-map-drop, searched for",
            _scheme),
    Setting("--search-budget", "10min", "TIME",
            "time that --quant-scheme auto may build and score the schemes of a case; the best are timed after it",
            texts.seconds, "search_budget_s"),
    Setting("--head", "auto", "HEAD", "auto (one-to-many with NMS everywhere), end2end (NMS-free) or both",
            texts.one_of(get_args(HeadChoice))),
    Setting("--variant", PLAIN, "V[,V]",
            f"ways to run, each a case of its own: {PLAIN}, {', '.join(f'{n} ({b})' for n, b in EVERY_WAY.items())}; a "
            "backend without any of them runs plain", texts.some_of((PLAIN, *EVERY_WAY)), "variants"),
    Setting("--trt-level", "", "N", "TensorRT's optimisation level, 0 to 5 (default: its own, 3)",
            _level, "engine.level"),
    Setting("--trt-workspace", "", "SIZE", "memory that TensorRT's tactics may take, as in 4GiB (default: all)",
            texts.size_bytes, "engine.workspace_bytes"),
    Setting("--trt-batches", "", "MIN,OPT,MAX", "TensorRT engines that take MIN to MAX images a call, tuned for OPT "
            "(default: only the case's batch)", _batches, "engine.batches"),
    Setting("--rebuilds", "1", "N", "build each TensorRT engine N times, each a case of its own",
            texts.whole(1, 100)),
    Setting("--effort", "standard", "EFFORT", "quick, standard or full: how often each case is launched "
            f"({', '.join(str(effort.launches) for effort in EFFORTS.values())} times) and how long it is timed",
            _effort),
    Setting("--turns", "on", "on|off", "whether cases are timed turn by turn, which is what makes them comparable; off "
            "times each alone in one launch and ranks none", texts.on_or_off),
    Setting("--baseline", "baselines", "DIR", "folder of promoted baselines", texts.path),
    Setting("--machine", "", "NAME", "name of this machine's folder in the baselines (default: from the hardware)",
            lambda text: text or None),
    Setting("--report", "reports", "DIR", "folder that gets a folder for each run", texts.path),
    Setting("--resume", "", "RUN", "go on with this run, or with the newest unfinished one", lambda text: text or None,
            bare="newest"),
    Setting("--max-latency", "", "LIMITS", "fail a case slower than this in total, as in p95=50ms",
            texts.latency_limits, "limits.latency_ns"),
    Setting("--max-memory", "", "SIZE", "fail a case whose worker's peak memory is larger, as in 500MB",
            texts.size_bytes, "limits.memory_bytes"),
    Setting("--min-map", "", "MAP", "fail a case whose mAP50-95 is smaller, as in 0.55",
            texts.fraction, "limits.map50_95"),
    Setting("--max-map-drop", "1.0", "POINTS", "mAP50-95 points a recommended case may lose against FP32",
            texts.points),
    Setting("--lang", ENGLISH, "LANG", f"language of the report: {', '.join(languages())}",
            texts.one_of(languages())),
    Setting("--against", "", "WHAT",
            "gate: measure every case beside a baseline that is run again: env:PYTHON, weights:PT, store:DIR or "
            "baseline:NAME (a path alone is recognised)", lambda text: text or None, "gate.against"),
    Setting("--same-artifacts", "", "", "gate: an env: baseline loads the candidate's artifacts, so that only the "
            "runtime differs", texts.switch, "gate.same_artifacts", switch=True),
    Setting("--gate-metrics", "latency,p95,p99,memory", "M[,M]", f"gate: all, or some of {', '.join(GATE_METRICS)}",
            texts.some_of(GATE_METRICS), "gate.metrics"),
    Setting("--max-slowdown", "5%", "PERCENT", "gate: the slowdown that it promises to catch",
            texts.percent, "gate.max_slowdown"),
    Setting("--null-margin", "1%", "PERCENT", "gate: the slowdown that never fails", texts.percent, "gate.null_margin"),
    Setting("--alpha", "1%", "PERCENT", "gate: chance of any false alarm in the whole suite",
            texts.percent, "gate.alpha"),
    Setting("--gate-budget", "180s", "TIME", "gate: time a case, pooled over the suite",
            texts.seconds, "gate.budget_s"),
    Setting("--gate-strict", "", "", "gate: INCONCLUSIVE fails too, and NOT_COMPARABLE in pytest",
            texts.switch, "gate.strict", switch=True),
    Setting("--waivers", "", "TOML", "gate: accepted slowdowns (default: waivers.toml in the baselines, if there)",
            texts.path, "gate.waivers"),
)  # fmt: skip
SETTING: Mapping[str, Setting] = {setting.name: setting for setting in SETTINGS}
# What the id of a case decides.
IN_CASE_IDS = ("backend", "precision", "device", "imgsz", "batch", "head", "variant", "rebuilds")


def parse(raw: Mapping[str, str]) -> Options:
    """Read the options' texts; raises one UsageError that lists every bad one. Unnamed options get their default."""
    groups: dict[str, dict[str, Any]] = {}
    problems = []
    for setting in SETTINGS:
        text = raw.get(setting.name, setting.default)
        group, _, field = (setting.into or setting.name).rpartition(".")
        if sys.getfilesystemencoding() != "utf-8" and not is_text(text):
            problems.append(
                f"{setting.flag} {text}: it has letters that this process's locale ({sys.getfilesystemencoding()}) "
                "does not know; set PYTHONUTF8=1 or LC_ALL=C.UTF-8."
            )
            continue
        try:
            if problem := texts.unreadable(text):
                raise ValueError(problem)
            groups.setdefault(group, {})[field] = setting.parse(text)
        except ValueError as error:
            problems.append(f"{setting.flag} {short(text)}: {error}.")
    raise_all(problems)
    options = Options(
        limits=Limits(**groups.pop("limits")),
        gate=GateOptions(**groups.pop("gate")),
        engine=EngineChoices(**groups.pop("engine")),
        **groups.pop(""),
    )
    raise_all(_contradictions(raw, options))
    return options


def is_text(text: str) -> bool:
    """Say whether no byte of a text from the command line was left undecoded."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _contradictions(raw: Mapping[str, str], options: Options) -> list[str]:
    """Say where two options cannot both be meant."""
    problems = []
    if options.gate.null_margin >= options.gate.max_slowdown:
        text = raw.get("null_margin", SETTING["null_margin"].default)
        problems.append(f"--null-margin {text}: it must be smaller than --max-slowdown.")
    batches = options.engine.batches
    outside = [batch for batch in options.batch if batches and not batches[0] <= batch <= batches[2]]
    if batches and outside:
        least, _, most = batches
        problems.append(f"--batch {outside[0]}: --trt-batches takes {least} to {most} images a call; widen it.")
    twice = [SETTING[name].flag for name in IN_CASE_IDS if options.case_ids and name in raw]
    if twice:
        problems.append(f"{', '.join(twice)}: --case names whole cases, which say that already; leave it out.")
    return problems


def defaults() -> Options:
    """Return the options of a bare `pytest bench/`."""
    return parse({})
