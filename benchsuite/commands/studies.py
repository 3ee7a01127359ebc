"""`benchsuite study`: one question, many artifacts, one table."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from benchsuite.backends.schemes import AUTO
from benchsuite.machine.files import write_whole
from benchsuite.options.settings import SETTING, SETTINGS, parse
from benchsuite.report.page import study_page
from benchsuite.report.study import markdown, study_view, terminal_lines
from benchsuite.runs.site import Say, open_site
from benchsuite.study.bench import StudyBench
from benchsuite.study.calibration import CalibrationPlan, CalibrationStudy, check_plan, pool_images
from benchsuite.study.rows import CalibrationPoint, Kind, Study, StudyRow, save_study
from benchsuite.study.timed import Readings
from benchsuite.study.ways import precision_ways, scheme_ways
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import UsageError, raise_all

# Options of a run that decide something, beside those of the gate and the limits.
_DECIDING = ("baseline", "machine", "max_map_drop", "search_budget")
_INT8_ALONE = "this study compares INT8 alone; leave it out"
_UNUSED: Mapping[Kind, Mapping[str, str]] = {
    "precision": {},
    "schemes": {
        "quant_scheme": "study schemes compares every scheme of a runtime; leave it out, or give it to study precision",
        "precision": _INT8_ALONE,
    },
    "calibration": {
        "quant_scheme": "study calibration quantises by the default scheme of a runtime; leave it out",
        "calib_method": "study calibration compares several; name it with --methods",
        "calib_size": "study calibration compares several; name it with --sizes",
        "precision": _INT8_ALONE,
    },
}


def run_study(kind: Kind, given: Mapping[str, str], say: Say) -> int:
    """Compare precisions or INT8 schemes, print the table, and return the exit code."""
    bench, cases = _opened(kind, given, say)
    ways = precision_ways(cases) if kind == "precision" else scheme_ways(cases)
    if not ways:
        raise UsageError(f"study {kind}: none of the selected runtimes has INT8 schemes; name onnx, openvino or ncnn.")
    prepared = bench.prepare(ways)
    rows, readings = bench.time(list(prepared.values()))
    return _finish(kind, bench, rows, (), readings)


def run_calibration_study(given: Mapping[str, str], plan: CalibrationPlan, say: Say) -> int:
    """Compare sizes of the calibration set and methods, print the table, and return the exit code."""
    bench, cases = _opened("calibration", {"backend": "onnx", **given}, say, precision="int8")
    check_plan(plan, cases)
    options = bench.site.options
    names, pool = pool_images(bench.site.cache_root, options.calib or options.data, plan.pool)
    rows: list[StudyRow] = []
    points: list[CalibrationPoint] = []
    readings: dict[str, Readings] = {}
    for case in cases:
        study = CalibrationStudy(bench, case, plan)
        found_rows, found_points, found_readings = study.run(names, pool)
        rows += found_rows
        points += found_points
        readings |= found_readings
    return _finish("calibration", bench, rows, points, readings)


def _opened(kind: Kind, given: Mapping[str, str], say: Say, **forced: str) -> tuple[StudyBench, tuple[Case, ...]]:
    raise_all(_unused(kind, given))
    site, cases = open_site(parse({**given, **forced}), say)
    folder = site.folder / f"study-{kind}-{time.strftime('%Y%m%d-%H%M%S')}"
    return StudyBench(replace(site, folder=folder)), cases


def _unused(kind: Kind, given: Mapping[str, str]) -> list[str]:
    """Say of each option that was given and that a study has no use for why it has none."""
    why_not = {
        setting.name: "a study holds each way against FP32 of the same runtime and decides nothing; leave it out"
        for setting in SETTINGS
        if setting.into.startswith(("gate.", "limits.")) or setting.name in _DECIDING
    }
    why_not |= _UNUSED[kind]
    if given.get("quant_scheme") == AUTO:
        why_not.setdefault("quant_scheme", "a study searches for no scheme; name one, or let `pytest bench/` search")
    if given.get("precision") == "int8":
        why_not.pop("precision", None)
    asked = {
        name: SETTING[name].flag if SETTING[name].switch else f"{SETTING[name].flag} {given[name]}" for name in given
    }
    return [f"{text}: {why_not[name]}." for name, text in asked.items() if name in why_not]


def _finish(
    kind: Kind,
    bench: StudyBench,
    rows: Sequence[StudyRow],
    points: Sequence[CalibrationPoint],
    readings: Mapping[str, Readings],
) -> int:
    """Keep the study, write its page and summary, and print its tables; 0 where at least one row has figures."""
    site, data = bench.site, bench.data
    folder = site.folder
    study = Study(
        kind=kind,
        command=shlex.join(["benchsuite", *sys.argv[1:]]),
        finished=time.strftime("%Y-%m-%d %H:%M"),
        machine=site.machine,
        effort=site.options.effort.name,
        data=data.yaml.name,
        images=len(data.images),
        rows=tuple(rows),
        points=tuple(points),
    )
    save_study(folder, study, readings)
    view = study_view(study)
    write_whole(folder / "index.html", study_page(view, site.machine, site.options.lang))
    write_whole(folder / "summary.md", markdown(view, site.options.lang))
    for line in terminal_lines(view):
        site.say(line)
    site.say(f"Report: {folder / 'index.html'}")
    return 0 if any(not row.reason for row in rows) else 1
