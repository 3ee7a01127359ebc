"""Models side by side: what each takes and gives on one runtime, and what is documented of its family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchsuite.networks.families import family_of
from benchsuite.report.detail import DetailTable
from benchsuite.runs.records import Record
from benchsuite.terms.absence import Absent, shown
from benchsuite.terms.quantities import megabytes, milliseconds
from benchsuite.terms.said import Sentence, said

# Whichever of them every model has is what models are compared on.
_COMPARED_ON = (("onnx", "fp32"), ("openvino", "fp32"), ("torch", "fp32"), ("ncnn", "fp32"))


@dataclass(frozen=True)
class ModelsView:
    """The tables of several models that were measured in one setting."""

    title: Sentence
    tables: tuple[DetailTable, ...]


def models_view(records: Sequence[Record]) -> ModelsView | None:
    """Return the tables where two models or more were timed on the same runtime, at one size and batch; else None."""
    best: Mapping[str, Record] = {}
    settings: dict[tuple[str, str, str, int, int], dict[str, Record]] = {}
    for record in records:
        case = record.case
        if record.outcome != "measured" or isinstance(record.metrics.latency, Absent) or case.on_gpu or case.variant:
            continue
        setting = (case.backend, str(case.precision), str(case.imgsz), case.batch, case.threads)
        settings.setdefault(setting, {})[case.model] = record
    for runtime in _COMPARED_ON:
        for setting, by_model in settings.items():
            if setting[:2] == runtime and len(by_model) > max(1, len(best)):
                best = by_model
    if not best:
        return None
    case = next(iter(best.values())).case
    title = said("{1} at {2} px, batch {3}", case.row_name, case.imgsz, case.batch)
    families = _families(best)
    return ModelsView(title, (_sizes(best), *([families] if families.rows else [])))


def _sizes(by_model: Mapping[str, Record]) -> DetailTable:
    first = _p50_ns(next(iter(by_model.values())))
    rows = tuple(
        (
            model,
            shown(record.metrics.complexity, lambda it: f"{it.params / 1e6:.2f}"),
            shown(record.metrics.complexity, lambda it: f"{it.gflops:.2f}"),
            shown(record.artifact, lambda it: megabytes(it.bytes)),
            milliseconds(_p50_ns(record)),
            f"{_p50_ns(record) / first:.2f}",
            shown(record.metrics.accuracy, lambda it: f"{it.map50_95:.3f}"),
        )
        for model, record in by_model.items()
    )
    return DetailTable(
        "models",
        "Models side by side",
        ("model", "M params", "GFLOPs", "MB", "p50 ms", "× the first", "mAP50-95"),
        rows,
        "Models were timed one after another and not by turns, so differences of some per cent say nothing.",
    )


def _families(by_model: Mapping[str, Record]) -> DetailTable:
    rows = []
    for model in by_model:
        family = family_of(model)
        if family is not None:
            rows.append((model, family.title, family.blocks, family.head, family.loss, family.optimiser))
    return DetailTable(
        "families",
        "What is documented of their families",
        ("model", "family", "blocks", "head", "loss", "optimiser"),
        tuple(rows),
        "From Ultralytics' documentation, not measured.",
    )


def _p50_ns(record: Record) -> float:
    latency = record.metrics.latency
    assert not isinstance(latency, Absent)
    return latency.total_ns.p50
