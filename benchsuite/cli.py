"""The `benchsuite` command."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from benchsuite.errors import BenchsuiteError, UsageError
from benchsuite.option_texts import percent, size_bytes
from benchsuite.options import SETTINGS, Setting, parse

app = typer.Typer(
    help="Benchmark YOLO detectors on every runtime of this machine. Measuring itself is `pytest bench/`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
cache_app = typer.Typer(help="The store of built artifacts.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(cache_app, name="cache")
study_app = typer.Typer(
    help="Questions that take many artifacts: which precision, which INT8 scheme, how many calibration images.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(study_app, name="study")

RunFolder = Annotated[Path, typer.Argument(help="a run's folder, as reports/latest", show_default=False)]


def takes_case_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of pytest's run, read and checked by the same code.

    The command gets the texts that were given as its first argument; its own options are keyword-only.
    """

    extra = [
        parameter
        for parameter in inspect.signature(command, eval_str=True).parameters.values()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    ]
    own = {parameter.name for parameter in extra}

    def run(**values: Any) -> None:
        texts = {name: "yes" if value is True else value for name, value in values.items() if name not in own and value}
        command(texts, **{name: value for name, value in values.items() if name in own})

    parameters = [
        inspect.Parameter(
            setting.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=_option(setting),
            annotation=bool if setting.switch else "str | None",
        )
        for setting in SETTINGS
        if setting.name != "resume" and setting.name not in own
    ]
    run.__signature__ = inspect.Signature([*extra, *parameters])  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in [*extra, *parameters]}
    run.__doc__ = command.__doc__
    run.__name__ = command.__name__
    return run


def _option(setting: Setting) -> Any:
    if setting.switch:
        return typer.Option(False, setting.flag, help=_help(setting), show_default=False)
    return typer.Option(None, setting.flag, metavar=setting.metavar, help=_help(setting), show_default=False)


def _help(setting: Any) -> str:
    return f"{setting.help} [{setting.default}]" if setting.default else str(setting.help)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="folder to write into, made if needed", show_default=False)],
) -> None:
    """Write bench/, conftest.py and baselines/ for a repository of your own.

    Example: benchsuite init .
    """
    from benchsuite.scaffold import scaffold

    for path in scaffold(folder):
        typer.echo(f"wrote {path}")
    typer.echo("Now run: pytest bench/ --model YOUR.pt --data YOUR.yaml")


@app.command()
@takes_case_options
def cases(given: Mapping[str, str]) -> None:
    """List the cases that these options select, and whether each can run here.

    Example: benchsuite cases --backend onnx,openvino --precision fp32,int8
    """
    from rich.console import Console
    from rich.table import Table

    from benchsuite.backends import backend, only_builds
    from benchsuite.environment import read_machine
    from benchsuite.selection import cache_root, select

    machine, options = read_machine(), parse(given)
    table = Table("case", "here", box=None, pad_edge=False)
    for case in select(options, cache_root())[1]:
        here = backend(case.backend).why_not(case, machine) or only_builds(case, machine) or "can run"
        table.add_row(case.id, here, style=None)
    Console(markup=False, highlight=False).print(table)


@app.command()
def doctor(
    seconds: Annotated[float, typer.Option(help="how long to watch the machine's noise; 0 leaves it out")] = 10.0,
) -> None:
    """Say what can run on this machine, what cannot and why, and how steady it is.

    Example: benchsuite doctor
    """
    from benchsuite.doctor import report_lines

    for line in report_lines(seconds):
        typer.echo(line)


@app.command()
def report(
    run: Annotated[list[Path] | None, typer.Argument(help="folders of runs", show_default=False)] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="page of several runs side by side, or of a history", show_default=False),
    ] = None,
    history: Annotated[
        Path | None, typer.Option(help="folder whose runs to draw over time, as reports", show_default=False)
    ] = None,
    reference: Annotated[int, typer.Option(help="number of the run that ratios refer to")] = 1,
    watts: Annotated[str, typer.Option(help="power of each run's machine, as in 65,-,250")] = "",
    price: Annotated[str, typer.Option(help="dollars an hour of each run's machine, as in 0.1,-,2.5")] = "",
    max_map_drop: Annotated[float, typer.Option(help="mAP50-95 points a recommended case may lose")] = 1.0,
    lang: Annotated[str, typer.Option(help="language of the page: en or zh")] = "en",
) -> None:
    """Write a run's page and summary again, one page of several runs side by side (-o), or of each case over time.

    Example: benchsuite report reports/latest

    Example: benchsuite report laptop/latest server/latest -o compared.html

    Example: benchsuite report --history reports -o history.html
    """
    from benchsuite.files import write_whole
    from benchsuite.findings import read_findings
    from benchsuite.report.history import read_history
    from benchsuite.report.history_page import history_page
    from benchsuite.report.matrix import make_matrix, read_costs
    from benchsuite.report.matrix_page import matrix_page
    from benchsuite.report.page import write_report
    from benchsuite.runs import read_run

    if history is not None:
        if run:
            raise UsageError(f"--history {history}: it reads every run below that folder; name no runs beside it.")
        path = output or history / "history.html"
        write_whole(path, history_page(read_history(history), lang))
        typer.echo(f"wrote {path}")
        return
    runs = [read_run(folder) for folder in run or ()]
    if not runs:
        raise UsageError("report: name a run, as reports/latest, or a folder of runs with --history reports.")
    if output is not None:
        matrix = make_matrix(runs, reference - 1, read_costs(watts, price, len(runs)))
        write_whole(output, matrix_page(matrix, lang))
        typer.echo(f"wrote {output}")
        return
    if len(runs) > 1:
        raise UsageError(f"{len(runs)} runs were given and no page to show them on: name it, as in -o compared.html.")
    for path in write_report(runs[0].folder, read_findings(runs[0].folder), max_map_drop, lang):
        typer.echo(f"wrote {path}")


@app.command()
def export(
    run: Annotated[list[Path], typer.Argument(help="folders of runs", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="the file to write", show_default=False)],
    form: Annotated[
        str,
        typer.Option("--format", help="csv, parquet, github-smaller, github-bigger (github-action-benchmark), bencher"),
    ] = "csv",
) -> None:
    """Write runs' figures for other tools: a flat table, or what dashboards read.

    Example: benchsuite export reports/latest -o figures.csv
    """
    from benchsuite.report.exports import FORMATS
    from benchsuite.report.exports import export as write
    from benchsuite.runs import read_run

    if form not in FORMATS:
        raise UsageError(f"--format {form}: there is no such format; give one of {', '.join(FORMATS)}.")
    write([read_run(folder) for folder in run], form, output)
    typer.echo(f"wrote {output}")


@app.command()
def compare(
    a: Annotated[Path, typer.Argument(help="the older run", show_default=False)],
    b: Annotated[Path, typer.Argument(help="the newer run", show_default=False)],
) -> None:
    """Compare two runs case by case: what is counted exactly, and how timings lie to each other.

    Example: benchsuite compare reports/20260131-120000 reports/latest
    """
    from benchsuite.report.comparing import comparison_lines
    from benchsuite.runs import read_run

    for line in comparison_lines(read_run(a), read_run(b)):
        typer.echo(line)


@app.command()
def promote(
    run: RunFolder,
    baseline: Annotated[Path, typer.Option(help="folder of baselines")] = Path("baselines"),
    machine: Annotated[str | None, typer.Option(help="name of this machine's folder [from its hardware]")] = None,
) -> None:
    """Accept a run's figures as this machine's baseline; review the git diff and commit it.

    Example: benchsuite promote reports/latest
    """
    from benchsuite import baselines
    from benchsuite.runs import read_run

    for path in baselines.promote(read_run(run), baseline, machine):
        typer.echo(f"wrote {path}")


@app.command()
@takes_case_options
def gate(given: Mapping[str, str]) -> None:
    """Decide whether any case got slower, beside a baseline that is measured at the same time.

    Exit codes: 0 all passed or improved, 1 something regressed, 2 bad options, 3 something is missing or failed,
    4 something is undecided (with --gate-strict only), 5 something cannot be compared.

    Example: benchsuite gate --against env:.venv-base/bin/python --backend onnx --precision fp32,int8
    """
    from benchsuite.gating import run_gate

    raise typer.Exit(run_gate(given, typer.echo, sys.stdout.isatty()))


@app.command()
@takes_case_options
def selftest(
    given: Mapping[str, str],
    *,
    aa: Annotated[int, typer.Option("--aa", help="suites in which nothing is changed", min=0)] = 0,
    inject: Annotated[str, typer.Option(help="slowdowns to inject into half of the cases, as in 5%,10%")] = "",
    suites: Annotated[int, typer.Option(help="suites for each injected slowdown", min=1)] = 10,
    replay: Annotated[int, typer.Option(help="suites of each kind to draw from the kept blocks", min=0)] = 0,
) -> None:
    """Measure the gate's own false alarms and misses on this machine; run again, it goes on where it was.

    Example: benchsuite selftest --aa 20 --inject 5% --backend onnx --precision fp32 --imgsz 320
    """
    from benchsuite.selftesting import SelfTestPlan, run_selftest

    try:
        slowdowns = tuple(percent(text.strip()) for text in inject.split(",") if text.strip())
    except ValueError as error:
        raise UsageError(f"--inject {inject}: {error}.") from None
    if not aa and not slowdowns:
        raise UsageError("selftest: nothing to do; give --aa 20, --inject 5%, or both.")
    plan = SelfTestPlan(aa, slowdowns, suites, replay)
    raise typer.Exit(run_selftest(given, plan, typer.echo, sys.stdout.isatty()))


@study_app.command("precision")
@takes_case_options
def study_precision(given: Mapping[str, str]) -> None:
    """Compare precisions: size, speed, accuracy and parity of each runtime against its own FP32.

    Example: benchsuite study precision --backend onnx,openvino,ncnn
    """
    from benchsuite.studying import run_study

    raise typer.Exit(run_study("precision", given, typer.echo))


@study_app.command("schemes")
@takes_case_options
def study_schemes(given: Mapping[str, str]) -> None:
    """Compare every INT8 scheme of the runtimes: static or dynamic, formats, scales, what stays float.

    Example: benchsuite study schemes --backend onnx --imgsz 320
    """
    from benchsuite.studying import run_study

    raise typer.Exit(run_study("schemes", given, typer.echo))


@study_app.command("calibration")
@takes_case_options
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
    from benchsuite.study.calibration import read_plan
    from benchsuite.studying import run_calibration_study

    plan = read_plan(sizes, methods, seeds, pool)
    raise typer.Exit(run_calibration_study(given, plan, typer.echo))


@cache_app.command("list")
def cache_list() -> None:
    """List the stored artifacts, the most recently used first.

    Example: benchsuite cache list
    """
    import time

    store = _store()
    entries = sorted(store.entries(), key=lambda entry: -entry.used_at)
    for entry in entries:
        used = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.used_at))
        recipe = entry.recipe
        what = f"{recipe.format} {recipe.precision} {recipe.imgsz} px b{recipe.batch} {recipe.head} {recipe.scheme}"
        typer.echo(f"{entry.digest}  {entry.bytes / 1e6:8.2f} MB  {used}  {what}")
    typer.echo(f"{len(entries)} artifacts, {sum(entry.bytes for entry in entries) / 1e6:.0f} MB")


@cache_app.command("clean")
def cache_clean(
    max_size: Annotated[str, typer.Option(help="keep the most recently used artifacts up to this size")] = "0",
) -> None:
    """Remove the artifacts that were unused for longest, until the rest fits.

    Example: benchsuite cache clean --max-size 2GB
    """
    try:
        cap_bytes = size_bytes(max_size) or 0
    except ValueError as error:
        raise UsageError(f"--max-size {max_size}: {error}.") from None
    removed = _store().clean(cap_bytes, in_use_s=0)
    typer.echo(f"removed {len(removed)} artifacts, {sum(entry.bytes for entry in removed) / 1e6:.0f} MB")


def _store() -> Any:
    from benchsuite.artifacts.store import Store
    from benchsuite.selection import cache_root

    return Store(cache_root())


def main() -> None:
    """Run the command; an error made on purpose is one message and an exit code, never a traceback."""
    try:
        app()
    except BenchsuiteError as error:
        typer.echo(f"benchsuite: {error}", err=True)
        sys.exit(2 if isinstance(error, UsageError) else 1)


if __name__ == "__main__":
    main()
