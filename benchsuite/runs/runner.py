"""One run: from selected cases to records on disk, one case after another."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence, Sized
from contextlib import ExitStack, suppress
from dataclasses import fields, replace
from functools import partial
from zlib import crc32

from benchsuite.measure.case_run import CaseRun, Subject
from benchsuite.measure.gpu_use import gpu_warnings
from benchsuite.measure.lock import measuring_lock
from benchsuite.measure.measurement import Metrics
from benchsuite.measure.throughput import Saturation, measure_throughput
from benchsuite.measure.timed_case import GroupTiming, TimedCase, new_timing, read_timing, timings_of
from benchsuite.measure.turns import Turns
from benchsuite.runs import records
from benchsuite.runs.building import build_all
from benchsuite.runs.evaluating import evaluate_all
from benchsuite.runs.preparation import Preparation
from benchsuite.runs.records import ArtifactFacts, Record, Validity
from benchsuite.runs.site import Site
from benchsuite.terms.absence import NOT_SELECTED, Absent
from benchsuite.terms.cases import Case, group_of
from benchsuite.terms.errors import BenchsuiteError, SessionError
from benchsuite.terms.said import counted


class Runner:
    """Measures the cases of one run and appends a record as each ends.

    `done` are records that are there already. One run holds the machine once, however many runners it has: `locked`
    says that another one does.
    """

    def __init__(
        self, preparation: Preparation, done: Mapping[str, Record] | None = None, locked: bool = False
    ) -> None:
        self.preparation = preparation
        self._done = dict(done or {})
        self._open: CaseRun | None = None
        self._failures: dict[str, str] = {}
        self._ready: dict[str, Subject] = {}
        # What building took, apart from what the run measures.
        self.built_s = 0.0
        self._timed: dict[str, TimedCase | Absent] = {}
        self._saturations: dict[str, Saturation] = {}
        self._lock = ExitStack()
        self._locked = locked

    @property
    def site(self) -> Site:
        return self.preparation.site

    def why_not_timed(self, case: Case) -> str | None:
        """Say why the case cannot be timed here, or None."""
        return self.preparation.why_not(case) or self.preparation.only_builds(case)

    def recorded(self, case: Case) -> Record | None:
        """Return the case's record if it has one, from this run or from what it resumes."""
        return self._done.get(case.id)

    def case_run(self, case: Case) -> CaseRun:
        """Return the open measurement of a case, preparing its artifact first; raises what preparing it raised."""
        if self._open is not None and self._open.subject.case == case:
            return self._open
        self.finish_open()
        if case.id in self._failures:
            raise SessionError(self._failures[case.id])
        self._hold()
        try:
            run = self.preparation.case_run(case, self._timed.get(case.id), self._saturations.get(case.id))
        except BenchsuiteError as error:
            self._fail(case, str(error))
            raise
        self._open = run
        return run

    def build_side_by_side(self, cases: Sequence[Case], show: Callable[[str, int, int], None]) -> None:
        """Make the artifacts of cases that can be built here, be they run here or not; `show` as below."""
        self._hold()
        self._subjects([case for case in cases if self._is_open(case)], show)

    def time_by_turns(self, cases: Sequence[Case], show: Callable[[str, int, int], None]) -> None:
        """Time all cases that may be ranked against each other together, before anything else is measured of them.

        A group that was timed to its end before the run was interrupted is not timed again. `show` is told of each
        group how many turns of how many have been taken.
        """
        for title, group in self._groups(cases).items():
            kept = self._kept([case.id for case in group])
            self._timed |= kept if kept is not None else self._time(title, group, show)

    def saturate_by_turns(self, cases: Sequence[Case], show: Callable[[str, int, int], None]) -> None:
        """Take the throughput of all cases that may be ranked against each other together; `show` as above."""
        for group in self._groups(cases).values():
            able = [it for it in group if not isinstance(self._timed.get(it.id), Absent)]
            pairs = {subject.case.id: (subject.case, subject.setup) for subject in self._subjects(able, show)}
            if pairs:
                what = f"throughput of {_cases(pairs)}, points"
                self._saturations |= measure_throughput(pairs, self.site.options.effort, partial(show, what))

    def evaluate_side_by_side(self, cases: Sequence[Case], show: Callable[[str, int, int], None]) -> None:
        """Evaluate cases on the CPU ahead of whoever asks for their accuracy, several at once."""
        for group in self._groups([case for case in cases if case.device == "cpu"]).values():
            evaluate_all(self.preparation, self._subjects(group, show), partial(show, "evaluations"))

    def _groups(self, cases: Sequence[Case]) -> Mapping[str, Sequence[Case]]:
        """Return the cases that can be timed and have no record yet, by what tells groups apart."""
        self._hold()
        groups: dict[str, list[Case]] = {}
        for case in cases:
            if self._is_open(case) and self.why_not_timed(case) is None:
                groups.setdefault(group_of(case), []).append(case)
        return groups

    def _is_open(self, case: Case) -> bool:
        return case.id not in self._failures and self.recorded(case) is None

    def _subjects(self, cases: Sequence[Case], show: Callable[[str, int, int], None]) -> list[Subject]:
        """Return the cases ready to be measured; those that cannot be built are recorded as failed."""
        missing = [case for case in cases if case.id not in self._ready]
        if missing:
            began = time.monotonic()
            built = build_all(self.preparation, missing, partial(show, "artifacts"))
            self.built_s += time.monotonic() - began
            for case, found in built.items():
                if isinstance(found, BenchsuiteError):
                    self._fail(case, str(found))
                else:
                    self._ready[case.id] = found
        return [self._ready[case.id] for case in cases if case.id in self._ready]

    def _time(
        self, title: str, group: Sequence[Case], show: Callable[[str, int, int], None]
    ) -> Mapping[str, TimedCase | Absent]:
        subjects = self._subjects(group, show)
        if not subjects:
            return {}
        effort, folder = self.site.options.effort, self.site.folder
        name, what = new_timing(folder), f"timing {_cases(subjects)} turn by turn, turns"
        timing = GroupTiming(subjects, Turns(effort.launches, effort.rounds), name, folder, partial(show, what))
        return timing.run(crc32(title.encode())).cases

    def _kept(self, ids: Sequence[str]) -> Mapping[str, TimedCase | Absent] | None:
        """Return a timing of this run that ended and had all these cases, or None."""
        for name in timings_of(self.site.folder):
            cases = read_timing(self.site.folder, name).cases
            if set(ids) <= set(cases):
                return {case_id: cases[case_id] for case_id in ids}
        return None

    def _hold(self) -> None:
        if not self._locked:
            self._lock.enter_context(measuring_lock(self.site.say))
            self._locked = True

    def _fail(self, case: Case, reason: str) -> None:
        self._failures[case.id] = reason
        self._append(self._unmeasured(case, "failed", reason))

    def skip(self, case: Case, reason: str) -> None:
        """Record a case that cannot run here."""
        self._append(self._unmeasured(case, "skipped", reason))

    def finish_open(self) -> Record | None:
        """Close the case that is being measured and append its record."""
        run, self._open = self._open, None
        if run is None:
            return None
        if run.failure is None:
            # The run keeps its failure, and the record below carries it.
            with suppress(SessionError):
                run.ran()
        run.close()
        return self._append(self.provisional(run))

    def abandon_open(self) -> None:
        """Close the case that is being measured without a record: it was interrupted."""
        if self._open is not None:
            self._open.close()
        self._open = None

    def close(self) -> None:
        """Let go of the machine."""
        self._lock.close()

    def provisional(self, run: CaseRun) -> Record:
        """Return the record as far as the case has been measured."""
        case = run.subject.case
        artifact, proof, metrics = run.subject.setup.artifact, run.proof(), run.metrics()
        only_built = self.preparation.only_builds(case)
        return Record(
            case=case,
            outcome="failed" if run.failure else "built" if only_built else "measured",
            reason=run.failure or only_built or "",
            artifact=ArtifactFacts(
                sha256=artifact.sha256,
                bytes=artifact.bytes,
                recipe=artifact.recipe,
                recipe_digest=artifact.recipe.digest,
                build_s=self.preparation.build_s(artifact),
            ),
            metrics=_with_earlier(metrics, self._done.get(case.id)),
            validity=Validity(
                warnings=(*self.preparation.notes(case), *run.notes, *gpu_warnings(metrics.gpu)),
                ran=proof,
                label=proof if isinstance(proof, Absent) else proof.label,
                policy={
                    "threads": str(case.threads),
                    "spin": "each runtime's own",
                    "affinity": f"{self.site.machine.usable_cores} cores",
                    "denormals": "flushed to zero",
                },
                search=self.preparation.search(case),
            ),
            environment=self.site.machine.fingerprint,
            effort=self.site.options.effort.name,
        )

    def _unmeasured(self, case: Case, outcome: records.Outcome, reason: str) -> Record:
        return Record(
            case=case,
            outcome=outcome,
            reason=reason,
            artifact=Absent(reason),
            metrics=Metrics(),
            validity=Validity(),
            environment=self.site.machine.fingerprint,
            effort=self.site.options.effort.name,
        )

    def _append(self, record: Record) -> Record:
        self._done[record.case.id] = record
        for note in records.append(self.site.folder / "records.jsonl", record):
            self.site.say(note)
        return record


def _cases(found: Sized) -> str:
    return counted(len(found), "1 case", "{1} cases")


def _with_earlier(metrics: Metrics, earlier: Record | None) -> Metrics:
    """Fill what this session did not select with what the resumed run has measured of the same case."""
    if earlier is None:
        return metrics
    missing = [field.name for field in fields(Metrics) if getattr(metrics, field.name) == NOT_SELECTED]
    return replace(metrics, **{name: getattr(earlier.metrics, name) for name in missing})
