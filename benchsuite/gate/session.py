"""One gate: both arms prepared, what is counted compared exactly, what is timed decided by blocks, all of it kept."""

from __future__ import annotations

import datetime
import random
import secrets
import statistics
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchsuite.compare.comparison import void_if_wrong
from benchsuite.compare.entries import entry_of
from benchsuite.compare.exact import judge
from benchsuite.compare.findings import Finding, Verdict, rerun_line
from benchsuite.compare.inputs import Pair, inputs_of, what_differs
from benchsuite.compare.tolerances import TOLERANCES_FILE, default_tolerances, read_tolerances
from benchsuite.gate import blocks
from benchsuite.gate.arms import baseline_arm
from benchsuite.gate.blocks import Arm, Block, Stream
from benchsuite.gate.card import GateCard, write_card
from benchsuite.gate.judging import Thresholds
from benchsuite.gate.live import LiveSource
from benchsuite.gate.loop import Loop, Outcome, Status
from benchsuite.gate.selftest import harness_share
from benchsuite.gate.suite import plan_tests
from benchsuite.gate.terms import Terms
from benchsuite.gate.verdicts import BaselineLevel, exit_code, expired, failing_too, findings_of
from benchsuite.gate.waivers import ceilings, without_effect
from benchsuite.machine.facts import differences
from benchsuite.machine.processes import shared_libraries
from benchsuite.measure.readings import Plan, Side
from benchsuite.options.chosen import GateMetric, Options
from benchsuite.runs.figures import Tolerance
from benchsuite.runs.records import Record
from benchsuite.runs.runner import Runner
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import BuildError, ProcessError, SessionError
from benchsuite.terms.said import Sentence, joined, said

BLOCKS_FILE = "gate-blocks.jsonl"
# What one case may fail by; a mistake of the user's ends the gate.
_FAILURES = (BuildError, SessionError, ProcessError)
_DOUBTS: tuple[Verdict, ...] = ("INCONCLUSIVE", "NOT_COMPARABLE")


@dataclass(frozen=True)
class ReadyCase:
    """One case with both arms ready, and what was found without timing anything."""

    case: Case
    sides: Mapping[Arm, Side]
    fixed: tuple[Finding, ...]
    first_call_ns: int


@dataclass(frozen=True)
class GateResult:
    """Everything that a gate found; `outcome` is None where no case could be timed."""

    findings: tuple[Finding, ...]
    outcome: Outcome | None
    exit_code: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Timed:
    """What blocks came to, by which tests."""

    outcome: Outcome
    findings: tuple[Finding, ...]
    tests: Mapping[Stream, Mapping[GateMetric, Thresholds]]
    plans: Mapping[str, Plan]
    taken: Sequence[Block]


class Gate:
    """Compares the cases of one run with a baseline that is measured beside them."""

    def __init__(
        self, terms: Terms, candidate: Runner, given: Mapping[str, str], failing: Collection[Verdict] = ()
    ) -> None:
        """Take the verdicts of doubt that fail a case; `--gate-strict` adds to them."""
        self._candidate = candidate
        self._given = given
        self._failing = {*failing, *(_DOUBTS if candidate.site.options.gate.strict else ())}
        self._today = datetime.date.today()
        self._waivers = terms.waivers
        self._tolerances = _tolerances(candidate.site.options.baseline)
        self._arm = baseline_arm(terms.against, candidate)
        # By case: what the baseline and the candidate were measured with.
        self._inputs: dict[str, Pair] = {}

    @property
    def _options(self) -> Options:
        return self._candidate.site.options

    @property
    def _changed(self) -> tuple[Sentence, ...]:
        """What differs between the arms, over all cases."""
        of_machines = differences(self._arm.runner.site.machine, self._candidate.site.machine)
        return tuple(dict.fromkeys((*what_differs(*self._inputs.values()), *of_machines)))

    def run(self, cases: Sequence[Case], show: Callable[[Sequence[Status]], None]) -> GateResult:
        """Prepare all cases, then measure them in blocks until each is decided; write the gate's card at the end."""
        self._candidate.site.say(f"gate: candidate against {self._arm.against}")
        prepared: list[ReadyCase] = []
        findings: list[Finding] = list(expired(self._waivers, [case.id for case in cases], self._today))
        for case in cases:
            ready = self._prepare(case)
            if isinstance(ready, ReadyCase):
                prepared.append(ready)
            elif ready is not None:
                findings.append(ready)
        self._candidate.finish_open()
        self._arm.runner.finish_open()
        seed = secrets.randbits(48)
        timed = self._time(prepared, seed, show) if prepared else None
        outcome = timed.outcome if timed else None
        findings += timed.findings if timed else ()
        for ready in prepared:
            findings += ready.fixed
        findings = [self._with_rerun(failing_too(finding, self._failing), cases) for finding in findings]
        result = GateResult(tuple(findings), outcome, exit_code(findings), self._notes(outcome, cases))
        write_card(self._candidate.site.folder, self._card(result, timed, seed))
        return result

    def _prepare(self, case: Case) -> ReadyCase | Finding | None:
        """Return the case with both arms ready, the finding that says why not, or None where neither arm can run it."""
        paired = self._arm.case(case)
        here, there = self._candidate.why_not_timed(case), self._arm.runner.why_not_timed(paired)
        if here and there:
            self._candidate.skip(case, here)
            return None
        if here:
            self._candidate.skip(case, here)
            return _missing(case, said("The baseline runs this case and the candidate does not: {1}", here))
        try:
            ours = self._candidate.case_run(case)
            ours.ran()
        except _FAILURES as error:
            self._candidate.finish_open()
            return _missing(case, said("The candidate failed: {1}", error))
        if there:
            return _not_comparable(case, said("The baseline cannot run this case: {1}", there))
        try:
            theirs = self._arm.runner.case_run(paired)
            theirs.ran()
        except _FAILURES as error:
            self._arm.runner.finish_open()
            return _not_comparable(case, said("The baseline cannot be measured: {1}", error))
        a, b = theirs.subject.setup, ours.subject.setup
        same = (
            a.artifact.sha256 == b.artifact.sha256
            and self._arm.runner.site.machine.packages == self._candidate.site.machine.packages
        )
        try:
            if not same:
                # One artifact on one runtime detects what it detects; only a change can lose accuracy.
                for run in (ours, theirs):
                    run.evaluation()
                    run.parity()
            first_call_ns = ours.cold().first_inference_ns
            new = self._candidate.finish_open()
            old = self._arm.runner.finish_open()
        except _FAILURES as error:
            return _missing(case, said("Its accuracy could not be evaluated: {1}", error))
        assert new is not None
        assert old is not None
        self._inputs[case.id] = (
            inputs_of(old, self._arm.runner.site.machine),
            inputs_of(new, self._candidate.site.machine),
        )
        sides: dict[Arm, Side] = {"A": Side(paired, a), "B": Side(case, b)}
        return ReadyCase(case, sides, self._fixed(old, new, case), first_call_ns)

    def _fixed(self, old: Record, new: Record, case: Case) -> tuple[Finding, ...]:
        """Compare what does not scatter."""
        found = judge(entry_of(old, "baseline"), entry_of(new, "candidate"), self._tolerances)
        if _weights(old) != _weights(new):
            found = tuple(map(_kernels_of_another_network, found))
        changed = what_differs(self._inputs[case.id])
        return tuple(replace(finding, case_id=case.id, environment=changed) for finding in found)

    def _time(self, prepared: Sequence[ReadyCase], seed: int, show: Callable[[Sequence[Status]], None]) -> _Timed:
        gate = self._options.gate
        tests = plan_tests([it.case.id for it in prepared], gate, ceilings(self._waivers, self._today))
        cheapest = min(prepared, key=lambda it: it.first_call_ns)
        control = Stream(cheapest.case.id, control=True)
        sides: dict[Stream, Mapping[Arm, Side]] = {
            subject: it.sides for it in prepared for subject in tests if subject.case_id == it.case.id
        }
        sides[control] = {"A": cheapest.sides["A"], "B": cheapest.sides["A"]}
        source = LiveSource(sides, self._candidate.site.machine.gpus)
        taken: list[Block] = []

        def keep(block: Block) -> None:
            taken.append(block)
            for note in blocks.append(self._candidate.site.folder / BLOCKS_FILE, block):
                self._candidate.site.say(note)

        outcome = Loop(tests, control, gate.budget_s, source, random.Random(seed), keep, show).run()
        # Other kernels do not make it another detector; lost accuracy does.
        fixed = {it.case.id: tuple(f for f in it.fixed if f.about_detections) for it in prepared}
        found = tuple(
            _void_if_wrong(finding, fixed[finding.case_id])
            for status in outcome.statuses
            for finding in self._judged(status, tests[status.subject], taken, outcome)
        )
        return _Timed(outcome, found, tests, source.plans, taken)

    def _judged(
        self, status: Status, tests: Mapping[GateMetric, Thresholds], taken: Sequence[Block], outcome: Outcome
    ) -> tuple[Finding, ...]:
        own = [block for block in taken if block.subject == status.subject and not block.void]
        holding = [waiver for waiver in self._waivers if not waiver.expired(self._today)]
        found = findings_of(status, tests, _level(own), outcome, self._options.gate, holding)
        changed = what_differs(self._inputs[status.subject.case_id])
        return tuple(replace(finding, environment=changed) for finding in found)

    def _with_rerun(self, finding: Finding, cases: Sequence[Case]) -> Finding:
        case = next(case for case in cases if case.id == finding.case_id)
        line = rerun_line(case, self._options.effort.name, self._given, ("benchsuite", "gate"))
        return replace(finding, rerun=line)

    def _notes(self, outcome: Outcome | None, cases: Sequence[Case]) -> tuple[str, ...]:
        notes = list(without_effect(self._waivers, [case.id for case in cases], self._options.gate.metrics))
        if outcome is None:
            return (said("gate: no case could be timed"), *notes)
        shared = shared_libraries("LD_LIBRARY_PATH") if self._arm.against.kind == "env" else ()
        if shared:
            notes.append(said("gate: both arms look for libraries in {1} first (LD_LIBRARY_PATH)", ", ".join(shared)))
        if outcome.interrupted:
            notes.append(said("gate: interrupted; the blocks so far are kept"))
        if outcome.shift is not None and outcome.shift.found:
            changes = [f"{(ratio - 1) * 100:+.1f}" for ratio in (outcome.shift.ratio, *outcome.shift.interval)]
            shifted = (
                "gate: warning: the {1} cases together have shifted by {2} % ({3} to {4} %), which no single case can "
                "show"
            )
            notes.append(said(shifted, outcome.shift.cases, *changes))
        return tuple(notes)

    def _card(self, result: GateResult, timed: _Timed | None, seed: int) -> GateCard:
        card = GateCard(
            against=str(self._arm.against),
            changed=self._changed,
            baseline_machine=self._arm.runner.site.machine,
            settings=replace(self._options.gate, waivers=None),
            waivers=tuple(str(waiver) for waiver in self._waivers),
            seed=seed,
            exit_code=result.exit_code,
            notes=result.notes,
            outcome=result.outcome,
        )
        if timed is None:
            return card
        thresholds = {
            f"{subject.case_id} {metric}": test
            for subject, tests in timed.tests.items()
            for metric, test in tests.items()
        }
        taken = timed.taken
        return replace(
            card, thresholds=thresholds, plans=timed.plans, harness_share=harness_share(taken), blocks=len(taken)
        )


def _level(own: Sequence[Block]) -> BaselineLevel | None:
    if not own:
        return None
    timed_ns = statistics.median(ns for block in own for ns in block.calls("A"))
    return BaselineLevel(timed_ns, statistics.median(block.peak_bytes["A"] for block in own))


def _void_if_wrong(finding: Finding, fixed: tuple[Finding, ...]) -> Finding:
    """Keep what was proved beside what makes it void."""
    judged = void_if_wrong(finding, fixed)
    if judged is finding:
        return finding
    return replace(judged, sentence=joined(" ", (judged.sentence, finding.sentence)))


def _weights(record: Record) -> str:
    return "" if isinstance(record.artifact, Absent) else record.artifact.recipe.weights_sha256


def _kernels_of_another_network(finding: Finding) -> Finding:
    """Kernels say something of a runtime and an exporter only where the network is the same."""
    if finding.metric != "kernels":
        return finding
    sentence = said("The arms have other weights: another network may run in other kernels.")
    return replace(finding, verdict="NOT_COMPARABLE", allowed="", sentence=sentence, fails=False)


def _missing(case: Case, sentence: str) -> Finding:
    return Finding(case.id, "case", "MISSING", "measured", "absent", "it must be measured", sentence, fails=True)


def _not_comparable(case: Case, sentence: str) -> Finding:
    return Finding(case.id, "case", "NOT_COMPARABLE", "absent", "measured", "", sentence)


def _tolerances(root: Path) -> Mapping[str, Tolerance]:
    """Read the user's tolerances, or those that benchsuite comes with."""
    return read_tolerances(root) if (root / TOLERANCES_FILE).exists() else default_tolerances()
