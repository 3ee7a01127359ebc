"""What the user chose, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, get_args

from benchsuite.backends.interface import EngineChoices, RunPolicy
from benchsuite.measure.effort import Effort
from benchsuite.terms.cases import Precision
from benchsuite.terms.input_size import InputSize
from benchsuite.terms.numbers import Fraction, Measure, Within

HeadChoice = Literal["auto", "end2end", "both"]
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
    max_slowdown: Fraction
    null_margin: Fraction
    alpha: Annotated[float, Within(1e-30, 1)]
    budget_s: Measure
    strict: bool
    waivers: Path | None


@dataclass(frozen=True)
class Options:
    """Everything the user chose, parsed and checked.

    `case_ids` name single cases in place of the combinations of what follows them; `resume` is None, or a run's folder,
    or "newest".
    """

    case_ids: tuple[str, ...]
    models: tuple[str, ...]
    backends: tuple[str, ...]
    precisions: tuple[Precision, ...]
    device: str | None
    imgsz: tuple[InputSize, ...]
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
    rebuilds: int
    effort: Effort
    turns: bool
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
