"""`benchsuite study`: one question, many artifacts, one table."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchsuite.artifacts.store import Store
from benchsuite.backends.offers import recorded_packages
from benchsuite.machine.facts import read_machine
from benchsuite.machine.files import cache_root, write_whole
from benchsuite.options.chosen import Options
from benchsuite.options.needs import check_options
from benchsuite.options.selection import select
from benchsuite.options.settings import parse
from benchsuite.report.page import study_page
from benchsuite.report.study import markdown, study_view, terminal_lines
from benchsuite.study.bench import StudyBench
from benchsuite.study.calibration import CalibrationPlan, CalibrationStudy, check_plan, pool_images
from benchsuite.study.interleaved import Readings
from benchsuite.study.rows import CalibrationPoint, Kind, Study, StudyRow, save_study
from benchsuite.study.ways import precision_ways, scheme_ways
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import UsageError

Say = Callable[[str], None]


def run_study(kind: Kind, given: Mapping[str, str], say: Say) -> int:
    """Compare precisions or INT8 schemes, print the table, and return the exit code."""
    bench, options, cases, folder = _opened(kind, given, say)
    ways = precision_ways(cases) if kind == "precision" else scheme_ways(cases)
    if not ways:
        raise UsageError(f"study {kind}: none of the selected runtimes has INT8 schemes; name onnx, openvino or ncnn.")
    prepared = bench.prepare(ways)
    rows, readings = bench.time(list(prepared.values()))
    return _finish(kind, bench, options, folder, rows, (), readings, say)


def run_calibration_study(given: Mapping[str, str], plan: CalibrationPlan, say: Say) -> int:
    """Compare sizes of the calibration set and methods, print the table, and return the exit code."""
    bench, options, cases, folder = _opened("calibration", {"backend": "onnx", **given, "precision": "int8"}, say)
    check_plan(plan, cases)
    root = cache_root()
    names, pool = pool_images(root, options.calib or options.data, plan.pool)
    rows: list[StudyRow] = []
    points: list[CalibrationPoint] = []
    readings: dict[str, Readings] = {}
    for case in cases:
        study = CalibrationStudy(bench, Store(root), folder, case, plan, say)
        found_rows, found_points, found_readings = study.run(names, pool)
        rows += found_rows
        points += found_points
        readings |= found_readings
    return _finish("calibration", bench, options, folder, rows, points, readings, say)


def _opened(kind: Kind, given: Mapping[str, str], say: Say) -> tuple[StudyBench, Options, tuple[Case, ...], Path]:
    options, machine, root = parse(given), read_machine(recorded_packages()), cache_root()
    models, cases = select(options, root)
    check_options(options, cases, machine)
    folder = options.report / f"study-{kind}-{time.strftime('%Y%m%d-%H%M%S')}"
    return StudyBench(options, models, machine, root, folder, say), options, cases, folder


def _finish(
    kind: Kind,
    bench: StudyBench,
    options: Options,
    folder: Path,
    rows: Sequence[StudyRow],
    points: Sequence[CalibrationPoint],
    readings: Mapping[str, Readings],
    say: Say,
) -> int:
    """Keep the study, write its page and summary, and print its tables; 0 where at least one row has figures."""
    data, machine = bench.data, bench.machine
    study = Study(
        kind=kind,
        command=shlex.join(["benchsuite", *sys.argv[1:]]),
        finished=time.strftime("%Y-%m-%d %H:%M"),
        machine=machine,
        effort=options.effort.name,
        data=data.yaml.name,
        images=len(data.images),
        rows=tuple(rows),
        points=tuple(points),
    )
    save_study(folder, study, readings)
    view = study_view(study)
    write_whole(folder / "index.html", study_page(view, machine, options.lang))
    write_whole(folder / "summary.md", markdown(view, options.lang))
    for line in terminal_lines(view):
        say(line)
    say(f"Report: {folder / 'index.html'}")
    return 0 if any(not row.reason for row in rows) else 1
