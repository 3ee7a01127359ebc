"""The commands that read runs: pages, files for other tools, comparisons, baselines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchsuite.commands.telling import tell
from benchsuite.machine.files import is_device
from benchsuite.options.texts import points
from benchsuite.terms.errors import UsageError
from benchsuite.terms.language import ENGLISH, languages

RunFolder = Annotated[Path, typer.Argument(help="a run's folder, as reports/latest", show_default=False)]


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
    max_map_drop: Annotated[str, typer.Option(help="mAP50-95 points a recommended case may lose")] = "1.0",
    lang: Annotated[str, typer.Option(help=f"language of the page: {', '.join(languages())}")] = ENGLISH,
) -> None:
    """Write a run's page and summary again, one page of several runs side by side (-o), or of each case over time.

    Example: benchsuite report reports/latest

    Example: benchsuite report laptop/latest server/latest -o compared.html

    Example: benchsuite report --history reports -o history.html
    """
    from benchsuite.compare.findings import read_findings
    from benchsuite.machine.files import write_whole
    from benchsuite.report.history import read_history
    from benchsuite.report.history_page import history_page
    from benchsuite.report.matrix import make_matrix, read_costs
    from benchsuite.report.matrix_page import matrix_page
    from benchsuite.report.page import write_report
    from benchsuite.runs.folder import read_run

    try:
        may_lose = points(max_map_drop)
    except ValueError as error:
        raise UsageError(f"--max-map-drop {max_map_drop}: {error}.") from None
    if (watts or price or reference != 1) and (history is not None or output is None):
        raise UsageError(
            "--watts, --price and --reference: they are for runs side by side; give runs and -o page.html."
        )
    if history is not None:
        if run:
            raise UsageError(f"--history {history}: it reads every run below that folder; name no runs beside it.")
        path = _target(output) if output is not None else history / "history.html"
        write_whole(path, history_page(read_history(history), lang))
        _say_written(path)
        return
    runs = [read_run(folder) for folder in run or ()]
    if not runs:
        raise UsageError("report: name a run, as reports/latest, or a folder of runs with --history reports.")
    if output is not None:
        costs = read_costs(watts, price, len(runs))
        matrix = make_matrix(runs, reference - 1, costs, [read_findings(one.folder) for one in runs])
        write_whole(_target(output), matrix_page(matrix, lang))
        _say_written(_target(output))
        return
    if len(runs) > 1:
        raise UsageError(f"{len(runs)} runs were given and no page to show them on: name it, as in -o compared.html.")
    for path in write_report(runs[0].folder, read_findings(runs[0].folder), may_lose, lang):
        tell(f"wrote {path}")


def export(
    run: Annotated[list[Path], typer.Argument(help="folders of runs", show_default=False)],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="the file to write, - for standard output", show_default=False)
    ],
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
    from benchsuite.runs.folder import read_run

    if form not in FORMATS:
        raise UsageError(f"--format {form}: there is no such format; give one of {', '.join(FORMATS)}.")
    write([read_run(folder) for folder in run], form, _target(output))
    _say_written(_target(output))


def _target(path: Path) -> Path:
    """Return the file to write, where `-` is standard output as everywhere."""
    return Path("/dev/stdout") if str(path) == "-" else path


def _say_written(path: Path) -> None:
    # Not into what was just written, where that is /dev/stdout or a pipe.
    tell(f"wrote {path}", err=is_device(path))


def compare(
    a: Annotated[Path, typer.Argument(help="the older run", show_default=False)],
    b: Annotated[Path, typer.Argument(help="the newer run", show_default=False)],
) -> None:
    """Compare two runs case by case: what is counted exactly, and how timings lie to each other.

    Example: benchsuite compare reports/20260131-120000 reports/latest
    """
    from benchsuite.report.comparing import comparison_lines
    from benchsuite.runs.folder import read_run

    for line in comparison_lines(read_run(a), read_run(b)):
        tell(line)


def promote(
    run: RunFolder,
    baseline: Annotated[Path, typer.Option(help="folder of baselines")] = Path("baselines"),
    machine: Annotated[str | None, typer.Option(help="name of this machine's folder [from its hardware]")] = None,
    over_limits: Annotated[
        bool, typer.Option("--over-limits", help="accept a run that broke --max-latency, --max-memory or --min-map")
    ] = False,
    under_contention: Annotated[
        bool, typer.Option("--under-contention", help="accept times that were taken beside other programs")
    ] = False,
) -> None:
    """Accept a run's figures as this machine's baseline; review the git diff and commit it.

    Example: benchsuite promote reports/latest
    """
    from benchsuite.compare import promotion
    from benchsuite.compare.findings import read_findings
    from benchsuite.runs.folder import read_run

    found = read_run(run)
    findings = () if over_limits else read_findings(found.folder)
    for path in promotion.promote(found, baseline, machine, tell, findings, under_contention):
        tell(f"wrote {path}")
