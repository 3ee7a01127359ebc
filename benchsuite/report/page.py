"""The report of a run: one page that needs nothing but itself, and a summary for a pull request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchsuite.compare.findings import Finding
from benchsuite.machine.facts import Machine
from benchsuite.machine.files import write_whole
from benchsuite.machine.nvml import Gpu
from benchsuite.report.chart import Chart
from benchsuite.report.detail_charts import course, distribution, phases
from benchsuite.report.drawing import library
from benchsuite.report.gate_charts import path_chart, ratio_chart
from benchsuite.report.gate_view import gate_view, selftests
from benchsuite.report.groups import short_titles
from benchsuite.report.html import fill
from benchsuite.report.pareto import latency_against_map
from benchsuite.report.recommendation import name_of
from benchsuite.report.samples import read_samples
from benchsuite.report.study import StudyView
from benchsuite.report.summary import summary
from benchsuite.report.table import SPEED_UP, columns
from benchsuite.report.views import GroupView, PageView, page_view
from benchsuite.runs import figures
from benchsuite.runs.folder import Run, read_run
from benchsuite.study.rows import Study, read_studies
from benchsuite.terms.absence import Absent, shown
from benchsuite.terms.language import ENGLISH
from benchsuite.terms.quantities import significant
from benchsuite.terms.said import joined, said

PAGE_FILE = "index.html"
SUMMARY_FILE = "summary.md"
# What one asks first of a case that is recommended.
_TILES = ("latency", SPEED_UP, "throughput", "map50_95", "memory", "artifact_bytes")
# By the names that they have in the page; None where there is nothing to draw.
Charts = Mapping[str, Chart | None]


def write_report(
    folder: Path, findings: Sequence[Finding], max_map_drop: float, lang: str = ENGLISH
) -> tuple[Path, Path]:
    """Write `index.html` and `summary.md` into a run's folder and return their paths.

    `max_map_drop` is how many points of mAP50-95 a recommended case may lose. Raises UsageError where the folder
    cannot be written.
    """
    run = read_run(folder)
    studies, damage = read_studies(run.folder.parent)
    made, passed_over = selftests(folder.parent, run.machine.fingerprint, run.selected_ids)
    run = replace(run, notes=(*run.notes, *damage, *passed_over))
    view = page_view(
        run,
        findings,
        max_map_drop,
        gate_view(folder, findings),
        _concerning(studies, run),
        read_samples(run),
        made,
    )
    page, markdown = folder / PAGE_FILE, folder / SUMMARY_FILE
    write_whole(page, render(view, lang))
    write_whole(markdown, summary(view, lang))
    return page, markdown


def _concerning(studies: Sequence[Study], run: Run) -> Sequence[Study]:
    """Return the newest study of each kind on the run's machine that concerns one of its models."""
    models = {record.case.model for record in run.records}
    newest: dict[str, Study] = {}
    for study in studies:
        if study.machine.fingerprint == run.machine.fingerprint and models & {row.case.model for row in study.rows}:
            newest.setdefault(study.kind, study)
    return tuple(newest.values())


def render(view: PageView, lang: str = ENGLISH) -> str:
    """Return the page as HTML; names, reasons and paths are escaped wherever they stand."""
    charts, gate_charts = [_group_charts(group, view) for group in view.groups], _gate_charts(view)
    every = [*(chart for own in (*charts, gate_charts) for chart in own.values()), *(it.chart for it in view.batches)]
    return fill(
        "page.html.j2",
        lang,
        view=view,
        run=view.run,
        columns=[columns(group.speed_up) for group in view.groups],
        tiles=_tiles(view),
        charts=charts,
        links=short_titles([group.title for group in view.groups]),
        gate_charts=gate_charts,
        library=library() if any(every) else "",
        facts=_machine_facts(view.run.machine),
        policies=_policies(view.run),
        provenance=_provenance(view),
        names={record.case.id: name_of(record) for record in view.run.records},
    )


def _tiles(view: PageView) -> Sequence[tuple[str, str, str]]:
    """Return key, heading and unit of each figure beside the recommendations."""
    named = {it.key: (it.key, it.names.tile, it.unit.text) for it in figures.FIGURES}
    references = dict.fromkeys(group.speed_up for group in view.groups)
    shared = next(iter(references)) if len(references) == 1 else said("× as fast as the group's reference")
    named[SPEED_UP] = (SPEED_UP, "speed-up", shared)
    return [named[key] for key in _TILES]


def _group_charts(group: GroupView, view: PageView) -> Charts:
    return {
        "map": latency_against_map(group, view.max_map_drop),
        "distribution": distribution(group.records, view.samples),
        "course": course(group.records, view.samples),
        "phases-chart": phases(group.records),
    }


def _gate_charts(view: PageView) -> Charts:
    if view.gate is None or view.gate.evidence is None:
        return {}
    return {"gate-ratios": ratio_chart(view.gate.evidence), "gate-paths": path_chart(view.gate.evidence)}


def study_page(view: StudyView, machine: Machine, lang: str = ENGLISH) -> str:
    """Return a study's page as HTML."""
    drawing = library() if view.charts else ""
    return fill("study.html.j2", lang, view=view, facts=_machine_facts(machine), library=drawing)


def _machine_facts(machine: Machine) -> Mapping[str, str]:
    """Return the machine's facts by the names that a reader knows them by."""
    quota = machine.cpu_quota_cores
    memory, limit = _gigabytes(machine.memory_bytes), machine.memory_limit_bytes
    gpus = ", ".join(map(_gpu_named, machine.gpus))
    return {
        "Processor": machine.cpu,
        "Architecture": machine.arch,
        "Instruction sets": ", ".join(machine.isa) or "none of those that runtimes look for",
        "Cores": said("{1} physical, {2} usable", machine.cores, machine.usable_cores),
        "CPU quota": "none" if quota is None else said("{1} cores", f"{quota:g}"),
        "Governor": machine.governor,
        "Memory": said("{1} GB, limit none", memory)
        if limit is None
        else said("{1} GB, limit {2} GB", memory, _gigabytes(limit)),
        "GPU": gpus or "none",
        "GPU driver": machine.gpu_driver or "none",
        "System": f"{machine.system} {machine.kernel}",
        "Python": machine.python,
        "Fingerprint": machine.fingerprint,
    }


def _gpu_named(gpu: Gpu) -> str:
    memory = gpu.memory_bytes
    return gpu.name if isinstance(memory, Absent) else f"{gpu.name} ({_gigabytes(memory)} GB)"


def _gigabytes(size_bytes: int) -> str:
    return significant(size_bytes / 1e9)


def _policies(run: Run) -> tuple[str, ...]:
    """Return each thread and spin policy that records were measured under."""
    policies = (record.validity.policy for record in run.records if record.validity.policy)
    texts = ([said("{1}: {2}", name, text) for name, text in policy.items()] for policy in policies)
    return tuple(dict.fromkeys(joined(", ", parts) for parts in texts))


def _provenance(view: PageView) -> Sequence[Mapping[str, str]]:
    """Return how each measured or built artifact came about."""
    rows = []
    for record in view.run.records:
        artifact = record.artifact
        if isinstance(artifact, Absent):
            continue
        recipe, calibration = artifact.recipe, artifact.recipe.calibration
        rows.append(
            {
                "case": record.case.id,
                "artifact": artifact.sha256,
                "recipe": artifact.recipe_digest,
                "made": f"{recipe.format} {recipe.precision} {recipe.scheme}".strip(),
                "weights": recipe.weights_sha256,
                "calibration": said(
                    "{1} images, {2}, {3}", calibration.size, calibration.method, calibration.images_sha256[:12]
                )
                if calibration
                else "none",
                "tools": ", ".join(f"{name} {version}" for name, version in sorted(recipe.tools.items())),
                "samples": shown(record.metrics.latency, lambda it: f"{it.samples_file} {it.samples_sha256[:12]}"),
            }
        )
    return rows
