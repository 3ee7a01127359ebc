"""A guide and a search as if they had been measured, for tests of what shows them."""

from __future__ import annotations

from benchsuite.detect.bootstrap import MapLoss
from benchsuite.measure.measurement import AccuracyLoss, Complexity
from benchsuite.optimize.candidates import CandidateTime, Goal, Lightest, Round, Scored, TrainedRatio
from benchsuite.optimize.cutting import CutPlan
from benchsuite.optimize.guide import Guide, GuideRow
from benchsuite.optimize.recipe import LightRecipe
from benchsuite.optimize.scoring import ScoredWeights, TimedArtifact
from benchsuite.optimize.training import Training
from benchsuite.study.timed import Timed
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case
from benchsuite.testing import make_accuracy, make_case, make_machine

TRAINING = Training("data.yaml", "da" * 32, 320, 2, 8, 0.001, 0)
RECIPE = LightRecipe("best.pt", "we" * 32, 320, "im" * 32, {}, CutPlan(0.2, 8, "l1", "free"), training=TRAINING)


def scored_weights(name: str, map50_95: float, points: float, gflops: float) -> ScoredWeights:
    """Return weights that lose so many points."""
    loss = AccuracyLoss(points, (points - 0.3, points + 0.3), 256, "whole", 0.9, 0.7)
    return ScoredWeights(name, "sh" * 32, 5_000_000, Complexity(2_000_000, gflops), make_accuracy(map50_95), loss)


def timed_artifact(ratio: float, half: float = 0.05, backend: str = "onnx") -> TimedArtifact:
    """Return what takes so many times as long as the whole network."""
    return TimedArtifact(backend, 4_000_000, Timed(20e6 * ratio, ratio, (ratio - half, ratio + half)))


def make_guide(*points: float) -> Guide:
    """Return a guide whose shares of 10, 20, … per cent lose so many points, where training alone gains five."""
    rows = [GuideRow(0.0, Absent("nothing is cut"), scored_weights("p0", 0.75, -5.0, 5.0), (), 300.0)]
    for number, lost in enumerate(points, 1):
        untrained = scored_weights("cut", 0.1, 60.0, 4.0)
        trained = scored_weights("trained", 0.7 - lost / 100, lost, 5.0 - number)
        by_cut = scored_weights("trained", 0.0, lost + 5.0, 1.0).loss
        rows.append(GuideRow(number / 10, untrained, trained, (timed_artifact(1 - number / 10),), 240.0, by_cut))
    return Guide(
        "benchsuite optimize prune --ratios 0.1,0.2 -o guide", "2026-11-28 09:00", make_machine(), "standard",
        "data.yaml", 256, RECIPE, scored_weights("whole", 0.7, 0.0, 5.0), (timed_artifact(1.0, 0.0),), tuple(rows),
    )  # fmt: skip


def make_lightest(goal: Goal | None = None) -> Lightest:
    """Return a search that went from PyTorch over ONNX Runtime and INT8 to a pruned network."""
    cases = {
        "torch": make_case(model="best", backend="torch", precision="fp32"),
        "onnx": make_case(model="best", backend="onnx", precision="fp32"),
        "int8": make_case(model="best", backend="onnx", precision="int8"),
        "lossy": make_case(model="best", backend="openvino", precision="int8"),
        "pruned": make_case(model="best_p20", backend="onnx", precision="int8"),
    }
    lost = {"torch": 0.0, "onnx": 0.0, "int8": 0.4, "lossy": 3.0, "pruned": 0.6}
    ratios = {"torch": 1.0, "onnx": 0.7, "int8": 0.5, "pruned": 0.4}

    def scored(key: str, case: Case) -> Scored:
        loss = MapLoss(lost[key], (lost[key] - 0.3, lost[key] + 0.3))
        return Scored(case, 0.2 if key == "pruned" else 0.0, "", 3_000_000, 0.7 - lost[key] / 100, loss)

    def timed(*keys: str) -> tuple[CandidateTime, ...]:
        return tuple(
            CandidateTime(
                cases[key].id,
                60e6 * ratios[key],
                66e6 * ratios[key],
                ratios[key],
                (ratios[key] * 0.95, ratios[key] * 1.05),
            )
            for key in keys
        )

    close = cases["pruned"].id, cases["int8"].id
    quiet = "quiet: turns of one case spread by 2 %"
    return Lightest(
        command="benchsuite lighten best.pt",
        finished="2026-11-28 09:00",
        machine=make_machine(),
        effort="quick",
        data="data.yaml",
        images=256,
        weights="best.pt",
        weights_sha256="we" * 32,
        goal=goal or Goal("p95", 30e6),
        max_map_drop=1.0,
        original=cases["torch"].id,
        scored=tuple(scored(key, case) for key, case in cases.items()),
        rounds=(
            Round("runtimes and precisions", timed("int8", "onnx", "torch"), (cases["int8"].id,), {}, quiet),
            Round("pruned by 20 %", timed("pruned", "int8", "torch"), close, {}, quiet),
        ),
        trained=(TrainedRatio(0.2, "best_p20.pt", 10, 640, 600.0),),
        left_out=("pruning by 40 %: it does not meet the goal",),
        answer=cases["pruned"].id,
    )  # fmt: skip
