"""The search for the fastest artifact that keeps the accuracy: first all that needs no training, then pruned weights.

It ends with the first step whose fastest meets the goal, where there is one.
What keeps the accuracy is timed turn by turn with the weights as given and with the fastest that was found before.
Nothing is tried that can no longer win: sizes end where the FP32 of one is shown to lose too much, schemes are tried
where a runtime's INT8 is close to the fastest or loses too much, and a share of the channels is trained only where the
untrained cut, which is as fast, is shown to be worth it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchsuite.backends import backend
from benchsuite.measure.readings import Side
from benchsuite.optimize.candidate_bench import CandidateBench
from benchsuite.optimize.candidates import CandidateTime, LightenPlan, Scored, TrainedRatio
from benchsuite.optimize.trials import Trials
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import BenchsuiteError
from benchsuite.terms.input_size import InputSize
from benchsuite.terms.said import Sentence, said

# Schemes that are there to be compared with, not to be deployed.
_FOR_COMPARISON = frozenset({"ultralytics", "dynamic-u8u8"})
# A runtime whose INT8 takes that many times as long as the fastest may have a scheme that is faster than both.
_CLOSE = 1.25
# A training step costs a forward pass and about two more for the gradients, and a teacher another one.
_PASSES_A_STEP = 4
# Makes weights that lack a share of the channels, trained for so many epochs at so many px, and says how long it took.
Prune = Callable[[float, int, int], tuple[Path, float]]


class Lightening:
    """One search; what `trials` know is not found out again."""

    def __init__(
        self, plan: LightenPlan, bench: CandidateBench, trials: Trials, prune: Prune, say: Callable[[str], None]
    ) -> None:
        self.trained: list[TrainedRatio] = []
        self._plan = plan
        self._bench = bench
        self._trials = trials
        self._prune = prune
        self._say = say

    def search(self) -> str:
        """Return the name of the answer, empty where nothing that keeps the accuracy could be timed."""
        best = self._timed(said("runtimes and precisions"), self._bench.score_all(self._bench.cases), "")
        if self._meets(best):
            return best
        best = self._timed(said("INT8 schemes"), self._bench.score_all(self._schemes(best)), best)
        for size in self._plan.sizes[1:] if best else ():
            if self._meets(best):
                return best
            smaller = list(self._at_size(size, best))
            if not smaller:
                break
            best = self._timed(said("{1} px", size), smaller, best)
        return self._pruned(best) if best and self._plan.train_budget_s and not self._meets(best) else best

    def _timed(self, title: Sentence, scored: Sequence[Scored], best: str) -> str:
        """Time what keeps the accuracy, and return the name of the fastest of it and of the best before."""
        original = self._bench.original.id
        able = [it.name for it in scored if it.keeps(self._plan.max_map_drop) and it.name != original]
        if not able:
            return best
        names = list(dict.fromkeys((original, *([best] if best else []), *able)))
        found = self._bench.time(",".join(names), title, partial(self._bench.sides, names))
        told = [it.name for it in found.times if it.name in able or it.name == best]
        if not told:
            return best
        self._say(said("{1}: {2} is the fastest that keeps the accuracy", title, told[0]))
        return told[0]

    def _schemes(self, best: str) -> Sequence[Case]:
        """Return the other INT8 schemes of runtimes where one may win."""
        fastest = self._ratio(best) if best else None
        cases: list[Case] = []
        for plain in [it for it in self._bench.scored.values() if it.case.precision == "int8" and not it.case.scheme]:
            own = self._ratio(plain.name)
            if plain.reason or (own is not None and fastest is not None and own > _CLOSE * fastest):
                continue
            others = [
                it for it in backend(plain.case.backend).schemes if it != plain.scheme and it not in _FOR_COMPARISON
            ]
            cases += [replace(plain.case, scheme=scheme) for scheme in others]
        return cases

    def _ratio(self, name: str) -> float | None:
        """Return how many times as long as the original a candidate takes, where it was timed."""
        known = self._bench.times_of(name)
        return known[-1].ratio if known else None

    def _at_size(self, size: int, best: str) -> Iterator[Scored]:
        """Score what was close to the fastest at a smaller size, unless FP32 is shown to lose too much there."""
        imgsz, fastest = InputSize.square(size), self._ratio(best) or 1.0
        close = [
            it.case for it in self._bench.scored.values()
            if it.case.imgsz == self._case(best).imgsz and it.keeps(self._plan.max_map_drop)
            and (ratio := self._ratio(it.name)) is not None and ratio <= _CLOSE * fastest
        ]  # fmt: skip
        first = replace(self._case(best), precision="fp32", scheme="", imgsz=imgsz)
        for plain in self._bench.score_all([first]):
            if isinstance(plain.loss, Absent) or plain.loss.ci95[0] > self._plan.max_map_drop:
                self._leave_out(said("{1} px and less: FP32 is shown to lose too much there", size))
                return
            yield plain
        others = [replace(case, imgsz=imgsz) for case in close]
        yield from self._bench.score_all([it for it in others if it != first])

    def _case(self, name: str) -> Case:
        return self._bench.scored[name].case

    def _leave_out(self, sentence: Sentence) -> None:
        self._bench.left_out.append(sentence)

    def _pruned(self, best: str) -> str:
        """Prune and train where that can win, and return the answer's name."""
        plan = self._plan
        for ratio in self._worth_training(best):
            epochs, share = self._epochs_left(best), f"{100 * ratio:.0f}"
            if not epochs:
                self._leave_out(said("pruning by {1} %: --train-budget was used up", share))
                break
            name = self._name(ratio)
            trained = self._trials.found(f"train {name}", TrainedRatio, partial(self._train, ratio, epochs, best))
            self.trained.append(trained)
            self._bench.add_weights(name, Path(trained.file), ratio)
            scored = self._bench.score(replace(self._case(best), model=name))
            if not scored.keeps(plan.max_map_drop):
                # Larger shares lose more.
                self._leave_out(said("more than {1} %: that share loses too much", share))
                break
            best = self._timed(said("pruned by {1} %", share), [scored], best)
            if self._meets(best):
                break
        return best

    def _worth_training(self, best: str) -> Sequence[float]:
        """Return the shares that may win, the smallest first, by the time of the cut: training does not change it."""
        case = self._case(best)
        cases = {ratio: replace(case, model=f"{self._name(ratio)}_untrained") for ratio in self._plan.ratios}
        title = said("cut and untrained")
        found = self._bench.time(f"cut {case.id}", title, partial(self._cuts, best, cases))
        known = {it.name: it for it in found.times}
        whole, worth = known.get(best), []
        for ratio, cut_case in cases.items():
            cut, share = known.get(cut_case.id), f"{100 * ratio:.0f}"
            if cut is None or whole is None or cut.ratio_ci95[1] >= whole.ratio:
                self._leave_out(said("pruning by {1} %: it is no faster", share))
            elif self._plan.goal.percentile and not self._is_within(cut):
                self._leave_out(said("pruning by {1} %: it does not meet the goal", share))
            else:
                worth.append(ratio)
        return sorted(worth)

    def _cuts(self, best: str, cases: Mapping[float, Case]) -> Mapping[str, Side]:
        sides = dict(self._bench.sides([self._bench.original.id, best]))
        for ratio, case in cases.items():
            path, _ = self._prune(ratio, 0, case.imgsz.height)
            self._bench.add_weights(case.model, path, ratio)
            try:
                sides[case.id] = self._bench.unscored_side(case)
            except BenchsuiteError as error:
                self._say(f"{case.id}: {error}")
        return sides

    def _name(self, ratio: float) -> str:
        return f"{self._plan.name}_p{100 * ratio:.0f}"

    def _epochs_left(self, best: str) -> int:
        """Return for how many epochs the training budget lasts, by what a forward pass takes."""
        time_ns = self._bench.times_of(self._bench.original.id)[0].p50_ns
        area = (self._case(best).imgsz.height / self._plan.sizes[0]) ** 2
        epoch_s = _PASSES_A_STEP * self._plan.train_images * time_ns / 1e9 * area
        left_s = self._plan.train_budget_s - sum(it.train_s for it in self.trained)
        return min(self._plan.epochs, int(left_s / epoch_s)) if epoch_s else 0

    def _train(self, ratio: float, epochs: int, best: str) -> TrainedRatio:
        began, imgsz = time.monotonic(), self._case(best).imgsz.height
        path, train_s = self._prune(ratio, epochs, imgsz)
        self._bench.leave_out_of_budget(time.monotonic() - began)
        return TrainedRatio(ratio, str(path), epochs, imgsz, train_s)

    def _meets(self, name: str) -> bool:
        """Say whether there is a goal and a candidate meets it, so that nothing more is asked for."""
        known = self._bench.times_of(name)
        return bool(known) and self._is_within(known[-1])

    def _is_within(self, found: CandidateTime) -> bool:
        goal = self._plan.goal
        told = found.percentile_ns
        return bool(goal.percentile) and not isinstance(told, Absent) and told <= goal.limit_ns
