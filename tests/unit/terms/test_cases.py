"""A case's id and how model names are made fit for it."""

from __future__ import annotations

from dataclasses import replace

from benchsuite.terms.cases import Case, slug, variant_of

CASE = Case("yolo26n_shapes", "onnx", "int8", "cpu", 640, 1, 2)


def test_id_joins_the_parts_that_tell_rows_apart() -> None:
    """An id reads model-backend-precision-device-imgsz-bN, with the variant last where there is one."""
    assert CASE.id == "yolo26n_shapes-onnx-int8-cpu-640-b1"
    assert replace(CASE, variant="end2end").id == "yolo26n_shapes-onnx-int8-cpu-640-b1-end2end"


def test_slug_leaves_no_dash_in_a_model_name() -> None:
    """Only `-` separates the parts of an id, so a model's name holds none, nor markup."""
    assert slug("YOLO26n-coco <b>") == "yolo26n_coco__b_"


def test_parts_of_a_variant_are_told_apart() -> None:
    """A variant names several departures at once, each whole."""
    case = replace(CASE, variant="end2end+cudagraph+rebuild12")
    assert [case.has(name) for name in ("end2end", "cudagraph", "rebuild", "graph")] == [True, True, False, False]
    assert (case.rebuild, CASE.rebuild) == (12, 0)
    assert variant_of("end2end", "cudagraph", 12) == case.variant
    assert (variant_of("one2many"), variant_of("end2end")) == ("", "end2end")
