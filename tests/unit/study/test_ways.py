"""Which ways each study compares."""

from __future__ import annotations

from benchsuite.backends import backend
from benchsuite.study.ways import precision_ways, scheme_ways
from benchsuite.testing import make_case


def test_precisions_are_compared_with_what_ultralytics_exports() -> None:
    """ONNX Runtime's INT8 has Ultralytics' own file beside it; no other case has."""
    cases = [
        make_case(backend=backend, precision=precision)
        for backend, precision in (("onnx", "fp32"), ("onnx", "int8"), ("ncnn", "int8"))
    ]
    ways = precision_ways(cases)
    assert [(way.case.row_name, way.scheme) for way in ways] == [
        ("onnx fp32", "default"), ("onnx int8", "default"), ("onnx int8 ultralytics", "ultralytics"),
        ("ncnn int8", "default"),
    ]  # fmt: skip


def test_every_scheme_of_a_runtime_is_a_way() -> None:
    """A runtime's precisions come to the same INT8 schemes, each once."""
    cases = [make_case(backend="ncnn", precision=precision) for precision in ("fp32", "int8")]
    assert [way.scheme for way in scheme_ways(cases)] == list(backend("ncnn").schemes)
