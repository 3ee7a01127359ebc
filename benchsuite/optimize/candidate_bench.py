"""A search's bench: builds, proves, evaluates and times candidates; what trials know is taken from them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path

from benchsuite.detect.bootstrap import MapReference
from benchsuite.measure.effort import EFFORTS
from benchsuite.measure.lock import measuring_lock
from benchsuite.measure.readings import Side
from benchsuite.measure.statistics import samples_needed
from benchsuite.measure.turns import TURN_NS, Turns
from benchsuite.optimize.candidates import CandidateTime, Goal, LightenPlan, Round, Scored
from benchsuite.optimize.trials import Trials
from benchsuite.options.settings import parse
from benchsuite.runs.preparation import Preparation
from benchsuite.runs.side_by_side import side_by_side
from benchsuite.runs.site import open_site
from benchsuite.study.bench import Prepared, StudyBench, Way
from benchsuite.study.timed import TimedWays, time_ways
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import PRECISIONS, Case
from benchsuite.terms.errors import BuildError, UsageError
from benchsuite.terms.said import Sentence, joined, said

# A worker with PyTorch in it, and the images that it decodes.
_WORKER_BYTES = 1_500_000_000


class CandidateBench:
    """Candidates that were scored, by their names, the rounds in which they were timed, and what was left out."""

    def __init__(self, plan: LightenPlan, trials: Trials, folder: Path, say: Callable[[str], None]) -> None:
        self.scored: dict[str, Scored] = {}
        self.rounds: list[Round] = []
        self.left_out: list[Sentence] = []
        self._plan = plan
        self._trials = trials
        self._folder = folder
        self._say = say
        self._began = time.monotonic()
        self._benches: dict[str, StudyBench] = {}
        self._weights = {plan.name: plan.weights}
        self._ratios = {plan.name: 0.0}
        self._making: list[Preparation] = []

    def add_weights(self, name: str, path: Path, ratio: float) -> None:
        """Let cases of that model's name be candidates; its weights lack a share of the channels."""
        self._weights[name], self._ratios[name] = path, ratio

    def leave_out_of_budget(self, seconds: float) -> None:
        """Let time that was spent on training be none of the budget."""
        self._began += seconds

    @cached_property
    def original(self) -> Case:
        """PyTorch FP32 of the weights as given on the CPU, which everything is held against."""
        options = {**self._options(self._plan.name, self._plan.sizes[0]), "backend": "torch", "precision": "fp32"}
        _, (case, *_) = open_site(parse({**options, "device": "cpu"}), lambda _: None)
        return case

    @cached_property
    def cases(self) -> Sequence[Case]:
        """All cases of the weights as given at their size that run here, the original first, then by precision."""
        _, cases = open_site(parse(self._options(self._plan.name, self._plan.sizes[0])), self._say)
        preparation = self._bench(self._plan.name).preparation(Way(self.original))
        able = [it for it in cases if not (preparation.why_not(it) or preparation.only_builds(it))]
        if self.original not in able:
            raise UsageError("lighten holds everything against PyTorch FP32 on the CPU, which does not run here.")
        return sorted(able, key=lambda it: (it != self.original, PRECISIONS.index(it.precision)))

    def within_budget(self, cases: Sequence[Case]) -> Iterator[Case]:
        """Yield cases until the budget is used up, and note the others; the original is held to none."""
        for case in cases:
            known = case == self.original or self._trials.is_known(_score_of(case))
            if self._is_over_budget() and not known:
                self.left_out.append(said("{1}: --budget was used up", case.id))
            else:
                yield case

    def score_all(self, cases: Sequence[Case]) -> Sequence[Scored]:
        """Score candidates as long as the budget lasts; what they take is made on all cores before that."""
        new = [case for case in cases if not self._trials.is_known(_score_of(case))]
        # What others are made from and held against comes first.
        for part in (tuple(case for case in new if (case.precision == "fp32") is plain) for plain in (True, False)):
            jobs = {case: partial(self._make, case) for case in part}
            told = partial(self._tell_made, len(jobs))
            side_by_side(jobs, _WORKER_BYTES, self._stop_making, told)
        return [self.score(case) for case in self.within_budget(cases)]

    def score(self, case: Case) -> Scored:
        """Build, prove and evaluate a candidate, and hold it against the original."""
        self.scored[case.id] = self._trials.found(_score_of(case), Scored, lambda: self._found(case))
        return self.scored[case.id]

    def time(self, key: str, title: Sentence, sides: Callable[[], Mapping[str, Side]]) -> Round:
        """Time what `sides` returns turn by turn, the original among it."""
        found = self._trials.found(f"time {key}", Round, lambda: self._round(title, self._take_turns(title, sides())))
        self.rounds.append(found)
        return found

    def sides(self, names: Sequence[str]) -> Mapping[str, Side]:
        """Return what is timed of candidates that were scored, by their names."""
        prepared = {name: self._prepared(self.scored[name].case).side for name in names}
        return {name: side for name, side in prepared.items() if side is not None}

    def unscored_side(self, case: Case) -> Side:
        """Return what is timed of a case whose accuracy nobody asks for; raises what building raises."""
        return Side(case, self._bench(case.model).preparation(_way(case)).subject(case).setup)

    def times_of(self, name: str) -> Sequence[CandidateTime]:
        """Return the times of a candidate in every round that it was timed in."""
        return [it for one in self.rounds for it in one.times if it.name == name]

    def _options(self, name: str, *sizes: int) -> Mapping[str, str]:
        return {
            "model": f"{name}={self._weights[name]}",
            "data": self._plan.data,
            "imgsz": ",".join(map(str, sizes)),
            "effort": self._plan.effort,
            "max_map_drop": f"{self._plan.max_map_drop:g}",
        }

    def _bench(self, name: str) -> StudyBench:
        if name not in self._benches:
            site, _ = open_site(parse(self._options(name, *self._plan.sizes)), lambda _: None)
            # However short the timing is, accuracy decides who is timed.
            effort = replace(site.options.effort, accuracy_images=EFFORTS["standard"].accuracy_images)
            options = replace(site.options, effort=effort)
            self._benches[name] = StudyBench(replace(site, options=options, folder=self._folder))
        return self._benches[name]

    def _is_over_budget(self) -> bool:
        return time.monotonic() - self._began > self._plan.budget_s

    def _prepared(self, case: Case) -> Prepared:
        way = _way(case)
        return self._bench(case.model).prepare([way])[way]

    def _make(self, case: Case) -> None:
        """Build and evaluate a candidate, so that preparing it finds both; what fails is told then."""
        if self._is_over_budget():
            return
        preparation = self._bench(case.model).preparation(_way(case))
        self._making.append(preparation)
        preparation.evaluate(preparation.subject(case))

    def _tell_made(self, of: int, done: int) -> None:
        self._say(said("candidates, built and evaluated: {1} of {2}", done, of))

    def _stop_making(self) -> None:
        for preparation in self._making:
            preparation.stop_building()
            preparation.stop_evaluating()

    def _found(self, case: Case) -> Scored:
        prepared = self._prepared(case)
        row = prepared.row
        return Scored(
            case=case,
            ratio=self._ratios[case.model],
            scheme=row.scheme,
            bytes=row.built if isinstance(row.built, Absent) else row.built.bytes,
            map50_95=row.map50_95,
            loss=self._reference.loss(prepared.outcomes) if prepared.outcomes else row.loss,
            reason=row.reason or row.conflict,
        )

    @cached_property
    def _reference(self) -> MapReference:
        outcomes = self._prepared(self.original).outcomes
        if not outcomes:
            raise BuildError(said("the weights as given find nothing on the data: there is no accuracy to keep"))
        return MapReference(outcomes)

    def _take_turns(self, title: Sentence, sides: Mapping[str, Side]) -> TimedWays:
        effort = EFFORTS[self._plan.effort]
        turns = Turns(effort.launches, max(effort.rounds, rounds_for(self._plan.goal, effort.launches)))
        with measuring_lock(self._say):
            return time_ways(title, sides, turns, self._say)

    def _round(self, title: Sentence, ways: TimedWays) -> Round:
        times = []
        for name in ways.told:
            held = ways.against(name, self.original.id)
            if isinstance(held, Absent):
                continue
            total, goal = ways.told[name].phases["total"], self._plan.goal.percentile
            bound = getattr(total, goal) if goal else Absent("no goal was given")
            times.append(CandidateTime(name, total.p50, bound, held.ratio, held.ratio_ci95))
        times.sort(key=lambda it: it.ratio)
        close = [it.name for it in times if not ways.proved_faster(times[0].name, it.name)]
        noise = next((joined("; ", it.together.noise.sentences) for it in ways.told.values()), "")
        return Round(title, tuple(times), tuple(close), dict(ways.failures), noise)


def _score_of(case: Case) -> str:
    return f"score {case.id}"


def _way(case: Case) -> Way:
    return Way(case, case.scheme) if case.scheme else Way(case)


def rounds_for(goal: Goal, launches: int) -> int:
    """Return how many rounds a launch takes until whatever meets the goal was called often enough to tell that."""
    if not goal.percentile:
        return 0
    # The first call of a turn does not count.
    calls_a_turn = max(1, int(TURN_NS / goal.limit_ns) - 1)
    return math.ceil(samples_needed(int(goal.percentile[1:]) / 100) / (calls_a_turn * launches))
