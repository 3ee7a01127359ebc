"""A case's id and how model names are made fit for it."""

from __future__ import annotations

from dataclasses import replace

from benchsuite.cases import Case, slug

CASE = Case("yolo26n_shapes", "onnx", "int8", "cpu", 640, 1, 2)


def test_id_joins_the_parts_that_tell_rows_apart() -> None:
    """An id reads model-backend-precision-device-imgsz-bN, with the variant last where there is one."""
    assert CASE.id == "yolo26n_shapes-onnx-int8-cpu-640-b1"
    assert replace(CASE, variant="end2end").id == "yolo26n_shapes-onnx-int8-cpu-640-b1-end2end"


def test_slug_leaves_no_dash_in_a_model_name() -> None:
    """Only `-` separates the parts of an id, so a model's name holds none, nor markup."""
    assert slug("YOLO26n-coco <b>") == "yolo26n_coco__b_"
