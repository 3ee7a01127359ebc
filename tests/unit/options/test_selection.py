"""From options to cases."""

from __future__ import annotations

import pytest

from benchsuite.backends import BACKENDS
from benchsuite.options.needs import artifact_need
from benchsuite.options.selection import cases_of, named_cases
from benchsuite.options.settings import parse
from benchsuite.terms.errors import UsageError
from benchsuite.testing import make_machine


def test_default_matrix_has_a_row_for_every_combination() -> None:
    """Every backend at four precisions is a case of its own, in order, TensorRT on the first GPU."""
    cases = cases_of(parse({}), ["m"], make_machine())
    assert len({case.id for case in cases}) == 4 * len(BACKENDS)
    assert [case.device for case in cases if case.backend == "trt"] == ["cuda:0"] * 4
    assert cases[0].id == "m-torch-fp32-cpu-640-b1"


def test_both_heads_are_cases_of_their_own() -> None:
    """`--head both` doubles the cases, and the NMS-free ones say so in their id."""
    cases = cases_of(parse({"head": "both", "backend": "onnx", "precision": "fp32"}), ["m"], make_machine())
    assert [case.id for case in cases] == ["m-onnx-fp32-cpu-640-b1", "m-onnx-fp32-cpu-640-b1-end2end"]


def test_lists_multiply() -> None:
    """Models, image sizes and batches are combined with each other."""
    options = parse({"imgsz": "320,640", "batch": "1,8", "backend": "onnx,openvino", "precision": "fp32"})
    assert len(cases_of(options, ["a", "b"], make_machine())) == 2 * 2 * 2 * 2


def test_variants_go_to_the_backend_that_has_them() -> None:
    """Each way to run is a case of its own, and a backend without any of those asked for runs plain."""
    options = parse({"variant": "compile,cudagraph", "backend": "torch,onnx,trt", "precision": "fp16"})
    assert [case.id for case in cases_of(options, ["m"], make_machine())] == [
        "m-torch-fp16-cpu-640-b1-compile",
        "m-onnx-fp16-cpu-640-b1",
        "m-trt-fp16-cuda:0-640-b1-cudagraph",
    ]
    both = parse({"variant": "plain,compile", "backend": "torch", "precision": "fp32", "head": "end2end"})
    assert [(case.head, case.way) for case in cases_of(both, ["m"], make_machine())] == [
        ("end2end", ""),
        ("end2end", "compile"),
    ]


def test_rebuilds_are_further_cases_of_tensorrt_only() -> None:
    """The first build is the plain case, and other backends have nothing to build again."""
    cases = cases_of(parse({"rebuilds": "3", "backend": "onnx,trt", "precision": "fp32"}), ["m"], make_machine())
    assert [(case.backend, case.rebuild) for case in cases] == [("onnx", 0), ("trt", 0), ("trt", 2), ("trt", 3)]


@pytest.mark.parametrize(
    ("isa", "asked", "ends"),
    [
        ("avx512_vnni", "default", ["", "", ""]),
        ("avx512_vnni", "auto", ["", "", ""]),
        ("avx512_vnni", "dynamic-u8u8", ["-dynamic-u8u8", "", ""]),
        ("avx512_vnni", "qdq-u8s8", ["", "", ""]),
        ("avx512_vnni", "qdq-u8s8~p3", ["-qdq-u8s8~p3", "", ""]),
        ("avx2", "qdq-u8s8", ["-qdq-u8s8", "", ""]),
        ("avx2", "qdq-u8s7", ["", "", ""]),
        ("avx512_vnni", "nncf-performance", ["", "-nncf-performance", ""]),
        ("avx512_vnni", "qdq-s8s8-symmetric", ["", "", ""]),
    ],
)
def test_an_id_names_the_scheme_that_its_runtime_would_not_take_alone(isa: str, asked: str, ends: list[str]) -> None:
    """The plain id stands for the runtime's own choice on the machine, and no other precision says a scheme."""
    options = parse({"backend": "onnx,openvino,trt", "precision": "fp32,int8", "quant_scheme": asked})
    cases = cases_of(options, ["m"], make_machine(isa=(isa,)))
    assert [case.scheme for case in cases if case.precision == "fp32"] == [""] * 3
    int8 = [case for case in cases if case.precision == "int8"]
    assert [case.id.partition("-640-b1")[2] for case in int8] == ends
    if asked != "auto":
        need = artifact_need(int8[0], make_machine(isa=(isa,)), options)
        assert need.scheme == (int8[0].scheme or ("qdq-u8s8" if isa == "avx512_vnni" else "qdq-u8s7"))


def test_any_printed_id_selects_its_case() -> None:
    """Every case that options can make is selected alone by its id, in the order in which ids are given."""
    asked = {"head": "both", "variant": "plain,compile,trtep,cudagraph", "rebuilds": "3", "imgsz": "320,640"}
    ids = [case.id for case in cases_of(parse(asked), ["m"], make_machine())]
    assert len(ids) > 100
    assert [case.id for case in named_cases(parse({"case": ",".join(reversed(ids))}), ["m"])] == ids[::-1]


def test_an_id_of_a_study_loads_the_artifact_of_its_scheme() -> None:
    """A row of a scheme study can be measured alone, by the scheme in its id."""
    (case,) = named_cases(parse({"case": "m-onnx-int8-cpu-640-b1-qdq-u8s8~p3+neck"}), ["m"])
    assert artifact_need(case, make_machine(), parse({})).scheme == "qdq-u8s8~p3+neck"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("m-onnx-int8-cpu", "is no id of a case"),
        ("other-onnx-int8-cpu-640-b1", r"other is none of the models here \(m\); name its file with --model"),
        ("m-caffe-fp32-cpu-640-b1", "caffe is no backend; there are torch, onnx"),
        ("m-onnx-fp32-cpu-384x640-b1", "its input is 384x640, and inputs are square here.* as in 640"),
        ("m-onnx-fp32-cpu-641-b1", "its input is 641, and it must be a multiple of 32.* give 640 or 672"),
        ("m-onnx-fp32-gpu-640-b1", "its device is gpu, and it must be auto, cpu"),
        (f"m-onnx-fp32-cpu-640-b{'9' * 5000}", "is no id of a case"),
        ("9" * 100, "is no id of a case"),
        ("m-onnx-fp32-cpu-640-b1-compile", "onnx has no way compile; torch has"),
        ("m-onnx-fp32-cpu-640-b1-rebuild2", "onnx builds no engine"),
        ("m-onnx-int8-cpu-640-b1-percentile-100", "percentile-100 is no INT8 scheme of onnx; `benchsuite study"),
        ("m-onnx-int8-cpu-640-b1-qdq-u8s8~tail", "tail is no part of a network"),
    ],
)
def test_ids_that_cannot_be_measured_are_told(text: str, problem: str) -> None:
    """What of an id is not to be had is named, for all ids in one message."""
    with pytest.raises(UsageError, match=f"--case .*{problem}"):
        named_cases(parse({"case": f"m-onnx-fp32-cpu-640-b1,{text}"}), ["m"])


def test_case_names_all_that_it_decides() -> None:
    """Options that an id decides are refused beside --case."""
    with pytest.raises(UsageError, match="--backend, --imgsz: --case names whole cases"):
        parse({"case": "m-onnx-fp32-cpu-640-b1", "backend": "onnx", "imgsz": "320"})
