"""What a gate decided on is drawn and tabled from its blocks."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from benchsuite.gate.blocks import Stream
from benchsuite.gate.card import GATE_FILE, write_card
from benchsuite.gate.evidence import log_evidence
from benchsuite.gate.loop import Outcome, Status
from benchsuite.gate.session import BLOCKS_FILE
from benchsuite.report.gate_charts import path_chart, ratio_chart
from benchsuite.report.gate_evidence import evidence_of
from benchsuite.report.gate_view import gate_view
from benchsuite.report.page import render
from benchsuite.report.views import page_view
from benchsuite.terms.errors import RecordError
from benchsuite.terms.quantities import significant
from benchsuite.testing import make_record, make_run
from tests.support.gates import (
    CASE_ID,
    THRESHOLDS,
    WAIVED,
    block,
    judged,
    make_card,
    read_evidence,
    write_gate,
    write_waived_gate,
)


def test_ratios_and_evidence_follow_the_blocks() -> None:
    """Void blocks count for nothing, and after each other the evidence is that of the signs so far."""
    taken = [block(1.10), block(1.2, void="slept"), block(1.10), block(1.00, launched="BA"), block(1.10)]
    found = evidence_of(judged(taken), CASE_ID, taken, THRESHOLDS)  # type: ignore[arg-type]
    assert found.ratios == pytest.approx((1.1, 1.1, 1.0, 1.1))
    assert (found.void, found.launched) == (1, ("AB", "AB", "BA", "AB"))
    tens = [log_evidence(n, heads) / math.log(10) for n, heads in ((1, 1), (2, 2), (3, 2), (4, 3))]
    assert found.worse == pytest.approx(tens)
    assert found.within[2] == pytest.approx(log_evidence(3, 1) / math.log(10))
    assert found.fire_at == pytest.approx(3)
    assert found.pass_at == pytest.approx(2)


def test_evidence_of_a_run_is_read_back(tmp_path: Path) -> None:
    """Twenty slower blocks are a row with their change, its interval and the verdict by blocks, and two charts."""
    write_gate(tmp_path)
    found = read_evidence(tmp_path)
    assert found is not None
    (row,) = found.table.rows
    assert row[:4] == (CASE_ID, "20", "0", "+10.0 %")
    assert row[4] == "+10.0 to +10.0"
    assert (row[6], row[8]) == (significant(math.exp(log_evidence(20, 20))), "REGRESSED")
    assert row[9] == "–"
    assert found.control == (1.0,) * 5
    ratios, paths = ratio_chart(found), path_chart(found)
    assert ratios is not None
    assert paths is not None
    assert [(series.name, series.pick) for series in ratios.series] == [(CASE_ID, 0), ("control", None)]
    assert ratios.series[0].points[-1] == (20, 1.1)
    assert [line.value for line in ratios.references] == [1.0, 1.01, 1.05]
    assert [series.pick for series in paths.series] == [0, 0]
    assert ratios.picks == paths.picks == (CASE_ID,)
    # Alpha is shared by both directions of the one test.
    assert paths.references[0].value == pytest.approx(math.log10(2 / 0.01))


def test_waived_case_is_drawn_at_its_ceiling(tmp_path: Path) -> None:
    """Lines and evidence are those of what was asked of each case: a waiver moves those of its own."""
    write_waived_gate(tmp_path)
    found = read_evidence(tmp_path)
    assert found is not None
    assert [test.thresholds for test in found.tests] == [THRESHOLDS, WAIVED]
    assert [test.worse[-1] > 0 for test in found.tests] == [True, False]
    ratios, paths = ratio_chart(found), path_chart(found)
    assert ratios is not None
    assert paths is not None
    assert [(line.value, line.note, line.pick) for line in ratios.references[1:]] == [
        (1.01, "1% never fails", 0), (1.05, "5% is to be caught", 0),
        (pytest.approx(1.0389, abs=1e-4), "3.89% never fails", 1), (1.08, "8% is to be caught", 1),
    ]  # fmt: skip
    # Proofs need the same evidence of both.
    assert [line.pick for line in paths.references] == [None, None]


def test_page_of_a_gated_run_shows_the_evidence(tmp_path: Path) -> None:
    """The charts, the choice of the test and the table stand in the gate's section."""
    write_gate(tmp_path)
    view = gate_view(tmp_path, ())
    page = render(page_view(make_run([make_record()]), (), 1.0, view))
    for part in ('id="gate-ratios"', 'id="gate-paths"', "95 % interval, %", "proof of a regression"):
        assert part in page


def test_a_gate_that_timed_nothing_has_no_evidence(tmp_path: Path) -> None:
    """A run without a gate has no view of one; a damaged file is told."""
    assert gate_view(tmp_path, ()) is None
    write_card(tmp_path, make_card(None, ("no case could be timed",)))
    assert read_evidence(tmp_path) is None
    page = render(page_view(make_run([make_record()]), (), 1.0, gate_view(tmp_path, ())))
    assert "no case could be timed" in page
    assert "gate-ratios" not in page
    (tmp_path / GATE_FILE).write_text((tmp_path / GATE_FILE).read_text().replace('"seed": 1', '"seed": "one"'))
    with pytest.raises(RecordError, match=r"cannot read .*gate\.json: .* @ \$\.seed; remove that file"):
        read_evidence(tmp_path)


def test_a_line_that_a_killed_gate_left_is_noted(tmp_path: Path) -> None:
    """Blocks before it count, and the page says what was dropped."""
    write_gate(tmp_path)
    with (tmp_path / BLOCKS_FILE).open("a") as file:
        file.write('{"d": 0.1')
    view = gate_view(tmp_path, ())
    assert view is not None
    assert view.evidence is not None
    assert len(view.evidence.control) == 5
    assert view.notes == (f"{tmp_path / BLOCKS_FILE}: dropped an unterminated last line of 9 characters",)


def test_undecided_test_says_in_the_table_how_many_blocks_are_missing(tmp_path: Path) -> None:
    """Few blocks lack those that a verdict takes, and an even split is not decided by any number."""
    for number, (ratios, missing) in enumerate((([1.0] * 5, "7"), ([0.9, 1.1] * 10, "no number decides"))):
        taken = [block(ratio) for ratio in ratios]
        status = Status(Stream(CASE_ID), len(taken), (judged(taken),), False)  # type: ignore[arg-type]
        folder = tmp_path / str(number)
        folder.mkdir()
        write_card(folder, make_card(Outcome((status,), (), False, None, len(taken), 60.0)))
        found = read_evidence(folder)
        assert found is not None
        assert found.table.rows[0][8:] == ("INCONCLUSIVE", missing)
