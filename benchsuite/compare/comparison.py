"""A run against its promoted baseline, or against another run."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from benchsuite.compare.baselines import Baseline
from benchsuite.compare.entries import Entry, entry_of
from benchsuite.compare.exact import judge
from benchsuite.compare.findings import Finding, rerun_line
from benchsuite.compare.inputs import accepted_inputs, another_network, inputs_of, paired, what_differs
from benchsuite.compare.sessions import judge_timing, policy_text
from benchsuite.compare.tolerances import no_tolerance
from benchsuite.machine.facts import Machine, differences
from benchsuite.runs.figures import Tolerance
from benchsuite.runs.folder import Run
from benchsuite.runs.records import Record
from benchsuite.runs.worth import why_void
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.quantities import milliseconds, signed
from benchsuite.terms.said import Sentence, counted, joined, said

_DONE = ("measured", "built")


def compare(run: Run, baseline: Baseline, tolerances: Mapping[str, Tolerance]) -> tuple[Finding, ...]:
    """Judge every case that the run selected; a case that the baseline has and the run lacks fails."""
    findings: list[Finding] = []
    for case_id in run.selected_ids:
        entries = baseline.entries(case_id)
        if entries:
            record = _measured(run, case_id)
            nearest = (_paired(record, entries) if record else None) or entries[0]
            findings += _case(run, case_id, entries, baseline.machine_of(nearest), tolerances)
        elif record := _measured(run, case_id):
            findings.append(_whole_case(case_id, "NOT_COMPARABLE", "none", "measured", _why_new(record, baseline)))
    return tuple(findings)


def _why_new(record: Record, baseline: Baseline) -> Sentence:
    """Say that the baseline lacks a case, and by which other name of the same weights it has it."""
    entries = (entry for model in baseline.models.values() for entry in model.entries.values())
    named = (it for it in entries if replace(it.case, model=record.case.model) == record.case)
    other = next((it for it in named if not another_network(it, entry_of(record, ""))), None)
    if other is None:
        return said("The baseline does not have this case yet; promoting a run adds it.")
    return said(
        "The baseline has this case of the same weights under the name {1}: give them that name, as in --model "
        "{2}=PATH, or promote a run to add it under its own.",
        other.case.model, other.case.model,
    )  # fmt: skip


def compare_runs(before: Run, after: Run) -> tuple[Finding, ...]:
    """Set two runs side by side, for people to read: nothing of it fails.

    Figures that do not scatter are compared exactly. Timing of two runs is not paired: its ratio is no verdict.
    """
    findings: list[Finding] = []
    same_processors = _same_processors(before.machine, after.machine)
    changed = differences(before.machine, after.machine)
    there, here = ([record for record in run.records if record.outcome in _DONE] for run in (before, after))
    for old, new in paired(there, here):
        if new is None:
            sentence = said("{1} did not measure this case: {2}", after.name, _why_missing(after, old.case.id))
            findings.append(_whole_case(old.case.id, "MISSING", old.outcome, "absent", sentence))
        elif _setting(old.case) != _setting(new.case):
            sentence = said("Measured with {1}, then with {2}: never paired.", _setting(old.case), _setting(new.case))
            findings.append(_whole_case(old.case.id, "NOT_COMPARABLE", old.outcome, new.outcome, sentence))
        else:
            pair = entry_of(old, before.name), entry_of(new, after.name)
            inputs = inputs_of(old, before.machine), inputs_of(new, after.machine)
            found = (
                *judge(*pair, no_tolerance(), same_processors),
                *_ratio(old, new, before.machine, after.machine),
            )
            findings += (replace(finding, environment=what_differs(inputs)) for finding in found)
    for new, known in paired(here, there):
        if known is None:
            sentence = said("{1} did not measure this case: {2}", before.name, _why_missing(before, new.case.id))
            findings.append(_whole_case(new.case.id, "NOT_COMPARABLE", "absent", new.outcome, sentence))
    return tuple(replace(finding, environment=finding.environment or changed, fails=False) for finding in findings)


def _case(
    run: Run, case_id: str, entries: tuple[Entry, ...], accepted_on: Machine, tolerances: Mapping[str, Tolerance]
) -> Iterable[Finding]:
    """Judge a case that the baseline has, and say beside each finding how to rerun and how to accept it."""
    record = _measured(run, case_id)
    old = _paired(record, entries) if record else None
    changed: tuple[Sentence, ...] = differences(accepted_on, run.machine)
    if record and old:
        changed = what_differs((accepted_inputs(old, accepted_on), inputs_of(record, run.machine)))
    effort = record.effort if record else run.effort
    rerun = rerun_line(record.case if record else entries[0].case, effort, run.options)
    for finding in _findings(run, case_id, record, entries, accepted_on, tolerances):
        # Promoting gives up no figure that was accepted.
        accept = "" if record and finding.verdict == "MISSING" else _accept_line(run)
        yield replace(finding, environment=changed, rerun=rerun, accept=accept)


def _findings(
    run: Run,
    case_id: str,
    record: Record | None,
    entries: tuple[Entry, ...],
    accepted_on: Machine,
    tolerances: Mapping[str, Tolerance],
) -> tuple[Finding, ...]:
    promoted = said("{1} in {2}", entries[0].outcome, entries[0].run)
    if record is None:
        why = said("This run selected the case and did not measure it: {1}", _why_missing(run, case_id))
        current = found.outcome if (found := run.record(case_id)) else "no record"
        return (_whole_case(case_id, "MISSING", promoted, current, why),)
    new = entry_of(record, run.name)
    old = _paired(record, entries)
    if old is None:
        others = joined(" and ", (_setting(entry.case) for entry in entries))
        why = said("The baseline was measured with {1}, this run with {2}.", others, _setting(record.case))
        return (_whole_case(case_id, "NOT_COMPARABLE", promoted, record.outcome, why),)
    if old.outcome == "measured" and new.outcome == "built":
        why = said("This run built the case and did not measure it: {1}", record.reason)
        return (_whole_case(case_id, "MISSING", promoted, record.outcome, why),)
    fixed = judge(old, new, tolerances, _same_processors(accepted_on, run.machine))
    timing = judge_timing(old, record, accepted_on, run.machine)
    return (*fixed, *(_void_if_broken(void_if_wrong(finding, fixed), record) for finding in timing))


def _paired(record: Record, entries: tuple[Entry, ...]) -> Entry | None:
    """Return the entry of the record's case with its head and threads."""
    return next((entry for entry in entries if entry.case == record.case), None)


def void_if_wrong(timing: Finding, others: tuple[Finding, ...]) -> Finding:
    """A case that fails otherwise is not faster, it does something else."""
    wrong = [finding.title for finding in others if finding.fails]
    if timing.verdict != "IMPROVED" or not wrong:
        return timing
    return replace(timing, verdict="INCONCLUSIVE", sentence=said("Faster, and void: {1} failed.", joined(", ", wrong)))


def _void_if_broken(timing: Finding, record: Record) -> Finding:
    """A network that finds nothing is not faster either, whether or not an accuracy was accepted."""
    worth = why_void(record)
    if timing.verdict != "IMPROVED" or worth is None or worth.standing != "broken":
        return timing
    return replace(timing, verdict="INCONCLUSIVE", sentence=said("Faster, and void: {1}.", worth.sentence))


def _whole_case(case_id: str, verdict: str, baseline: str, current: str, sentence: str) -> Finding:
    if verdict == "MISSING":
        return Finding(case_id, "case", "MISSING", baseline, current, "it must be measured", sentence, fails=True)
    return Finding(case_id, "case", "NOT_COMPARABLE", baseline, current, "", sentence)


def _ratio(old: Record, new: Record, before: Machine, after: Machine) -> Iterable[Finding]:
    one, other = old.metrics.latency, new.metrics.latency
    if isinstance(one, Absent) or isinstance(other, Absent):
        return
    p50s = one.total_ns.p50, other.total_ns.p50
    shown = f"{milliseconds(p50s[0])} ms", f"{milliseconds(p50s[1])} ms"
    if before.fingerprint != after.fingerprint:
        why = said("Timed on different machines: {1}.", joined("; ", differences(before, after)))
        yield Finding(new.case.id, "latency", "NOT_COMPARABLE", *shown, "", why)
    elif old.validity.policy != new.validity.policy:
        both = joined("; ", (policy_text(old.validity.policy), policy_text(new.validity.policy)))
        why = said("Timed under different policies: {1}.", both)
        yield Finding(new.case.id, "latency", "NOT_COMPARABLE", *shown, "", why)
    else:
        change = signed((p50s[1] / p50s[0] - 1) * 100)
        why = said("{1} % in time; unpaired, so no verdict on speed.", change)
        if old.effort != new.effort:
            changed = "{1} % in time, effort {2} then {3}; unpaired, so no verdict on speed."
            why = said(changed, change, old.effort, new.effort)
        yield Finding(new.case.id, "latency", "INCONCLUSIVE", *shown, "", why)


def _measured(run: Run, case_id: str) -> Record | None:
    record = run.record(case_id)
    return record if record and record.outcome in _DONE else None


def _why_missing(run: Run, case_id: str) -> str:
    record = run.record(case_id)
    if record:
        return record.reason
    return "the run ended before it." if case_id in run.selected_ids else "it was not selected."


def _setting(case: Case) -> str:
    return said("head {1} and {2}", case.head, counted(case.threads, "1 thread", "{1} threads"))


def _same_processors(one: Machine, other: Machine) -> bool:
    return _processors(one) == _processors(other)


def _processors(machine: Machine) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    return machine.cpu, machine.isa, tuple(gpu.name for gpu in machine.gpus)


def _accept_line(run: Run) -> str:
    words = ["benchsuite", "promote", _shown(run.folder)]
    for name in ("baseline", "machine"):
        if run.options.get(name):
            words += [f"--{name}", run.options[name]]
    return shlex.join(words)


def _shown(folder: Path) -> str:
    """Return the folder as one would type it here."""
    try:
        return str(folder.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(folder)
