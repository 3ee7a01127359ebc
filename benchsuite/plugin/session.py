"""A pytest session's benchmark: what was selected, the run that measures it, its verdicts and its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchsuite.backends import backend
from benchsuite.backends.offers import recorded_packages
from benchsuite.compare.baselines import Baseline, find, load
from benchsuite.compare.comparison import compare
from benchsuite.compare.findings import Finding, answered_by, write_findings
from benchsuite.compare.limits import broken_limits
from benchsuite.compare.tolerances import default_tolerances, read_tolerances
from benchsuite.gate.session import Gate, GateResult
from benchsuite.gate.terms import read_terms
from benchsuite.machine.facts import Machine, differences, read_machine
from benchsuite.machine.files import cache_root
from benchsuite.measure.effort import EFFORTS
from benchsuite.measure.timed_case import timings_of
from benchsuite.options.chosen import Options
from benchsuite.options.estimate import estimate_s
from benchsuite.options.settings import SETTING, parse
from benchsuite.plugin.fixtures import Measured
from benchsuite.plugin.speaker import Speaker
from benchsuite.report.comparing import held_lines
from benchsuite.report.console import case_line, table_lines
from benchsuite.report.failures import render
from benchsuite.report.gating import GateProgress, result_lines
from benchsuite.report.page import write_report
from benchsuite.report.terminal import wrap
from benchsuite.report.time_left import TimeLeft, about
from benchsuite.runs.checks import check_before_work, select_cases
from benchsuite.runs.figures import Tolerance
from benchsuite.runs.folder import Run, create_run, finish_run, newest_unfinished, point_latest, read_run
from benchsuite.runs.images import RunData
from benchsuite.runs.pace import pace
from benchsuite.runs.preparation import Preparation
from benchsuite.runs.records import Record
from benchsuite.runs.runner import Runner
from benchsuite.runs.site import Site
from benchsuite.study.search import scheme_search
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import UsageError, raise_all

# What decides the figures of a case and does not stand in its id.
_OF_A_WHOLE_RUN = (
    "threads", "data", "calib", "calib_size", "calib_method", "quant_scheme", "search_budget", "trt_level",
    "trt_workspace", "trt_batches", "effort", "turns",
)  # fmt: skip


def with_resumed(given: Mapping[str, str]) -> tuple[Options, Run | None]:
    """Read the options; where a run is resumed its own options stand in for those not given now."""
    options = parse(given)
    if options.resume is None:
        return options, None
    folder = newest_unfinished(options.report) if options.resume == "newest" else Path(options.resume)
    if folder is None:
        raise UsageError(f"--resume: {options.report} holds no unfinished run; leave it out to start a new one.")
    run = read_run(folder)
    before = parse({**run.options, "threads": str(run.policy.threads)})
    resumed = parse({**run.options, "threads": str(run.policy.threads), **given})
    changed = []
    for setting in (SETTING[name] for name in _OF_A_WHOLE_RUN):
        if setting.chosen_in(before) != setting.chosen_in(resumed):
            was = str(run.policy.threads) if setting.name == "threads" else run.options.get(setting.name)
            changed.append(
                f"--resume: {run.name} was started with {setting.flag} {was or setting.default or '(none)'}, this "
                f"command says {given[setting.name]}; leave {setting.flag} out or start a new run."
            )
    raise_all(changed)
    return resumed, run


class BenchSession:
    """Owns a run from collection to report."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self._given = given
        self.options, self._resumed = with_resumed(given)
        self._cache_root = cache_root()
        self._machine = read_machine(recorded_packages())
        self._models, cases = select_cases(self.options, self._cache_root, self._machine)
        self.cases = tuple(case for case in cases if self._resumed is None or case.id in self._resumed.selected_ids)
        self.runner: Runner
        self._run: Run
        self.started = False
        self._is_latest = False
        self.trouble = ""
        self._selected: tuple[Case, ...] = ()
        self._say: Callable[[str], None] = print
        self._speaker: Speaker
        self._time_left = TimeLeft()
        self._began = time.monotonic()
        self._baseline: Baseline | None = None
        self._tolerances: Mapping[str, Tolerance] = default_tolerances()
        self._findings: tuple[Finding, ...] = ()
        self._gate: Gate | None = None
        self._gated: GateResult | None = None
        # What a failing test has printed already.
        self._told: set[tuple[str, str]] = set()

    def start(self, selected: tuple[Case, ...], command: str, speaker: Speaker) -> None:
        """Make the run's folder (or go on in the resumed one) and say how long it will take.

        Raises UsageError, before anything is written, for all that the checks before work refuse, a resumed run of
        another machine, other data or other recipes, and an unreadable baseline.
        """
        options, machine, say = self.options, self._machine, speaker.say
        for note in check_before_work(options, self._models, selected, machine, self._cache_root):
            say(note)
        site = Site(options, self._models, machine, self._cache_root, options.report, say)
        self._selected, self._say, self._speaker = selected, say, speaker
        # A gate measures its baseline again, beside the candidate: stored figures would only say it twice.
        baseline = find(options.baseline, options.machine, machine) if options.gate.against is None else None
        if baseline is not None:
            self._baseline, self._tolerances = load(baseline), read_tolerances(options.baseline)
        terms = read_terms(site) if options.gate.against else None
        done: dict[str, Record] = {}
        if self._resumed is not None:
            _check_machine(self._resumed, machine)
            done = {record.case.id: record for record in self._resumed.records if record.outcome != "failed"}
        # Drawn or digested now, before anything is timed, and before there is a folder that an interrupt would leave.
        data = RunData(options, self._cache_root)
        to_run = [it for it in selected if it.id not in done and backend(it.backend).why_not(it, machine) is None]
        digest = data.digest if to_run else ""
        if self._resumed is None:
            given = {name: text for name, text in self._given.items() if name not in ("resume", "report")}
            ids = [case.id for case in selected]
            folder = create_run(
                options.report, machine, command, ids, options.effort.name, given, options.policy, digest
            )
        else:
            folder = self._resumed.folder
            if digest and self._resumed.data_digest not in ("", digest):
                raise UsageError(
                    f"--resume: the images, labels or class names of {data.evaluated.yaml} have changed since "
                    f"{folder.name} was started; start a new run."
                )
            for note in self._resumed.notes:
                say(note)
        site = replace(site, folder=folder)
        self.runner = Runner(Preparation(site, search=scheme_search(site), data=data), done)
        if self._resumed is not None:
            self._check_recipes(done)
            finish_run(folder, "running")
        if terms is not None:
            given = {name: text for name, text in self._given.items() if name not in ("resume", "report")}
            self._gate = Gate(terms, self.runner, given)
        self._run = read_run(folder)
        self.started = True
        todo = [case for case in selected if case.id not in done and self.why_not(case) is None]
        timed = [case for case in todo if self.runner.preparation.only_builds(case) is None]
        say(self._cost(timed, todo))

    def _cost(self, timed: Sequence[Case], todo: Sequence[Case]) -> str:
        """Say what the run will cost, by what earlier ones took on this machine, and how to get less."""
        counted_cases = f"{len(todo)} of {len(self._selected)} cases to {'build' if todo and not timed else 'measure'}"
        if not timed:
            return f"{counted_cases}, in the time to build artifacts" if todo else counted_cases
        effort, known = self.options.effort, pace(self.options.report, self._machine.fingerprint)
        cost = f"{counted_cases}, {about((known or 1.0) * estimate_s(timed, effort))} and the time to build artifacts"
        least = EFFORTS["quick"]
        less_s = (known or 1.0) * estimate_s(timed, least)
        less = f"; --effort quick: {about(less_s)}" if effort != least and len(timed) > 1 else ""
        return f"{cost}{less}{'' if known else ' (a guess: no earlier run on this machine)'}"

    def gate(self) -> None:
        """Decide about all selected cases beside the baseline that `--against` names; nothing without one."""
        if self._gate is not None:
            self._gated = self._gate.run(self._selected, GateProgress(self._say, terminal=False).show)
            if self._gated.outcome is not None and self._gated.outcome.interrupted:
                raise KeyboardInterrupt

    def measure_together(self, timed: Sequence[Case], saturated: Sequence[Case], evaluated: Sequence[Case]) -> None:
        """Measure latency and throughput of these cases by turns, and build and evaluate them on all cores."""
        asked = dict.fromkeys((*timed, *saturated, *evaluated))
        self.runner.build_side_by_side([case for case in asked if self.why_not(case) is None], self._show)
        if self.options.turns:
            self.runner.time_by_turns(timed, self._show)
            self.runner.saturate_by_turns(saturated, self._show)
        self.runner.evaluate_side_by_side(evaluated, self._show)

    def _show(self, what: str, done: int, of: int) -> None:
        self._speaker.show(self._time_left.line(what, done, of))

    def why_not(self, case: Case) -> str | None:
        """Say why the case cannot run here, or None; a gate cannot use what is only built."""
        return self.runner.preparation.why_not(case) if self._gate is None else self.runner.why_not_timed(case)

    def finish(self, case: Case) -> None:
        """Record the case and print its line."""
        reason = self.why_not(case)
        if reason and self.runner.recorded(case) is None:
            self.runner.skip(case, reason)
        else:
            self.runner.finish_open()
        record = self.runner.recorded(case)
        if record is not None:
            self._say(case_line(record))
            self._point_latest()

    def _point_latest(self) -> None:
        """Let `latest` name this run, once: a run that was stopped before its first record leaves it as it was."""
        if not self._is_latest:
            point_latest(self.options.report, self.runner.site.folder)
            self._is_latest = True

    def judge(self, measured: Measured[object]) -> tuple[str, ...]:
        """Return a sentence for every limit or baseline that the metric fails."""
        metrics = answered_by(measured.metric)
        findings = self._judge({measured.case.id: measured.record}, (measured.case,))
        failing = [finding for finding in findings if finding.fails and finding.metric in metrics]
        self._told |= {(finding.case_id, finding.metric) for finding in failing}
        return tuple(render([finding]) for finding in failing)

    def gated(self, measured: Measured[object]) -> tuple[tuple[str, str], ...]:
        """Return the gate's verdicts on the metric or on the whole case, by their names in --junitxml."""
        metrics = answered_by(measured.metric) | {"case"}
        found = self._gated.findings if self._gated is not None else ()
        own = [it for it in found if it.case_id == measured.case.id and it.metric in metrics]
        return tuple((f"gate_{it.metric}", f"{it.verdict}: {it.sentence}") for it in own)

    def recorded(self, case_id: str) -> Record | None:
        """Return the record of the case of an id, as it stands."""
        return next((self.runner.recorded(case) for case in self.cases if case.id == case_id), None)

    @property
    def red(self) -> bool:
        """Say whether a finding or a case fails, whatever tests were selected."""
        records = [self.runner.recorded(case) for case in self._selected]
        failed = any(record is not None and record.outcome == "failed" for record in records)
        return failed or any(finding.fails for finding in self._findings)

    def end(self, interrupted: bool) -> None:
        """Close the run and write its report; an interrupted case leaves no record, so that --resume measures it."""
        if interrupted:
            self.runner.abandon_open()
        self.runner.finish_open()
        self.runner.close()
        records = {case.id: record for case in self._selected if (record := self.runner.recorded(case))}
        whole = len(records) == len(self._selected)
        if records or self._gated is not None:
            self._point_latest()
        # What a stopped run lacks is not missing: `--resume` goes on with it.
        self._findings = self._judge(records, self._selected) if whole else ()
        alone = whole and self._resumed is None and self._gated is None
        took_s = time.monotonic() - self._began - self.runner.built_s if alone else 0.0
        finish_run(self.runner.site.folder, "finished" if whole else "interrupted", max(0.0, took_s))
        write_findings(self.runner.site.folder, self._findings)
        write_report(self.runner.site.folder, self._findings, self.options.max_map_drop, self.options.lang)

    def summary_lines(self) -> list[str]:
        """Return the table, the failing findings that no test has printed, and where the report lies."""
        records = [record for case in self._selected if (record := self.runner.recorded(case))]
        lines = table_lines(records, self.options.max_map_drop, self._findings)
        if self.options.effort.leaves_out:
            lines += wrap(f"{self.options.effort.leaves_out}.", then="  ")
        failing = render([item for item in self._findings if (item.case_id, item.metric) not in self._told])
        lines += ["", *failing.splitlines()] if failing else []
        if self._gated is not None:
            lines += result_lines(self._gated)
        elif self._baseline is None:
            lines += ["", f"No baseline for this machine in {self.options.baseline}: `benchsuite promote` makes one."]
        else:
            lines += ["", *held_lines(self._baseline, [case.id for case in self._selected], self._findings)]
        report = f"Report: {self.runner.site.folder / 'index.html'}"
        if not records and timings_of(self.runner.site.folder):
            lines += ["", "No case was recorded, and their times are kept: `pytest bench/ --resume` goes on."]
        elif not records and self._gated is None:
            lines += ["", "No case was recorded: start a new run, there is nothing to resume."]
        elif len(records) < len(self._selected):
            lines += ["", f"{len(records)} of {len(self._selected)} cases recorded: `pytest bench/ --resume` goes on."]
        return [*lines, "", f"benchsuite: {self.trouble}" if self.trouble else report]

    def _judge(self, records: Mapping[str, Record], selected: tuple[Case, ...]) -> tuple[Finding, ...]:
        """Hold records against the limits and, where there is one, the baseline."""
        ids = tuple(case.id for case in selected)
        run = replace(self._run, records=tuple(records.values()), selected_ids=ids)
        over = [finding for record in run.records for finding in broken_limits(run, record, self.options.limits)]
        compared = compare(run, self._baseline, self._tolerances) if self._baseline is not None else ()
        gated = self._gated.findings if self._gated is not None else ()
        return (*over, *compared, *(finding for finding in gated if finding.case_id in ids))

    def _check_recipes(self, done: Mapping[str, Record]) -> None:
        """Refuse to mix artifacts made in different ways in one run."""
        for case in self._selected:
            record = done.get(case.id)
            if record is None or isinstance(record.artifact, Absent):
                continue
            if self.runner.preparation.recipe(case).digest != record.artifact.recipe_digest:
                raise UsageError(
                    f"--resume: {case.id} was measured with another recipe: weights, head, calibration or tools have "
                    "changed; start a new run."
                )


def _check_machine(run: Run, machine: Machine) -> None:
    """Refuse to go on with a run on another machine or with other versions."""
    if (run.machine.fingerprint, run.machine.packages) != (machine.fingerprint, machine.packages):
        changed = "; ".join(differences(run.machine, machine))
        raise UsageError(f"--resume: the machine or versions of {run.name} have changed: {changed}.")
