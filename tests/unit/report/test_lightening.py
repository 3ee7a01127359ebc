"""What a guide to pruning and a search for the lightest artifact say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchsuite.optimize.candidates import Goal
from benchsuite.optimize.guide import Verdict, verdict
from benchsuite.optimize.scoring import TimedArtifact
from benchsuite.report.lightening import guide_view
from benchsuite.report.lightest import lightest_view
from benchsuite.report.page import study_page
from benchsuite.report.study import markdown, terminal_lines
from benchsuite.terms.absence import Absent
from benchsuite.testing import make_machine
from tests.support.lighter import make_guide, make_lightest, timed_artifact


@pytest.mark.parametrize(
    ("points", "safe", "safe_cut"),
    [((-6.0, -3.0, 3.0), 0.2, 0.1), ((0.2, 0.5, 3.0), 0.2, None), ((2.0, -9.0), None, None)],
)
def test_a_share_is_safe_while_every_smaller_one_is_shown_to_cost_less_than_a_point(
    points: tuple[float, ...], safe: float | None, safe_cut: float | None
) -> None:
    """The whole interval counts, against the weights as given and against five points more from training alone."""
    found = make_guide(*points)
    assert (found.safe, found.safe_cut) == (safe, safe_cut)


@pytest.mark.parametrize(("ratio", "word"), [(0.9, "FASTER"), (0.97, "SAME"), (1.02, "SAME"), (1.1, "SLOWER")])
def test_a_verdict_needs_the_whole_interval(ratio: float, word: Verdict) -> None:
    """Otherwise the two are the same, as far as anybody knows."""
    found = timed_artifact(ratio).timed
    assert not isinstance(found, Absent)
    assert verdict(found) == word


def test_a_guide_says_what_each_share_costs_and_gains() -> None:
    """Terminal, Markdown and page say the same, and what others published is marked as theirs."""
    view = guide_view(make_guide(0.2, 3.0))
    text = "\n".join(terminal_lines(view))
    joined = text.replace("\n", " ")
    assert "Against the whole network after the same training: no safe range, no share was tried" in joined
    assert "Against the weights as they were given: safe, less than 1 point of mAP50-95, up to 10 % of the" in joined
    assert "aggressive beyond, up to 20 %." in joined
    assert "Figures of others, not measured here" in text
    assert all(len(line) < 80 for line in terminal_lines(view))
    assert "| 20 % |" in markdown(view)
    assert "FASTER" in markdown(view)
    page = study_page(view, make_machine())
    assert "Accuracy against what is pruned" in page
    assert "FASTER" in page
    assert "没有安全范围" in study_page(view, make_machine(), "zh")


def test_a_runtime_that_could_not_be_timed_says_why() -> None:
    """Its table keeps the reason in place of the row."""
    whole = make_guide(0.2)
    failed = TimedArtifact("onnx", Absent("no such runtime"), Absent("no such runtime"))
    view = guide_view(replace(whole, rows=tuple(replace(row, times=(failed,)) for row in whole.rows)))
    assert ("10 %", "no such runtime") in view.tables[1].reasons


def test_a_search_says_its_answer_and_how_to_make_it_again() -> None:
    """With what it was not told from, on a terminal, in Markdown and on a page."""
    view = lightest_view(
        make_lightest(), ("benchsuite optimize prune -o best_p20.pt", "pytest bench/ --model best_p20.pt")
    )
    text = " ".join(terminal_lines(view))
    assert (
        "The goal p95 ≤ 30 ms is met, with 26.4 ms: the answer is onnx int8, 640 px, 20 % pruned: 2.50× as fast as"
        in text
    )
    assert "torch fp32, 640 px (2.38–2.63), +0.6 points of mAP50-95 lost (+0.3 to +0.9)." in text
    assert "Not told from it by its time: onnx int8, 640 px." in text
    assert "Made again by: benchsuite optimize prune -o best_p20.pt; pytest bench/ --model best_p20.pt" in text
    assert "openvino int8, 640 px: not timed: it is not shown to keep the accuracy" in text
    assert all(len(line) < 80 for line in terminal_lines(view))
    assert "| onnx int8, 640 px, 20 % pruned \\* |" in markdown(view)
    assert "目标 p95 ≤ 30 ms 已达到" in study_page(view, make_machine(), "zh")


def test_steps_lead_from_the_original_to_the_answer() -> None:
    """The waterfall starts at the weights as given, has what each step changed, and ends at the answer."""
    waterfall = lightest_view(make_lightest(), ()).charts[1]
    (series,) = waterfall.series
    assert [(name, round(value, 6)) for name, value in series.points] == [
        ("torch fp32, 640 px", 60.0),
        ("runtime", -18.0),
        ("precision", -12.0),
        ("pruning", -6.0),
        ("onnx int8, 640 px, 20 % pruned", 24.0),
    ]


@pytest.mark.parametrize(
    ("goal", "sentence"),
    [
        (Goal("p95", 20e6), "The goal p95 ≤ 20 ms cannot be met here: the nearest, with 26.4 ms, is onnx int8"),
        (Goal(), "The answer is onnx int8, 640 px, 20 % pruned: 2.50× as fast as"),
    ],
)
def test_a_goal_may_be_missed_or_missing(goal: Goal, sentence: str) -> None:
    """Both are said plainly."""
    assert lightest_view(make_lightest(goal), ()).answers[0].startswith(sentence)
