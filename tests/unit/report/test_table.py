"""Each cell of the deployment table says what the record holds, in the unit of its heading."""

from __future__ import annotations

from dataclasses import replace

from benchsuite.measure.measurement import ALONE
from benchsuite.report.deployment import Setup
from benchsuite.report.recommendation import recommend
from benchsuite.report.table import Notes, Row, columns, make_row
from benchsuite.runs.records import Record
from benchsuite.terms.absence import DASH, Absent
from benchsuite.testing import (
    make_case,
    make_latency,
    make_loss,
    make_memory,
    make_metrics,
    make_parity,
    make_ran,
    make_record,
)
from tests.support.order import in_order

SETUP = Setup(("onnxruntime 1.32.0",), 134_868_571, "none")
TORCH = make_record(make_case(backend="torch"), total_ms=50)


def _row(record: Record, void: str = "", reference: Record | None = TORCH, notes: Notes | None = None) -> Row:
    advice = recommend([it for it in (record, reference) if it is not None], (), 1.0)
    return make_row(record, reference, void, SETUP, advice, notes or Notes())


def test_cells_hold_the_figures_of_the_record() -> None:
    """A record computed by hand is shown cell by cell: 40 ms in total, 36 ms of inference, 50/40 of torch's speed."""
    texts = {key: cell.text for key, cell in _row(make_record(total_ms=40)).cells.items()}
    assert (
        texts.items()
        >= {
            "latency": "40.0",
            "p95": "46.0",
            "p99": "52.0",
            "inference": "36.0",
            "speedup": "1.25",
            "fastest": "1.00",
            "place": "1",
            "throughput": "30.0",
            "memory": "189",
            "artifact_bytes": "9.80",
            "params": "2.40",
            "gflops": "5.48",
            "map50_95": "0.650",
            "map50": "0.850",
            "map50_95_small": "0.450",
            "parity": "99.5",
            "packages": "onnxruntime 1.32.0",
            "installed": "135",
            "driver": "none",
        }.items()
    )


def test_every_column_has_a_cell() -> None:
    """Headings and rows agree."""
    keys = [column.key for _, under in columns("") for column in under]
    assert keys == list(_row(make_record()).cells)


def test_second_line_is_the_interval_of_the_median() -> None:
    """The median's interval and the number of calls stand behind it."""
    cell = _row(make_record(total_ms=40)).cells["latency"]
    assert cell.detail == "39.6–40.4"
    assert cell.title == "median of 400 calls; 95 % interval 39.6 to 40.4 ms"


def test_interval_of_a_loss_names_the_images_that_calibrated_it() -> None:
    """Whoever reads by how much the mAP may lie off the reference's reads on which images INT8 was calibrated."""
    loss = make_loss(0.2, ci95=(-0.1, 0.5), images=8, calibrated_on=3)
    cell = _row(make_record(make_case(precision="int8"), metrics=make_metrics(loss=loss))).cells["map50_95"]
    assert cell.detail == "−0.50 to +0.10 points"
    assert cell.title.startswith(
        "95 % interval −0.50 to +0.10 points against torch fp32; it was calibrated on 3 of the 8 images, "
        "which flatters it; "
    )


def test_absent_value_is_a_dash_with_its_reason() -> None:
    """Every absence shows a dash and numbers its reason, equal reasons once."""
    notes = Notes()
    record = make_record()
    metrics = make_metrics(latency=make_latency(40, n=80), accuracy=Absent("crashed"), throughput=Absent("crashed"))
    row = _row(replace(record, metrics=metrics, artifact=Absent("gone")), notes=notes)
    for key in ("p99", "map50_95", "map50", "map50_95_small", "throughput", "artifact_bytes"):
        cell = row.cells[key]
        assert cell.text == DASH
        assert notes.texts[cell.note - 1] == cell.title
    assert row.cells["p95"].text == "46.0"
    assert in_order(["p99 needs 368 samples, 80 were taken", "crashed", "gone"], notes.texts)
    assert len(notes.texts) == len(set(notes.texts))


def test_record_without_anything_is_a_row_of_dashes() -> None:
    """No figure is made up where nothing was measured."""
    gone = Absent("nothing was selected")
    row = _row(replace(make_record(outcome="failed", reason=gone.reason), outcome="measured"))
    texts = {key: cell.text for key, cell in row.cells.items() if key not in ("packages", "installed", "driver")}
    assert set(texts.values()) == {DASH}
    assert row.ran.text == DASH


def test_void_row_marks_its_speed_and_nothing_else() -> None:
    """Speed of a case without passed accuracy is marked void with the reason; size and memory stand."""
    notes = Notes()
    cells = _row(make_record(), "void: crashed", notes=notes).cells
    assert {key for key, cell in cells.items() if cell.void} == {
        "latency", "p95", "p99", "inference", "fastest", "place", "speedup", "throughput",
    }  # fmt: skip
    assert cells["latency"].title == "void: crashed"
    assert notes.texts[cells["latency"].note - 1] == "void: crashed"


def test_speedup_needs_torch_beside_it() -> None:
    """Without torch fp32 in the group there is no speed-up but a reason."""
    record, other = make_record(), make_record(make_case(backend="ncnn"), total_ms=50)
    cells = make_row(record, None, "", SETUP, recommend([record, other], (), 1.0), Notes()).cells
    assert (cells["speedup"].text, cells["speedup"].title) == (DASH, "torch fp32 was not measured beside it")
    assert (cells["fastest"].text, cells["place"].text) == ("1.00", "1")


def test_only_what_was_timed_together_is_held_against_each_other() -> None:
    """A row of an older release or of another timing has neither a speed against others nor a place, and says why."""
    alone = replace(make_latency(40).together, timing="turns-2")
    for together, why in ((ALONE, ALONE.reason), (alone, "it was not timed together with the other rows")):
        record = replace(make_record(), metrics=make_metrics(latency=make_latency(40, together=together)))
        beside = [record, TORCH, make_record(make_case(backend="ncnn"), total_ms=60)]
        cells = make_row(record, TORCH, "", SETUP, recommend(beside, (), 1.0), Notes()).cells
        for key in ("fastest", "place", "speedup"):
            assert (cells[key].text, cells[key].title) == (DASH, why)


def test_a_speed_has_its_interval() -> None:
    """Behind a ratio of times stands the interval over launches and sessions."""
    cell = _row(make_record(total_ms=40)).cells["speedup"]
    assert cell.detail == "1.20–1.30"
    assert cell.title == "95 % interval 1.20 to 1.30, over launches and sessions"


def test_ran_is_the_label_and_what_proves_it() -> None:
    """A precision that is only stored is named so, with the kernels that ran behind it."""
    record = make_record(make_case(precision="fp16"))
    ran = make_ran(record.case, compute="fp32")
    row = _row(replace(record, validity=replace(record.validity, ran=ran, label=ran.label)))
    assert row.ran.text == "fp16 storage, fp32 compute"
    assert row.ran.title == "onnx 1.0: Conv 64, MaxPool 3"


def test_built_row_says_what_stands_in_for_it() -> None:
    """An engine that did not run has its size and build time, and a note on whose mAP that is."""
    notes = Notes()
    record = make_record(make_case(backend="trt", precision="int8"), "built", "not run")
    assert not isinstance(record.artifact, Absent)
    metrics = make_metrics(latency=Absent("not run"))
    row = _row(replace(record, metrics=metrics, artifact=replace(record.artifact, build_s=1.94)), notes=notes)
    assert row.ran.text == "int8, only built"
    assert row.cells["artifact_bytes"].detail == "1.94 s to build"
    assert row.cells["latency"].text == DASH
    for key in ("map50_95", "map50", "map50_95_small", "parity"):
        assert notes.texts[row.cells[key].note - 1].startswith("of the ONNX file that the engine was built from")


def test_gpu_memory_and_worst_class_stand_behind_their_figures() -> None:
    """GPU memory is the second line of memory; parity names its worst class, or none where there is none."""
    metrics = make_metrics(memory=make_memory(gpu_bytes=2_500_000_000))
    cells = _row(replace(make_record(), metrics=metrics)).cells
    assert cells["memory"].detail == "GPU 2,500"
    assert "worst class star 98.5 %" in cells["parity"].title
    nothing = Absent("neither side found anything")
    metrics = make_metrics(parity=make_parity(1.0, worst_class=nothing, worst_class_agreement=nothing))
    assert "worst class" not in _row(replace(make_record(), metrics=metrics)).cells["parity"].title
