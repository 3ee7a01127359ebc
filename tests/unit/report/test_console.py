"""What a terminal of 80 columns shows."""

from __future__ import annotations

from dataclasses import replace

from benchsuite.report.console import case_line, table_lines
from benchsuite.terms.absence import Absent
from benchsuite.testing import make_case, make_metrics, make_record


def test_no_line_is_wider_than_the_terminal() -> None:
    """Long ids and reasons are cut or wrapped at 80 columns."""
    long_case = replace(make_case(), model="a_model_with_a_rather_long_name_of_its_own", head="end2end")
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
    assert record.case.row_name in text


def test_a_built_case_has_a_line_with_its_size_and_build_time() -> None:
    """An engine's line fits the terminal, mAP included."""
    case = make_case(model="yolo26n_coco_approx", backend="trt", device="cuda:0")
    record = make_record(case, "built", "no GPU")
    assert not isinstance(record.artifact, Absent)
    artifact = replace(record.artifact, bytes=13_500_000, build_s=0.84)
    metrics = make_metrics(latency=Absent("no GPU"), throughput=Absent("no GPU"))
    line = case_line(replace(record, artifact=artifact, metrics=metrics))
    assert line == f"{case.id}  built 13.5 MB in 0.8 s  mAP 0.650"
    assert len(line) < 80


def test_one_reason_stands_once() -> None:
    """Rows that are missing for one reason share its line; what was built has a row with its size as well."""
    cases = [make_case(backend="trt", precision=precision) for precision in ("fp32", "fp16", "int8")]
    made = [
        *(make_record(case, "built", "built here, not run: no GPU") for case in cases[:2]),
        make_record(cases[2], "failed", "no images"),
    ]
    lines = table_lines(made)
    assert "trt fp32, trt fp16  built here, not run: no GPU" in lines
    assert f"{'trt int8':22}failed: no images" in lines
    assert any(line.startswith("trt fp16 ") and "9.80" in line for line in lines)


def test_rows_of_two_devices_are_told_apart() -> None:
    """Cases that were named one by one may differ by their device alone."""
    cases = [make_case(), make_case(device="cuda:0"), make_case(precision="int8")]
    rows = [line.rpartition("  ")[0] for line in table_lines([make_record(it) for it in cases]) if line[:4] == "onnx"]
    assert [row.split("  ")[0] for row in rows] == ["onnx fp32 cpu", "onnx fp32 cuda:0", "onnx int8"]
