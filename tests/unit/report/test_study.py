"""A study as text: each cell is what its row says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchsuite.report.page import study_page
from benchsuite.report.study import markdown, study_view, terminal_lines
from benchsuite.study.rows import NOT_TIMED, CalibrationPoint, read_studies, save_study
from benchsuite.study.timed import Timed
from benchsuite.terms.absence import Absent
from benchsuite.testing import make_machine, make_noise, make_parity
from tests.support.studies import CASE, make_row, make_study


def test_cells_are_the_row_s() -> None:
    """Size, time, ratio, mAP, loss and boxes stand as a reader expects them."""
    (table,) = study_view(make_study(make_row())).tables
    assert table.rows == (
        ("onnx int8 qdq<u8>", "2.60", "15.4", "1.40 (1.37–1.43)", "0.726", "+0.4 (−0.3 to +1.2)", "95% (+3%)"),
    )


def test_what_the_machine_was_like_is_said_once() -> None:
    """Rows that took turns share it; under contention a study says so as a run does."""
    noise = make_noise(disturbed={"programs": 20}, others=0.4, contention=True)
    rows = [make_row(timed=Timed(15.4e6, 0.712, (0.70, 0.731), noise)) for _ in range(2)]
    facts = study_view(make_study(*rows)).facts
    assert [fact for fact in facts if fact.startswith("The machine")] == [
        "The machine while it timed: under contention: other programs took 40 % of the cores in 20 of 24 turns, so "
        "nothing is proved; turns of one case spread by 1.2 %."
    ]
    assert not [fact for fact in study_view(make_study(make_row())).facts if fact.startswith("The machine")]


def test_rows_without_figures_and_with_faults_have_a_sentence() -> None:
    """A row that could not run leaves the table and says why; one that contradicts its name stays and says so."""
    gone = make_row(reason="nothing builds it", case=replace(CASE, scheme="gone"))
    wrong = make_row(conflict="it ran float", parity=make_parity(matched=80, dropped=20, added=0))
    (table,) = study_view(make_study(gone, wrong)).tables
    assert len(table.rows) == 1
    assert ("onnx int8 gone", "nothing builds it") in table.reasons
    assert ("onnx int8 qdq<u8>", "it ran float") in table.reasons
    assert any("80.0% of the boxes are found again (at least 90%)" in sentence for _, sentence in table.reasons)


def test_a_row_that_could_not_be_timed_says_why() -> None:
    """It keeps its size and accuracy; one that nobody meant to time says nothing."""
    untimed = make_row(timed=Absent("its worker was killed"))
    (table,) = study_view(make_study(untimed, make_row(timed=NOT_TIMED))).tables
    assert table.reasons == (("onnx int8 qdq<u8>", "its worker was killed"),)
    assert len(table.rows) == 2


def test_terminal_has_80_columns() -> None:
    """No line is wider than a terminal."""
    point = CalibrationPoint("m", 2000, "percentile", (0.71, 0.72, 0.73), 0.74, 120, 1.2, 9 * 10**8, make_row().timed)
    lines = terminal_lines(study_view(make_study(make_row(), points=(point,))))
    assert all(len(line) <= 80 for line in lines)
    assert any("0.7200 ± 0.0100" in line for line in lines)


def test_subsets_have_a_mean_and_half_their_range_and_the_page_says_so() -> None:
    """Three subsets scatter, one cannot, and one that was not scored leaves a dash and its reason."""
    several = CalibrationPoint("m", 100, "minmax", (0.71, 0.72, 0.73), 0.74, 1.0, 1.0, 1000, make_row().timed)
    view = study_view(make_study(points=(several,)))
    assert view.tables[0].rows[0][2] == "0.7200 ± 0.0100"
    half = "int8 mAP: the mean over the subsets that were drawn, ± half the distance from the lowest to the highest."
    assert view.facts[-1] == half
    one = study_view(make_study(points=(replace(several, map50_95=(0.4567,)),)))
    assert one.tables[0].rows[0][2] == "0.4567"
    assert half not in one.facts
    none = study_view(make_study(points=(replace(several, map50_95=(), reason="there are no labels"),)))
    assert none.tables[0].rows[0][2] == "–"
    assert none.tables[0].reasons == (("100 images, minmax", "there are no labels"),)
    assert "there are no labels" in markdown(none)
    # As studies before this release have it.
    assert study_view(make_study(points=(replace(several, map50_95=()),))).tables[0].rows[0][2] == "–"


def test_names_stay_text() -> None:
    """A name cannot become markup, in the page or in Markdown."""
    view = study_view(make_study(make_row()))
    assert "qdq<u8>" not in study_page(view, make_machine())
    assert "qdq&lt;u8&gt;" in study_page(view, make_machine())
    assert "qdq&lt;u8&gt;" in markdown(view)


def test_studies_are_read_newest_first_and_damaged_ones_named(tmp_path: Path) -> None:
    """What was saved is read as it was; a cut file costs its own study only, and a sentence says so."""
    study = make_study(make_row())
    save_study(tmp_path / "study-schemes-20260131-120000", study, {})
    save_study(tmp_path / "study-schemes-20260201-120000", replace(study, images=32), {})
    cut = tmp_path / "study-schemes-20260301-120000"
    save_study(cut, study, {})
    (cut / "study.json").write_text((cut / "study.json").read_text()[:100])
    found, damage = read_studies(tmp_path)
    assert [it.images for it in found] == [32, 64]
    assert found[1] == study
    (sentence,) = damage
    assert sentence.startswith(f"cannot read {cut / 'study.json'}: it is not JSON: ")
    assert sentence.endswith("; run the study again")
