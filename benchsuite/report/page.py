"""The report of a run: one page that needs nothing but itself, and a summary for a pull request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from benchsuite.absence import Absent
from benchsuite.environment import Machine
from benchsuite.files import write_whole
from benchsuite.findings import Finding
from benchsuite.quantities import significant
from benchsuite.report.charts import Figure, latency_against_map
from benchsuite.report.detail_charts import course, course_names, distribution, phases
from benchsuite.report.gate_charts import path_figure, ratio_figure
from benchsuite.report.gate_view import gate_view
from benchsuite.report.matrix import Matrix
from benchsuite.report.recommendation import name_of
from benchsuite.report.samples import read_samples
from benchsuite.report.study import StudyView
from benchsuite.report.summary import summary
from benchsuite.report.table import COLUMNS
from benchsuite.report.views import GroupView, PageView, page_view
from benchsuite.runs import Run, read_run
from benchsuite.study.rows import Study, read_studies

PAGE_FILE = "index.html"
SUMMARY_FILE = "summary.md"


def write_report(folder: Path, findings: Sequence[Finding], max_map_drop: float) -> tuple[Path, Path]:
    """Write `index.html` and `summary.md` into a run's folder and return their paths.

    `max_map_drop` is how many points of mAP50-95 a recommended case may lose. Raises UsageError where the folder
    cannot be written.
    """
    run = read_run(folder)
    gate = gate_view(folder, findings, run.machine.fingerprint)
    view = page_view(run, findings, max_map_drop, gate, _studies_beside(run), read_samples(run))
    page, markdown = folder / PAGE_FILE, folder / SUMMARY_FILE
    write_whole(page, render(view))
    write_whole(markdown, summary(view))
    return page, markdown


def _studies_beside(run: Run) -> Sequence[Study]:
    """Return the newest study of each kind on this machine that concerns one of the run's models."""
    models = {record.case.model for record in run.records}
    newest: dict[str, Study] = {}
    for study in read_studies(run.folder.parent):
        if study.machine.fingerprint == run.machine.fingerprint and models & {row.case.model for row in study.rows}:
            newest.setdefault(study.kind, study)
    return tuple(newest.values())


def render(view: PageView) -> str:
    """Return the page as HTML; names, reasons and paths are escaped wherever they stand."""
    figures = [_figures(group, view) for group in view.groups]
    gate_figures = _gate_figures(view)
    page: str = (
        _environment()
        .get_template("page.html.j2")
        .render(
            view=view,
            run=view.run,
            columns=COLUMNS,
            figures=figures,
            gate_figures=gate_figures,
            courses=[course_names(group.records, view.samples) for group in view.groups],
            plotly=_plotly() if any(any(drawn.values()) for drawn in (*figures, gate_figures)) else "",
            facts=_machine_facts(view.run.machine),
            policies=_policies(view.run),
            provenance=_provenance(view),
            names={record.case.id: name_of(record) for record in view.run.records},
        )
    )
    return page


def _figures(group: GroupView, view: PageView) -> Mapping[str, Figure | None]:
    """Return a group's charts by the names that the template gives them."""
    return {
        "map": latency_against_map(group, view.max_map_drop),
        "distribution": distribution(group.records, view.samples),
        "course": course(group.records, view.samples),
        "phases": phases(group.records),
    }


def _gate_figures(view: PageView) -> Mapping[str, Figure | None]:
    if view.gate is None or view.gate.evidence is None:
        return {"ratios": None, "paths": None}
    return {"ratios": ratio_figure(view.gate.evidence), "paths": path_figure(view.gate.evidence)}


def matrix_page(matrix: Matrix) -> str:
    """Return the page of several runs side by side as HTML."""
    # A reason that many cells share is written once.
    reasons = list(dict.fromkeys(reason for row in matrix.rows for reason in row.reasons))
    numbers = {reason: number for number, reason in enumerate(reasons)}
    rows = [
        {
            "group": row.group,
            "name": row.name,
            "id": row.case_id,
            "recipe": row.recipe,
            "figures": {
                metric.key: [None if figure is None else float(f"{figure:.5g}") for figure in row.figures[metric.key]]
                for metric in matrix.metrics
            },
            "ranks": row.ranks,
            "reasons": [numbers[reason] for reason in row.reasons],
        }
        for row in matrix.rows
    ]
    data = {
        "columns": len(matrix.columns),
        "groups": matrix.groups,
        "metrics": [{"key": metric.key, "smaller": metric.smaller} for metric in matrix.metrics],
        "reasons": reasons,
        "rows": rows,
    }
    page: str = _environment().get_template("matrix.html.j2").render(matrix=matrix, data=data)
    return page


def study_page(view: StudyView, machine: Machine) -> str:
    """Return a study's page as HTML."""
    page: str = _environment().get_template("study.html.j2").render(view=view, facts=_machine_facts(machine))
    return page


@cache
def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _plotly() -> Any:
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    return Markup(get_plotlyjs())


def _machine_facts(machine: Machine) -> Mapping[str, str]:
    """Return the machine's facts by the names that a reader knows them by."""
    quota = "none" if machine.cpu_quota_cores is None else f"{machine.cpu_quota_cores:g} cores"
    limit = "none" if machine.memory_limit_bytes is None else _gigabytes(machine.memory_limit_bytes)
    gpus = ", ".join(f"{gpu.name} ({_gigabytes(gpu.memory_bytes)})" for gpu in machine.gpus)
    return {
        "Processor": machine.cpu,
        "Architecture": machine.arch,
        "Instruction sets": ", ".join(machine.isa) or "none of those that runtimes look for",
        "Cores": f"{machine.cores} physical, {machine.usable_cores} usable",
        "CPU quota": quota,
        "Governor": machine.governor,
        "Memory": f"{_gigabytes(machine.memory_bytes)}, limit {limit}",
        "GPU": gpus or "none",
        "GPU driver": machine.gpu_driver or "none",
        "System": f"{machine.system} {machine.kernel}",
        "Python": machine.python,
        "Fingerprint": machine.fingerprint,
    }


def _gigabytes(size_bytes: int) -> str:
    return f"{significant(size_bytes / 1e9)} GB"


def _policies(run: Run) -> tuple[str, ...]:
    """Return each thread and spin policy that records were measured under."""
    policies = (record.validity.policy for record in run.records if record.validity.policy)
    return tuple(dict.fromkeys(", ".join(f"{name}: {text}" for name, text in policy.items()) for policy in policies))


def _provenance(view: PageView) -> Sequence[Mapping[str, str]]:
    """Return how each measured or built artifact came about."""
    rows = []
    for record in view.run.records:
        artifact = record.artifact
        if isinstance(artifact, Absent):
            continue
        recipe, latency = artifact.recipe, record.metrics.latency
        calibration = recipe.calibration
        rows.append(
            {
                "case": record.case.id,
                "artifact": artifact.sha256,
                "recipe": artifact.recipe_digest,
                "made": f"{recipe.format} {recipe.precision} {recipe.scheme}".strip(),
                "weights": recipe.weights_sha256,
                "calibration": f"{calibration.size} images, {calibration.method}, {calibration.images_sha256[:12]}"
                if calibration
                else "none",
                "tools": ", ".join(f"{name} {version}" for name, version in sorted(recipe.tools.items())),
                "samples": "–"
                if isinstance(latency, Absent)
                else f"{latency.samples_file} {latency.samples_sha256[:12]}",
            }
        )
    return rows
