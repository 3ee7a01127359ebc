"""From options to cases."""

from __future__ import annotations

from benchsuite.options import parse
from benchsuite.selection import cases_of


def test_default_matrix_has_a_row_for_every_combination() -> None:
    """Five backends at four precisions make twenty cases, in order, TensorRT on the first GPU."""
    cases = cases_of(parse({}), ["m"])
    assert len({case.id for case in cases}) == 20
    assert [case.device for case in cases if case.backend == "trt"] == ["cuda:0"] * 4
    assert cases[0].id == "m-torch-fp32-cpu-640-b1"


def test_both_heads_are_cases_of_their_own() -> None:
    """`--head both` doubles the cases, and the NMS-free ones say so in their id."""
    cases = cases_of(parse({"head": "both", "backend": "onnx", "precision": "fp32"}), ["m"])
    assert [case.id for case in cases] == ["m-onnx-fp32-cpu-640-b1", "m-onnx-fp32-cpu-640-b1-end2end"]


def test_lists_multiply() -> None:
    """Models, image sizes and batches are combined with each other."""
    options = parse({"imgsz": "320,640", "batch": "1,8", "backend": "onnx,openvino", "precision": "fp32"})
    assert len(cases_of(options, ["a", "b"])) == 2 * 2 * 2 * 2
