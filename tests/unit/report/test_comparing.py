"""Two runs on a terminal: what differs, what is equal, and why a ratio is no verdict."""

from __future__ import annotations

from pathlib import Path

from benchsuite.compare.baselines import load
from benchsuite.compare.comparison import compare
from benchsuite.compare.promotion import promote
from benchsuite.compare.tolerances import default_tolerances
from benchsuite.report.comparing import comparison_lines, held_lines
from benchsuite.testing import make_case, make_machine, make_record, make_run


def _lines(**changes: object) -> list[str]:
    lost = make_record(make_case(backend="ncnn"))
    before = make_run([make_record(total_ms=40), lost])
    after = make_run([make_record(total_ms=38, map50_95=0.6)], folder=Path("reports/20260201-120000"), **changes)
    return comparison_lines(before, after)


def test_differences_stand_out_and_equal_figures_are_counted() -> None:
    """Each case shows what moved with both values, the ratio of its medians, and how much stayed equal."""
    text = "\n".join(_lines())
    assert text.startswith("20260131-120000 -> 20260201-120000\n")
    assert "REGRESSED mAP50-95: 0.6500 -> 0.6000 (−5.00 points)" in text
    assert "40.0 ms -> 38.0 ms, −5.0 % in time; unpaired" in text
    assert "5 figures are equal" in text
    assert "MISSING the whole case: measured -> absent" in text
    assert "no verdict on speed" in text.splitlines()[-1]


def test_environment_comes_first_and_lines_fit() -> None:
    """What differs between the machines stands above the cases, and no line is wider than 80 columns."""
    lines = _lines(machine=make_machine(governor="powersave", packages={"onnxruntime": "1.33.0"}))
    assert "  governor: performance -> powersave" in lines[:5]
    assert max(len(line) for line in lines) <= 80


def test_runs_that_share_nothing_say_so() -> None:
    """Two runs in which nothing was measured give a sentence."""
    assert "No case was measured in either run." in comparison_lines(make_run([]), make_run([]))


def test_how_a_run_was_held_against_its_baseline_is_told(tmp_path: Path) -> None:
    """Counts by verdict, why some have none, and how much of the baseline was not looked at; lines fit."""
    record, other = make_record(), make_record(make_case(backend="ncnn"))
    (path,) = promote(make_run([record, other]), tmp_path, "here")
    baseline, run = load(path.parent), make_run([make_record(map50_95=0.6)], folder=Path("reports/20260201-120000"))
    lines = held_lines(baseline, run.selected_ids, compare(run, baseline, default_tolerances()))
    assert " ".join(lines) == (
        f"Baseline {path.parent}: 5 passed, 2 failed, 1 without a verdict (1 of the 5 sessions that a judgement of "
        "stored timing needs: promote 4 more of the same artifact and runtime); 1 of its cases was not selected."
    )
    assert max(map(len, lines[1:])) < 80
    nothing = held_lines(baseline, [record.case.id, other.case.id], ())
    assert " ".join(nothing) == f"Baseline {path.parent}: nothing was compared."
