"""The search for the fastest artifact that keeps the accuracy: first all that needs no training, then pruned weights.

What keeps the accuracy is timed turn by turn with the weights as given and with the fastest that was found before.
Nothing is tried that can no longer win: sizes end where the FP32 of one is shown to lose too much, schemes are tried
where a runtime's INT8 is close to the fastest or loses too much, and a share of the channels is trained only where the
untrained cut, which is as fast, is shown to be worth it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

from benchsuite.backends import backend
from benchsuite.detect.bootstrap import MapReference
from benchsuite.measure.lock import measuring_lock
from benchsuite.measure.readings import Side
from benchsuite.measure.statistics import samples_needed
from benchsuite.measure.turns import TURN_NS, Turns
from benchsuite.optimize.candidates import CandidateTime, Goal, Lightest, Round, Scored, TrainedRatio
from benchsuite.optimize.trials import Trials
from benchsuite.options.settings import parse
from benchsuite.runs.preparation import Preparation
from benchsuite.runs.site import open_site
from benchsuite.study.bench import Prepared, StudyBench, Way
from benchsuite.study.timed import TimedWays, time_ways
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import PRECISIONS, Case
from benchsuite.terms.errors import BenchsuiteError, BuildError, UsageError
from benchsuite.terms.input_size import InputSize
from benchsuite.terms.said import Sentence, joined, said

# Schemes that are there to be compared with, not to be deployed.
_FOR_COMPARISON = frozenset({"ultralytics", "dynamic-u8u8"})
# A runtime whose INT8 takes that many times as long as the fastest may have a scheme that is faster than both.
_CLOSE = 1.25
# A training step costs a forward pass and about two more for the gradients, and a teacher another one.
_PASSES_A_STEP = 4


@dataclass(frozen=True)
class LightenPlan:
    """What is searched for and in which bounds; the first of the sizes is the one that the weights are held at."""

    name: str
    weights: Path
    data: str
    sizes: tuple[int, ...]
    goal: Goal
    max_map_drop: float
    budget_s: float
    train_budget_s: float
    ratios: tuple[float, ...]
    epochs: int
    train_images: int
    effort: str


# Makes weights that lack a share of the channels, trained for so many epochs at so many px, and says how long it took.
Prune = Callable[[float, int, int], tuple[Path, float]]


class Lightening:
    """One search; what `trials` know is not found out again."""

    def __init__(
        self, plan: LightenPlan, trials: Trials, folder: Path, prune: Prune, say: Callable[[str], None]
    ) -> None:
        self._plan = plan
        self._trials = trials
        self._folder = folder
        self._prune = prune
        self._say = say
        self._began = time.monotonic()
        self._away_s = 0.0
        self._benches: dict[str, StudyBench] = {}
        self._weights = {plan.name: plan.weights}
        self._ratios = {plan.name: 0.0}
        self._scored: dict[str, Scored] = {}
        self._rounds: list[Round] = []
        self._trained: list[TrainedRatio] = []
        self._left_out: list[Sentence] = []

    def search(self) -> tuple[Sequence[Scored], Sequence[Round], Sequence[TrainedRatio], Sequence[Sentence], str]:
        """Return candidates, rounds, trained shares, what was left out, and the answer's name; empty for none."""
        every = [self._score(case) for case in self._within_budget(self._cases)]
        best = self._timed(said("runtimes and precisions"), every, "")
        best = self._timed(said("INT8 schemes"), self._schemes(best), best)
        for size in self._plan.sizes[1:]:
            smaller = list(self._at_size(size, best))
            if not smaller:
                break
            best = self._timed(said("{1} px", size), smaller, best)
        best = self._pruned(best)
        return tuple(self._scored.values()), self._rounds, self._trained, self._left_out, best

    @cached_property
    def _cases(self) -> Sequence[Case]:
        """All cases of the weights as given, FP32 first, as far as they run here; the original leads."""
        _, cases = open_site(parse(self._options(self._plan.name, self._plan.sizes[0])), self._say)
        bench = self._bench(self._plan.name)
        able = [it for it in cases if self._preparation(bench).why_not(it) is None]
        able = [it for it in able if self._preparation(bench).only_builds(it) is None]
        found = sorted(able, key=lambda it: (it.backend != "torch", PRECISIONS.index(it.precision)))
        if self.original not in found:
            raise UsageError("lighten holds everything against PyTorch FP32 on the CPU, which does not run here.")
        return sorted(found, key=lambda it: it != self.original)

    @cached_property
    def original(self) -> Case:
        """PyTorch FP32 of the weights as given on the CPU, which everything is held against."""
        options = {**self._options(self._plan.name, self._plan.sizes[0]), "backend": "torch", "precision": "fp32"}
        _, (case, *_) = open_site(parse({**options, "device": "cpu"}), lambda _: None)
        return case

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
            self._benches[name] = StudyBench(replace(site, folder=self._folder))
        return self._benches[name]

    def _preparation(self, bench: StudyBench) -> Preparation:
        return bench.preparation(Way(self.original))

    def _within_budget(self, cases: Sequence[Case]) -> Iterator[Case]:
        for case in cases:
            if time.monotonic() - self._began - self._away_s > self._plan.budget_s:
                self._left_out.append(said("{1}: --budget was used up", case.id))
            else:
                yield case

    # Scoring

    def _prepared(self, case: Case) -> Prepared:
        way = Way(case, case.scheme) if case.scheme else Way(case)
        return self._bench(case.model).prepare([way])[way]

    def _score(self, case: Case) -> Scored:
        self._scored[case.id] = self._trials.found(f"score {case.id}", Scored, lambda: self._found(case))
        return self._scored[case.id]

    def _found(self, case: Case) -> Scored:
        prepared = self._prepared(case)
        row = prepared.row
        loss = row.loss
        if prepared.outcomes:
            loss = self._reference.loss(prepared.outcomes)
        return Scored(
            case=case,
            ratio=self._ratios[case.model],
            scheme=row.scheme,
            bytes=row.built if isinstance(row.built, Absent) else row.built.bytes,
            map50_95=row.map50_95,
            loss=loss,
            reason=row.reason or row.conflict,
        )

    @cached_property
    def _reference(self) -> MapReference:
        outcomes = self._prepared(self.original).outcomes
        if not outcomes:
            raise BuildError(said("the weights as given find nothing on the data: there is no accuracy to keep"))
        return MapReference(outcomes)

    # Timing

    def _timed(self, title: Sentence, scored: Sequence[Scored], best: str) -> str:
        """Time what keeps the accuracy, and return the name of the fastest of it and of the best before."""
        able = [it.name for it in scored if it.keeps(self._plan.max_map_drop) and it.name != self.original.id]
        if not able:
            return best
        names = dict.fromkeys((self.original.id, *([best] if best else []), *able))
        found = self._trials.found(f"time {','.join(names)}", Round, lambda: self._round(title, list(names)))
        self._rounds.append(found)
        told = [it.name for it in found.times if it.name in able or it.name == best]
        if not told:
            return best
        self._say(said("{1}: {2} is the fastest that keeps the accuracy", title, told[0]))
        return told[0]

    def _round(self, title: Sentence, names: Sequence[str]) -> Round:
        sides = {}
        for name in names:
            side = self._prepared(self._scored[name].case).side
            if side is not None:
                sides[name] = side
        ways = self._take_turns(title, sides)
        return self._told(title, ways)

    def _take_turns(self, title: Sentence, sides: Mapping[str, Side]) -> TimedWays:
        effort = self._bench(self._plan.name).site.options.effort
        turns = Turns(effort.launches, max(effort.rounds, rounds_for(self._plan.goal, effort.launches)))
        with measuring_lock(self._say):
            return time_ways(title, sides, turns, self._say)

    def _told(self, title: Sentence, ways: TimedWays) -> Round:
        original = self.original.id
        times = []
        for name in ways.told:
            held = ways.against(name, original)
            if isinstance(held, Absent):
                continue
            total = ways.told[name].phases["total"]
            goal = self._plan.goal.percentile
            bound = getattr(total, goal) if goal else Absent("no goal was given")
            times.append(CandidateTime(name, total.p50, bound, held.ratio, held.ratio_ci95))
        times.sort(key=lambda it: it.ratio)
        close = [it.name for it in times if times and not ways.proved_faster(times[0].name, it.name)]
        noise = next((joined("; ", it.together.noise.sentences) for it in ways.told.values()), "")
        return Round(title, tuple(times), tuple(close), dict(ways.failures), noise)

    # What to try next

    def _schemes(self, best: str) -> Sequence[Scored]:
        """Score the other INT8 schemes of runtimes where one may win."""
        fastest = (self._ratio(best) or 0.0) if best else 0.0
        found: list[Scored] = []
        for plain in [it for it in self._scored.values() if it.case.precision == "int8" and not it.case.scheme]:
            own = self._ratio(plain.name)
            if plain.reason or (own is not None and fastest and own > _CLOSE * fastest):
                continue
            others = [
                it for it in backend(plain.case.backend).schemes if it != plain.scheme and it not in _FOR_COMPARISON
            ]
            cases = [replace(plain.case, scheme=scheme) for scheme in others]
            found += [self._score(case) for case in self._within_budget(cases)]
        return found

    def _ratio(self, name: str) -> float | None:
        known = [it.ratio for one in self._rounds for it in one.times if it.name == name]
        return known[-1] if known else None

    def _at_size(self, size: int, best: str) -> Iterator[Scored]:
        """Score what was close to the fastest at a smaller size, unless FP32 is shown to lose too much there."""
        if not best:
            return
        imgsz, fastest = InputSize.square(size), self._ratio(best) or 1.0
        close = [
            it.case for it in self._scored.values()
            if it.case.imgsz == self._scored[best].case.imgsz and it.keeps(self._plan.max_map_drop)
            and (ratio := self._ratio(it.name)) is not None and ratio <= _CLOSE * fastest
        ]  # fmt: skip
        first = replace(self._scored[best].case, precision="fp32", scheme="", imgsz=imgsz)
        for case in self._within_budget([first]):
            plain = self._score(case)
            if isinstance(plain.loss, Absent) or plain.loss.ci95[0] > self._plan.max_map_drop:
                self._left_out.append(said("{1} px and less: FP32 is shown to lose too much there", size))
                return
            yield plain
        others = [replace(case, imgsz=imgsz) for case in close]
        for case in self._within_budget([it for it in others if it != first]):
            yield self._score(case)

    # Pruning

    def _pruned(self, best: str) -> str:
        """Prune and train where that can win, and return the answer's name."""
        goal, plan = self._plan.goal, self._plan
        if not best or not plan.train_budget_s or not plan.ratios or (goal.percentile and self._meets(best)):
            return best
        for ratio in self._worth_training(best):
            epochs = self._epochs_left(best)
            if not epochs:
                self._left_out.append(said("pruning by {1} %: --train-budget was used up", f"{100 * ratio:.0f}"))
                break
            name = self._pruned_name(ratio)
            trained = self._trials.found(f"train {name}", TrainedRatio, partial(self._train, ratio, epochs, best))
            self._trained.append(trained)
            self._weights[name], self._ratios[name] = Path(trained.file), ratio
            scored = self._score(replace(self._scored[best].case, model=name))
            if not scored.keeps(plan.max_map_drop):
                # Larger shares lose more.
                self._left_out.append(said("more than {1} %: that share loses too much", f"{100 * ratio:.0f}"))
                break
            best = self._timed(said("pruned by {1} %", f"{100 * ratio:.0f}"), [scored], best)
            if goal.percentile and self._meets(best):
                break
        return best

    def _worth_training(self, best: str) -> Sequence[float]:
        """Return the shares that may win, the smallest first, by the time of the cut: training does not change it."""
        title = said("cut and untrained")
        case = self._scored[best].case
        names = {ratio: f"{self._pruned_name(ratio)}_untrained" for ratio in self._plan.ratios}
        found = self._trials.found(
            f"cut {case.id}", Round, lambda: self._told(title, self._take_turns(title, self._cuts(best, names)))
        )
        self._rounds.append(found)
        known = {it.name: it for it in found.times}
        original, worth = known.get(best), []
        for ratio, name in names.items():
            cut = known.get(replace(case, model=name).id)
            if cut is None or original is None or cut.ratio_ci95[1] >= original.ratio:
                self._left_out.append(said("pruning by {1} %: it is no faster", f"{100 * ratio:.0f}"))
            elif self._plan.goal.percentile and not self._is_within(cut):
                self._left_out.append(said("pruning by {1} %: it does not meet the goal", f"{100 * ratio:.0f}"))
            else:
                worth.append(ratio)
        return sorted(worth)

    def _cuts(self, best: str, names: Mapping[float, str]) -> Mapping[str, Side]:
        sides = {}
        for name in (self.original.id, best):
            side = self._prepared(self._scored[name].case).side
            if side is not None:
                sides[name] = side
        for ratio, name in names.items():
            self._weights[name], _ = self._prune(ratio, 0, self._px(best))
            case = replace(self._scored[best].case, model=name)
            preparation = self._bench(name).preparation(Way(case, case.scheme) if case.scheme else Way(case))
            try:
                sides[case.id] = Side(case, preparation.subject(case).setup)
            except BenchsuiteError as error:
                self._say(f"{case.id}: {error}")
        return sides

    def _pruned_name(self, ratio: float) -> str:
        return f"{self._plan.name}_p{100 * ratio:.0f}"

    def _epochs_left(self, best: str) -> int:
        """Return for how many epochs the training budget lasts, by what a forward pass takes."""
        time_ns = next((it.p50_ns for one in self._rounds for it in one.times if it.name == self.original.id), 0.0)
        area = (self._px(best) / self._plan.sizes[0]) ** 2
        epoch_s = _PASSES_A_STEP * self._plan.train_images * time_ns / 1e9 * area
        left_s = self._plan.train_budget_s - sum(it.train_s for it in self._trained)
        return min(self._plan.epochs, int(left_s / epoch_s)) if epoch_s else 0

    def _px(self, name: str) -> int:
        return self._scored[name].case.imgsz.height

    def _train(self, ratio: float, epochs: int, best: str) -> TrainedRatio:
        began = time.monotonic()
        path, train_s = self._prune(ratio, epochs, self._px(best))
        self._away_s += time.monotonic() - began
        return TrainedRatio(ratio, str(path), epochs, self._px(best), train_s)

    def _meets(self, name: str) -> bool:
        known = [it for one in self._rounds for it in one.times if it.name == name]
        return bool(known) and self._is_within(known[-1])

    def _is_within(self, found: CandidateTime) -> bool:
        return not isinstance(found.percentile_ns, Absent) and found.percentile_ns <= self._plan.goal.limit_ns


def rounds_for(goal: Goal, launches: int) -> int:
    """Return how many rounds a launch takes until whatever meets the goal was called often enough to tell that."""
    if not goal.percentile:
        return 0
    # The first call of a turn does not count.
    calls_a_turn = max(1, int(TURN_NS / goal.limit_ns) - 1)
    return math.ceil(samples_needed(int(goal.percentile[1:]) / 100) / (calls_a_turn * launches))


def meets(found: Lightest) -> bool:
    """Say whether the answer meets the goal, by the last time that it was timed."""
    told = found.time_of(found.answer)
    if isinstance(told, Absent) or isinstance(told.percentile_ns, Absent):
        return not found.goal.percentile and bool(found.answer)
    return told.percentile_ns <= found.goal.limit_ns
