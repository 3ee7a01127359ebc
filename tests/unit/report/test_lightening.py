"""What a guide to pruning and a search for the lightest artifact say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchsuite.measure.measurement import AccuracyLoss, Complexity
from benchsuite.optimize.cutting import CutPlan
from benchsuite.optimize.guide import Guide, GuideRow, Verdict, verdict
from benchsuite.optimize.recipe import LightRecipe
from benchsuite.optimize.scoring import ScoredWeights, TimedArtifact
from benchsuite.optimize.training import Training
from benchsuite.report.lightening import guide_view
from benchsuite.report.page import study_page
from benchsuite.report.study import markdown, terminal_lines
from benchsuite.study.timed import Timed
from benchsuite.terms.absence import Absent
from benchsuite.testing import make_accuracy, make_machine

TRAINING = Training("data.yaml", "da" * 32, 320, 2, 8, 0.001, 0)
RECIPE = LightRecipe("best.pt", "we" * 32, 320, "im" * 32, {}, CutPlan(0.2, 8, "l1", "free"), training=TRAINING)


def scored(name: str, map50_95: float, points: float, gflops: float) -> ScoredWeights:
    loss = AccuracyLoss(points, (points - 0.3, points + 0.3), 256, "whole", 0.9, 0.7)
    return ScoredWeights(name, "sh" * 32, 5_000_000, Complexity(2_000_000, gflops), make_accuracy(map50_95), loss)


def timed(ratio: float, half: float = 0.05) -> TimedArtifact:
    return TimedArtifact("onnx", 4_000_000, Timed(20e6 * ratio, ratio, (ratio - half, ratio + half)))


def guide(*points: float) -> Guide:
    """Return a guide whose shares of 10, 20, … per cent lose so many points."""
    rows = [GuideRow(0.0, Absent("nothing is cut"), scored("p0", 0.75, -5.0, 5.0), (), 300.0)]
    for number, lost in enumerate(points, 1):
        untrained = scored("cut", 0.1, 60.0, 4.0)
        rows.append(
            GuideRow(
                number / 10,
                untrained,
                scored("p", 0.7 - lost / 100, lost, 5 - number),
                (timed(1 - number / 10),),
                240.0,
            )
        )
    return Guide(
        "benchsuite optimize prune", "2026-11-28 09:00", make_machine(), "standard", "data.yaml", 256, RECIPE,
        scored("whole", 0.7, 0.0, 5.0), (timed(1.0, 0.0),), tuple(rows),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("points", "safe"), [((0.2, 0.5, 3.0), 0.2), ((0.8, 0.1), None), ((2.0,), None), ((-1.0, -0.5), 0.2)]
)
def test_a_share_is_safe_while_every_smaller_one_is_shown_to_cost_less_than_a_point(
    points: tuple[float, ...], safe: float | None
) -> None:
    """The whole interval counts, and no safe range is an answer too."""
    found = guide(*points).safe
    assert (None if isinstance(found, Absent) else found) == safe


@pytest.mark.parametrize(("ratio", "word"), [(0.9, "FASTER"), (0.97, "SAME"), (1.02, "SAME"), (1.1, "SLOWER")])
def test_a_verdict_needs_the_whole_interval(ratio: float, word: Verdict) -> None:
    """Otherwise the two are the same, as far as anybody knows."""
    found = timed(ratio).timed
    assert not isinstance(found, Absent)
    assert verdict(found) == word


def test_a_guide_says_what_each_share_costs_and_gains() -> None:
    """Terminal, Markdown and page say the same, and what others published is marked as theirs."""
    view = guide_view(guide(0.2, 3.0))
    text = "\n".join(terminal_lines(view))
    assert "up to 10 % of the" in text
    assert "Aggressive: beyond that, up to the 20 % that were tried." in text
    assert "Figures of others, not measured here" in text
    assert all(len(line) < 80 for line in terminal_lines(view))
    assert "| 20 % |" in markdown(view)
    assert "FASTER" in markdown(view)
    page = study_page(view, make_machine())
    assert "Accuracy against what is pruned" in page
    assert "FASTER" in page
    assert "安全范围" in study_page(view, make_machine(), "zh")


def test_a_runtime_that_could_not_be_timed_says_why() -> None:
    """Its table keeps the reason in place of the row."""
    whole = guide(0.2)
    failed = TimedArtifact("onnx", Absent("no such runtime"), Absent("no such runtime"))
    view = guide_view(replace(whole, rows=tuple(replace(row, times=(failed,)) for row in whole.rows)))
    assert ("10 %", "no such runtime") in view.tables[1].reasons
