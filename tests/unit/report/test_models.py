"""Several models of one run stand side by side, with what is documented of their families."""

from __future__ import annotations

from benchsuite.report.models import models_view
from benchsuite.report.page import render
from benchsuite.report.summary import summary
from benchsuite.report.views import page_view
from benchsuite.terms.absence import Absent
from benchsuite.testing import make_case, make_metrics, make_record, make_run


def records(*models: str, backend: str = "onnx"):
    return [
        make_record(make_case(model=model, backend=backend, precision="fp32"), metrics=make_metrics(20.0 + 10 * number))
        for number, model in enumerate(models)
    ]


def test_models_are_compared_on_a_runtime_that_all_have() -> None:
    """The first model is what times are held against."""
    view = models_view([*records("yolo26n", "yolo26s", backend="torch"), *records("yolo26n", "yolo26s", "yolov8n")])
    assert view is not None
    assert view.title == "onnx fp32 at 640 px, batch 1"
    sizes, families = view.tables
    assert [row[0] for row in sizes.rows] == ["yolo26n", "yolo26s", "yolov8n"]
    assert [row[5] for row in sizes.rows] == ["1.00", "1.50", "2.00"]
    assert [row[1] for row in families.rows] == ["YOLO26", "YOLO26", "YOLOv8"]


def test_one_model_has_nothing_to_stand_beside() -> None:
    """Nor have models that were timed on different runtimes."""
    assert models_view(records("yolo26n")) is None
    assert models_view([*records("yolo26n"), *records("yolo26s", backend="torch")]) is None


def test_models_of_no_known_family_have_no_second_table() -> None:
    """Their names say nothing."""
    view = models_view(records("mine", "yours"))
    assert view is not None
    assert [table.key for table in view.tables] == ["models"]


def test_a_model_without_accuracy_has_a_dash() -> None:
    """As random weights have."""
    first, second = records("yolo26n", "yolo26s")
    blank = make_metrics(30.0, accuracy=Absent("its weights are random"))
    view = models_view([first, make_record(second.case, metrics=blank)])
    assert view is not None
    assert [row[-1] for row in view.tables[0].rows] == ["0.650", "–"]


def test_page_and_summary_show_them() -> None:
    """In a section of its own."""
    view = page_view(make_run(records("yolo26n", "yolov8n")), (), 1.0)
    assert 'id="models"' in render(view)
    assert "MuSGD" in render(view)
    assert "### Models side by side: onnx fp32" in summary(view)
