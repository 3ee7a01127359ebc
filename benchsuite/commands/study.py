"""The commands that answer questions with many artifacts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from benchsuite.commands.case_options import BASELINES, GATE, LIMITS, takes_case_options
from benchsuite.commands.telling import tell

study_app = typer.Typer(
    help="Questions that take many artifacts: which precision, which INT8 scheme, how many calibration images.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
_UNUSED = (*GATE, *LIMITS, *BASELINES, "max_map_drop", "search_budget")


@study_app.command("precision")
@takes_case_options(*_UNUSED)
def study_precision(given: Mapping[str, str]) -> None:
    """Compare precisions: size, speed, accuracy and parity of each runtime against its own FP32.

    Example: benchsuite study precision --backend onnx,openvino,ncnn
    """
    from benchsuite.commands.studies import run_study

    raise typer.Exit(run_study("precision", given, tell))


@study_app.command("schemes")
@takes_case_options(*_UNUSED, "precision", "quant_scheme")
def study_schemes(given: Mapping[str, str]) -> None:
    """Compare every INT8 scheme of the runtimes: static or dynamic, formats, scales, what stays float.

    Example: benchsuite study schemes --backend onnx --imgsz 320
    """
    from benchsuite.commands.studies import run_study

    raise typer.Exit(run_study("schemes", given, tell))


@study_app.command("calibration")
@takes_case_options(*_UNUSED, "precision", "quant_scheme", "calib_method", "calib_size")
def study_calibration(
    given: Mapping[str, str],
    *,
    sizes: Annotated[str, typer.Option(help="images to calibrate on, multiples of 50")] = "100,500,1000,2000",
    methods: Annotated[str, typer.Option(help="ways to set ranges")] = "minmax,entropy,percentile",
    seeds: Annotated[int, typer.Option(help="nested subsets to draw", min=1)] = 3,
    pool: Annotated[int, typer.Option(help="images to draw them from", min=50)] = 4000,
) -> None:
    """Compare sizes of the calibration set and ways to set ranges, for onnx and ncnn.

    Images come from --calib's or --data's calib or train split, or are drawn.

    Example: benchsuite study calibration --imgsz 320
    """
    from benchsuite.commands.studies import run_calibration_study
    from benchsuite.study.calibration import read_plan

    plan = read_plan(sizes, methods, seeds, pool)
    raise typer.Exit(run_calibration_study(given, plan, tell))
