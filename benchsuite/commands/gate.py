"""`benchsuite gate`: a run of its own, with a folder, findings and a report."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from dataclasses import replace

from benchsuite.compare.findings import write_findings
from benchsuite.gate.session import Gate
from benchsuite.gate.terms import read_terms
from benchsuite.options.settings import parse
from benchsuite.report.failures import render
from benchsuite.report.gating import GateProgress, result_lines
from benchsuite.report.page import write_report
from benchsuite.runs.folder import create_run, finish_run, point_latest
from benchsuite.runs.preparation import Preparation
from benchsuite.runs.runner import Runner
from benchsuite.runs.site import Say, open_site
from benchsuite.terms.errors import UsageError


def run_gate(given: Mapping[str, str], say: Say, terminal: bool) -> int:
    """Gate the selected cases and return the exit code; everything is kept in a new run's folder."""
    options = parse(given)
    if options.gate.against is None:
        raise UsageError(
            "gate: --against is missing; give env:PYTHON, weights:PT, store:DIR or baseline:NAME to compare with."
        )
    site, cases = open_site(options, say)
    terms = read_terms(site)
    kept = {name: text for name, text in given.items() if name != "report"}
    command = shlex.join(["benchsuite", *sys.argv[1:]])
    folder = create_run(
        options.report, site.machine, command, [case.id for case in cases], options.effort.name, kept, options.policy
    )
    runner = Runner(Preparation(replace(site, folder=folder)))
    progress = None
    try:
        # Its exit code says so.
        gate = Gate(terms, runner, kept, failing=["NOT_COMPARABLE"])
        progress = GateProgress(say, terminal)
        result = gate.run(cases, progress.show)
    except KeyboardInterrupt:
        say("gate: interrupted before anything was timed")
        finish_run(folder, "interrupted")
        return 130
    except BaseException:
        finish_run(folder, "interrupted")
        raise
    finally:
        if progress is not None:
            progress.close()
        runner.close()
    interrupted = result.outcome is not None and result.outcome.interrupted
    finish_run(folder, "interrupted" if interrupted else "finished")
    write_findings(folder, result.findings)
    write_report(folder, result.findings, options.max_map_drop, options.lang)
    point_latest(options.report, folder)
    failing = render(result.findings)
    for line in [*(["", *failing.splitlines()] if failing else []), *result_lines(result)]:
        say(line)
    say(f"Report: {folder / 'index.html'}")
    return 130 if interrupted else result.exit_code
