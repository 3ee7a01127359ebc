"""What a terminal of 80 columns shows."""

from __future__ import annotations

from dataclasses import replace

from benchsuite.report.console import case_line, table_lines
from benchsuite.testing import make_case, make_record


def test_no_line_is_wider_than_the_terminal() -> None:
    """Long ids and reasons are cut or wrapped at 80 columns."""
    long_case = replace(make_case(), model="a_model_with_a_rather_long_name_of_its_own", variant="end2end")
    made = [
        make_record(case=long_case),
        make_record(case=make_case(), outcome="skipped", reason="because of this and that " * 12),
    ]
    lines = [*table_lines(made), *(case_line(record) for record in made)]
    assert max(len(line) for line in lines) <= 80


def test_table_shows_what_was_measured() -> None:
    """A row shows the median total latency in ms that its record holds, and mAP50-95."""
    record = make_record()
    text = "\n".join(table_lines([record]))
    assert f"{record.metrics.latency.total_ns.p50 / 1e6:.1f}" in text
    assert f"{record.metrics.accuracy.map50_95:.3f}" in text
    assert record.case.scheme in text
