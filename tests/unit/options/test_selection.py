"""From options to cases."""

from __future__ import annotations

from benchsuite.options.selection import cases_of
from benchsuite.options.settings import parse


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


def test_variants_go_to_the_backend_that_has_them() -> None:
    """Each way to run is a case of its own, and a backend without any of those asked for runs plain."""
    options = parse({"variant": "compile,cudagraph", "backend": "torch,onnx,trt", "precision": "fp16"})
    assert [case.id for case in cases_of(options, ["m"])] == [
        "m-torch-fp16-cpu-640-b1-compile",
        "m-onnx-fp16-cpu-640-b1",
        "m-trt-fp16-cuda:0-640-b1-cudagraph",
    ]
    both = parse({"variant": "plain,compile", "backend": "torch", "precision": "fp32", "head": "end2end"})
    assert [case.variant for case in cases_of(both, ["m"])] == ["end2end", "end2end+compile"]


def test_rebuilds_are_further_cases_of_tensorrt_only() -> None:
    """The first build is the plain case, and other backends have nothing to build again."""
    cases = cases_of(parse({"rebuilds": "3", "backend": "onnx,trt", "precision": "fp32"}), ["m"])
    assert [(case.backend, case.variant, case.rebuild) for case in cases] == [
        ("onnx", "", 0), ("trt", "", 0), ("trt", "rebuild2", 2), ("trt", "rebuild3", 3),
    ]  # fmt: skip
