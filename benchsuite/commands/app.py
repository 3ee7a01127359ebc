"""The `benchsuite` command."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from benchsuite import __version__
from benchsuite.commands.case_options import BASELINES, ENGINES, GATE, LIMITS, takes_case_options
from benchsuite.commands.optimize import Batch, Data, Imgsz, Lang, Rate, Seed, Settings, optimize_app
from benchsuite.commands.report import compare, export, promote, report
from benchsuite.commands.study import study_app
from benchsuite.commands.telling import tell
from benchsuite.machine.interrupts import Interrupts
from benchsuite.options.settings import parse
from benchsuite.options.texts import percent, size_bytes
from benchsuite.report.terminal import PLAIN
from benchsuite.terms.errors import BenchsuiteError, UsageError
from benchsuite.terms.language import ENGLISH

app = typer.Typer(
    help="Benchmark YOLO detectors on every runtime of this machine. Measuring itself is `pytest bench/`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
cache_app = typer.Typer(
    help="What was built, evaluated and searched for, and is kept.", no_args_is_help=True, rich_markup_mode=None
)


def _say_version(asked: bool) -> None:
    if asked:
        tell(f"benchsuite {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", help="say the version and end", callback=_say_version, is_eager=True)
    ] = False,
) -> None:
    pass


app.add_typer(cache_app, name="cache")
app.add_typer(study_app, name="study")
app.add_typer(optimize_app, name="optimize")


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="folder to write into, made if needed", show_default=False)],
    update: Annotated[
        bool,
        typer.Option("--update", help="renew what was written before and not changed by hand, and say what is left"),
    ] = False,
) -> None:
    """Write bench/ and baselines/ for a repository of your own, whose tests and conftest.py stay as they are.

    Example: benchsuite init .

    Example: benchsuite init . --update
    """
    from benchsuite.commands.init import closing_lines, scaffold

    lines = scaffold(folder, update)
    for line in (*lines, *closing_lines(folder, lines, update)):
        tell(line)


@app.command()
@takes_case_options(*GATE, *LIMITS, *BASELINES, *ENGINES, "search_budget", "max_map_drop", "lang")
def cases(given: Mapping[str, str]) -> None:
    """List the cases that these options select, and whether each can run here.

    What `pytest bench/` would refuse of these options is refused here too; nothing is downloaded.

    Example: benchsuite cases --backend onnx,openvino --precision fp32,int8
    """
    from benchsuite.commands.cases import case_lines

    for line in case_lines(parse(given), lambda note: tell(note, err=True)):
        tell(line)


@app.command()
def doctor(
    seconds: Annotated[float, typer.Option(help="how long to watch the machine's noise; 0 leaves it out")] = 10.0,
) -> None:
    """Say what can run on this machine, what cannot and why, and how steady it is.

    Example: benchsuite doctor
    """
    from benchsuite.commands.doctor import report_lines

    for line in report_lines(seconds):
        tell(line)


for command in (report, export, compare, promote):
    app.command()(command)


@app.command()
@takes_case_options(*LIMITS, "machine", "search_budget")
def gate(given: Mapping[str, str]) -> None:
    """Decide whether any case got slower, beside a baseline that is measured at the same time.

    Exit codes: 0 all passed or improved, 1 something regressed, 2 bad options, 3 something is missing or failed,
    4 something is undecided (with --gate-strict only), 5 something cannot be compared.

    Example: benchsuite gate --against env:.venv-base/bin/python --backend onnx --precision fp32,int8
    """
    from benchsuite.commands.gate import run_gate

    raise typer.Exit(run_gate(given, tell, sys.stdout.isatty()))


@app.command()
@takes_case_options(
    *LIMITS,
    *BASELINES,
    "against",
    "same_artifacts",
    "gate_strict",
    "waivers",
    "search_budget",
    "effort",
    "max_map_drop",
    "lang",
)
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
    from benchsuite.commands.selftest import SelfTestPlan, run_selftest

    try:
        slowdowns = tuple(percent(text.strip()) for text in inject.split(",") if text.strip())
    except ValueError as error:
        raise UsageError(f"--inject {inject}: {error}.") from None
    if not aa and not slowdowns and not replay:
        raise UsageError("selftest: nothing to do; give --aa 20, --inject 5%, or both.")
    plan = SelfTestPlan(aa, slowdowns, suites, replay)
    raise typer.Exit(run_selftest(given, plan, tell, sys.stdout.isatty()))


@app.command()
def lighten(
    weights: Annotated[str, typer.Argument(help="checkpoint to make light", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="folder for what is found and made")] = Path("lighter"),
    goal: Annotated[
        str, typer.Option(metavar="PN<=TIME", help="total latency to reach, as p95<=30ms", show_default=False)
    ] = "",
    max_map_drop: Annotated[float, typer.Option(help="points of mAP50-95 that may be lost")] = 1.0,
    data: Data = None,
    imgsz: Imgsz = 640,
    smaller: Annotated[
        str, typer.Option(metavar="PX[,PX]", help="smaller sizes to try [3/4 and 1/2]", show_default=False)
    ] = "",
    budget: Annotated[str, typer.Option(help="time for all that needs no training")] = "60min",
    train_budget: Annotated[str, typer.Option(help="time for training pruned weights; 0 leaves that out")] = "0",
    ratios: Annotated[str, typer.Option(metavar="R[,R]", help="shares of the channels to prune")] = "0.2,0.4,0.6",
    epochs: Annotated[int, typer.Option(help="epochs of a training, where the budget lasts", min=1)] = 20,
    batch: Batch = 8,
    lr0: Rate = 0.001,
    seed: Seed = 0,
    setting: Settings = None,
    effort: Annotated[str, typer.Option(help="how long candidates are timed: quick, standard or full")] = "quick",
    lang: Lang = ENGLISH,
) -> None:
    """Find the fastest artifact that keeps the accuracy; run it again to go on where it was stopped.

    Tries runtimes, precisions, INT8 schemes and sizes first; with --train-budget, pruned weights that learn from those
    that were given. Exit codes: 0 the goal is met, 1 it is not.

    Example: benchsuite lighten best.pt --data my-data.yaml --goal 'p95<=30ms' --train-budget 2h
    """
    from benchsuite.commands.lightening import LightenAsked, run_lighten
    from benchsuite.commands.recipes import TrainingAsked

    asked = LightenAsked(weights, goal, max_map_drop, budget, train_budget, smaller, ratios, effort, lang)
    training = TrainingAsked(data, epochs, imgsz, batch, lr0, seed, tuple(setting or ()))
    raise typer.Exit(run_lighten(asked, training, output, tell))


@cache_app.command("list")
def cache_list() -> None:
    """List the stored artifacts, and evaluations and searches that are kept, the most recently used first.

    Example: benchsuite cache list
    """
    from benchsuite.commands.cache import list_lines
    from benchsuite.machine.files import cache_root

    for line in list_lines(cache_root()):
        tell(line)


@cache_app.command("clean")
def cache_clean(
    max_size: Annotated[str, typer.Option(help="keep what was used most recently, up to this size")] = "0",
) -> None:
    """Remove the artifacts, evaluations and searches that were unused for longest, until the rest fits.

    Example: benchsuite cache clean --max-size 2GB
    """
    from benchsuite.commands.cache import clean_lines
    from benchsuite.machine.files import cache_root

    try:
        cap_bytes = size_bytes(max_size) or 0
    except ValueError as error:
        raise UsageError(f"--max-size {max_size}: {error}.") from None
    for line in clean_lines(cache_root(), cap_bytes):
        tell(line)


def main() -> None:
    """Run the command; an error made on purpose is one message and an exit code, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=PLAIN)
    try:
        with Interrupts():
            app()
    except BenchsuiteError as error:
        tell(f"benchsuite: {error}", err=True)
        sys.exit(2 if isinstance(error, UsageError) else 1)
