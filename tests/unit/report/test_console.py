"""What a terminal of 80 columns shows."""

from __future__ import annotations

from dataclasses import replace

from benchsuite.report.console import case_line, table_lines
from benchsuite.terms.absence import NOT_SELECTED, Absent
from benchsuite.testing import make_accuracy, make_case, make_loss, make_metrics, make_record


def test_no_line_is_wider_than_the_terminal() -> None:
    """Long ids and reasons are cut or wrapped at 80 columns."""
    long_case = replace(make_case(), model="a_model_with_a_rather_long_name_of_its_own", head="end2end")
    made = [
        make_record(case=long_case),
        make_record(case=make_case(), outcome="skipped", reason="because of this and that " * 12),
    ]
    lines = [*table_lines(made, 1.0), *(case_line(record) for record in made)]
    assert max(len(line) for line in lines) <= 80


def test_table_shows_what_was_measured() -> None:
    """A row shows the median total latency in ms that its record holds, and mAP50-95."""
    record = make_record()
    text = "\n".join(table_lines([record], 1.0))
    assert f"{record.metrics.latency.total_ns.p50 / 1e6:.1f}" in text
    assert f"{record.metrics.accuracy.map50_95:.3f}" in text
    assert record.case.row_name in text


def test_star_has_its_legend_right_below_the_rows() -> None:
    """What is only stored is said once for all rows that have a star, and nothing where none has."""
    stored = make_record(make_case(precision="fp16"))
    stored = replace(stored, validity=replace(stored.validity, label="fp16 storage, fp32 compute"))
    _, _, _, *rows = table_lines([make_record(), stored, replace(stored, case=make_case(backend="ncnn"))], 1.0)
    assert [row.split()[1] for row in rows[:3]] == ["fp32", "fp16*", "fp32*"]
    assert rows[3] == "* fp16 storage, fp32 compute"
    assert not any(line.startswith("*") for line in table_lines([make_record()], 1.0))


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


def test_a_dash_for_accuracy_has_its_reason() -> None:
    """Data that cannot score the model is said under the table; what was not asked for is not."""
    for reason, said in (("the model knows 2 classes and the data has 3", True), ("not selected", False)):
        lines = table_lines([replace(make_record(), metrics=make_metrics(accuracy=Absent(reason)))], 1.0)
        assert (f"onnx fp32             no mAP: {reason}" in lines) == said


def test_one_reason_stands_once() -> None:
    """Rows that are missing for one reason share its line; what was built has a row as well."""
    cases = [make_case(backend="trt", precision=precision) for precision in ("fp32", "fp16", "int8")]
    made = [
        *(make_record(case, "built", "built here, not run: no GPU") for case in cases[:2]),
        make_record(cases[2], "failed", "no images"),
    ]
    lines = table_lines(made, 1.0)
    assert "trt fp32, trt fp16  built here, not run: no GPU" in lines
    assert f"{'trt int8':22}failed: no images" in lines
    assert any(line.startswith("trt fp16   ") for line in lines)


def test_table_says_what_an_accuracy_is_worth() -> None:
    """Below the table stands once, for all cases that share it, why their accuracy is not kept or means nothing."""
    nothing = [
        replace(it, metrics=replace(it.metrics, accuracy=make_accuracy(0.0, map50=0.0)))
        for it in (make_record(make_case(backend=name)) for name in ("torch", "onnx"))
    ]
    lines = table_lines(nothing, 1.0)
    assert [line for line in lines if "it finds" in line] == [
        "torch fp32, onnx fp32  it finds next to nothing of what is labelled (mAP50"
    ]
    assert not [line for line in table_lines([make_record()], 1.0) if line.startswith("onnx") and "accuracy" in line]
    unselected = replace(nothing[0], metrics=replace(nothing[0].metrics, accuracy=NOT_SELECTED))
    assert not [line for line in table_lines([unselected], 1.0) if line.startswith("torch") and "accuracy" in line]


def test_what_accuracy_was_taken_on_stands_once_under_the_table() -> None:
    """Images that are not scored are said under the rows that share it, before what is missing."""
    accuracy = make_accuracy(notes=("2 of 8 images are not scored",))
    made = [make_record(make_case(backend=name)) for name in ("torch", "onnx")]
    made = [replace(it, metrics=replace(it.metrics, accuracy=accuracy)) for it in made]
    lines = table_lines([*made, make_record(make_case(backend="trt"), "skipped", "no GPU")], 1.0)
    place = lines.index("mAP: 2 of 8 images are not scored")
    assert lines.index("Machine: quiet: turns of one case spread by 1.2 %") < place
    assert lines[place + 1].startswith("trt fp32")


def test_rows_of_two_devices_are_told_apart() -> None:
    """Cases that were named one by one may differ by their device alone, and are not ranked against each other."""
    cases = [make_case(), make_case(device="cuda:0"), make_case(precision="int8")]
    lines = table_lines([make_record(it) for it in cases], 1.0)
    told = [line for line in lines if line.startswith(("yolo26n", "onnx"))]
    assert [line.split("  ")[0] for line in told] == [
        "yolo26n, 640 px, batch 1, 2 threads, one-to-many head, cpu", "onnx fp32", "onnx int8",
        "yolo26n, 640 px, batch 1, 2 threads, one-to-many head, cuda:0", "onnx fp32",
    ]  # fmt: skip


def test_a_reference_that_its_export_outdoes_says_so() -> None:
    """The terminal says of both rows that one of them is broken, as the page does."""
    torch, export = make_record(make_case(backend="torch"), map50_95=0.05), make_record(map50_95=0.45)
    torch = replace(torch, metrics=replace(torch.metrics, loss=make_loss(0.0)))
    export = replace(export, metrics=replace(export.metrics, loss=make_loss(-40.0, ci95=(-42.0, -38.0))))
    text = " ".join(" ".join(table_lines([torch, export], 1.0)).split())
    assert "torch fp32 torch fp32 finds plainly less than onnx fp32 made from it, which cannot be" in text
    assert "onnx fp32 it finds more than torch fp32" in text
